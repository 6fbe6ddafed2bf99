"""Crowded places: what must meet meets there too, whatever came first, and no record costs more
because many others are there."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from tests.stream_processors.matching.factory import DEPARTMENT, REGION, call, need
from tests.stream_processors.matching.test_matcher import told
from traverse_stream_processors.matching.answers import answer
from traverse_stream_processors.matching.facts import Facts
from traverse_stream_processors.matching.joint import together
from traverse_stream_processors.matching.matcher import Matcher

CROWDED = 2
ROADS = ["45233140"]
STATE = ("130000015", "fr", "state")
OF_THEME = ("45233222", "34922100", "45233292", "34928470", "45233150", "34996000", "45233290")
"""Codes of other things of the same theme as ROADS."""


def town(number: int) -> tuple[str, str, str]:
    return (f"{210000000 + number}", "com:13041", "commune")


def open_until(day: str) -> dict[str, str]:
    zone = {"zone": "Europe/Paris", "precision": "minute"}
    return {"until": f"{day}T11:00:00Z", "kind": "tender", **zone}


def crowd(code: str, many: int) -> list[Facts]:
    """As many needs, calls of a town, and calls for projects of a région, of one thing."""
    found = []
    for number in range(many):
        title, whole = f"Fourniture n° {number} de {code}", {"cpv": [code]}
        found += [
            need(f"N{code}", title, owner=town(number), **whole),
            call(f"C{code}", title, owner=town(number), **whole),
            call(f"A{number}{code}", title, owner=REGION, subtype="call_for_projects", **whole),
        ]
    return found


@pytest.fixture(scope="module")
def full() -> list[Facts]:
    """More than may stand in one corner, at each of its steps."""
    return [one for code in OF_THEME for one in crowd(code, 6)]


def fed(whole: Iterable[Facts]) -> Matcher:
    matcher = Matcher("m", CROWDED)
    for one in whole:
        matcher.put(one.id, one)
    return matcher


def orders(full: Sequence[Facts], *these: Facts) -> Iterable[list[Facts]]:
    """The crowd with these first, last, and among them."""
    yield [*these, *full]
    yield [*full, *reversed(these)]
    yield [*full[::2], *these, *full[1::2]]


def assert_answers(full: Sequence[Facts], asked: Facts, offered: Facts) -> None:
    judged = answer(asked, offered)
    assert judged is not None
    for whole in orders(full, asked, offered):
        matcher = fed(whole)
        assert matcher.answer(asked.id, offered.id) == judged
        assert asked.id in [one for one, _ in matcher.answered_by(offered.id)]


def test_a_national_call_meets_a_need_without_a_code(full: list[Facts]) -> None:
    asked = need("A", "Réfection de la voirie communale", owner="Gap")
    offered = call(
        "B", "Réfection de la voirie : aide", owner=STATE, cpv=ROADS, subtype="call_for_projects"
    )
    assert_answers(full, asked, offered)


def test_a_call_for_projects_without_a_code_meets_a_need_that_has_one(full: list[Facts]) -> None:
    asked = need("A", "Réfection de la voirie communale", owner="Gap", cpv=ROADS)
    offered = call(
        "B", "Aide à la réfection de la voirie", owner=REGION, subtype="call_for_projects"
    )
    assert_answers(full, asked, offered)


def test_a_call_whose_code_says_nothing_meets_by_its_words(full: list[Facts]) -> None:
    firm: dict[str, Any] = {"subtype": "business", "owner": "Aix"}
    asked = need("A", "Entreprise de réfection de voirie", **firm)
    themes = {"themes": ["voirie"]}
    offered = call("B", "Réfection de la voirie", owner="Gardanne", cpv=["45000000"], **themes)
    assert_answers(full, asked, offered)


@pytest.mark.parametrize("lot", range(3))
def test_a_call_by_lots_is_found_under_each_of_its_codes(full: list[Facts], lot: int) -> None:
    lots = ["34922100", "45233150", "45233140"]
    firm: dict[str, Any] = {"subtype": "business", "owner": "Aix"}
    asked = need("A", "Voirie : signalisation et réfection", cpv=[lots[lot]], **firm)
    offered = call(
        "B", "Voirie : réfection et signalisation", owner="Gardanne", cpv=lots,
        deadline=open_until("2027-09-01"),
    )  # fmt: skip
    assert_answers(full, asked, offered)


def test_deadlines_of_other_months_tell_nobody_apart(full: list[Facts]) -> None:
    firm: dict[str, Any] = {"subtype": "business", "owner": "Aix"}
    asked = need("A", "Entreprise de réfection de voirie", cpv=ROADS, **firm)
    offered = call(
        "B", "Réfection de la voirie", owner="Gardanne", cpv=ROADS,
        deadline=open_until("2027-09-01"),
    )  # fmt: skip
    assert_answers([*full, *crowd(ROADS[0], 3)], asked, offered)


def test_of_too_many_of_one_code_those_that_are_open_the_longest_are_found() -> None:
    asked = need("A", "Entreprise de réfection de voirie", subtype="business", owner="Aix")
    calls = [
        call(
            f"C{day}", "Réfection de la voirie", owner=DEPARTMENT, cpv=ROADS,
            deadline=open_until(f"2027-03-{day}"),
        )
        for day in range(10, 20)
    ]  # fmt: skip
    for whole in orders(calls, asked):
        matcher = fed(whole)
        assert set(matcher.chosen(asked.id)) == {one.id for one in calls[-CROWDED:]}
    matcher.put(calls[-1].id, None)
    assert set(matcher.chosen(asked.id)) == {one.id for one in calls[-CROWDED - 1 : -1]}


def test_purchases_without_a_code_or_by_lots_meet_in_a_crowd(full: list[Facts]) -> None:
    coded = need("A", "Réfection de la voirie communale", owner="Gardanne", cpv=ROADS)
    said = need("B", "Réfection de la voirie communale", owner="Aix")
    lots = need("C", "Réfection de la voirie", owner="Marseille", cpv=["34922100", *ROADS])
    for whole in orders(full, coded, said, lots):
        matcher = fed(whole)
        for left, right in ((coded, said), (coded, lots)):
            assert matcher.joint_with(left.id)[right.id] == together(left, right)


def test_purchases_of_one_quarter_meet_whatever_month_they_end(full: list[Facts]) -> None:
    left = need("A", "Réfection de la voirie", owner="Gardanne", cpv=ROADS)
    right = need(
        "B", "Réfection de la voirie", owner="Aix", cpv=ROADS,
        window={"from": "2027-05-01", "to": "2028-03-31"},
    )  # fmt: skip
    later = [one._replace(first_time="2026-12-01T09:00") for one in (left, right)]
    for whole in orders([*full, *crowd(ROADS[0], 3)], *later):
        assert right.id in fed(whole).joint_with(left.id)


def test_too_many_of_one_thing_still_go_together() -> None:
    """Where more than can be compared need one thing at one time, some are brought together."""
    many = [need("N", "Réfection de la voirie", owner=town(n), cpv=ROADS) for n in range(8)]
    matcher = fed(many)
    assert sum(1 for _ in matcher.every_bond()) == CROWDED * (CROWDED - 1) // 2
    assert told(matcher) == told(fed(reversed(many)))


def test_what_one_record_meets_is_bounded() -> None:
    """A thousand needs and calls of one thing in one place."""
    matcher = Matcher("m", CROWDED)
    title = "Réfection de la voirie"
    for number in range(60):
        one = call(f"C{number}", title, owner=DEPARTMENT, cpv=ROADS)
        matcher.put(one.id, one)
    asked = need("A", title, subtype="business", owner="Aix", cpv=ROADS)
    matcher.put(asked.id, asked)
    assert len(list(matcher.every_answer())) <= 3 * CROWDED


@pytest.mark.parametrize("hidden", ["offers", "needs"])
def test_what_few_may_read_takes_no_place_from_what_others_see(hidden: str) -> None:
    """More restricted records of one thing than may stand there, open and told longer."""
    title, code = "Réfection de la voirie", {"cpv": ROADS}
    asked = need("A", title, subtype="business", owner="Aix", **code)
    bought = [need(f"P{n}", title, owner=town(n), **code) for n in range(2)]
    offered = call("B", title, owner="Gardanne", **code)
    secret: dict[str, Any] = {
        "visibility": "restricted", "audience": ["211300553"],
        "first_time": "2026-12-01T09:00:00.000000Z", **code,
    }  # fmt: skip
    if hidden == "offers":
        few = [
            call(f"S{n}", title, owner=town(n), deadline=open_until("2030-01-01"), **secret)
            for n in range(4)
        ]
    else:
        few = [need(f"S{n}", title, owner=town(9 + n), **secret) for n in range(50)]
    for whole in orders(few, asked, offered, *bought):
        matcher = fed(whole)
        assert offered.id in matcher.chosen(asked.id)
        assert bought[1].id in matcher.joint_with(bought[0].id)


@pytest.mark.parametrize("code", ["45230000", "45233000", "45233100"])
def test_what_says_a_class_or_a_category_meets_what_is_finer(code: str) -> None:
    title = "Réfection de la voirie"
    calls = [call(f"C{n}", title, owner=town(n), cpv=ROADS) for n in range(8)]
    asked = need("A", title, subtype="business", owner="Aix", cpv=[code])
    for whole in orders(calls, asked):
        assert fed(whole).chosen(asked.id)
    asking = [need(f"N{n}", title, subtype="business", owner=town(n), cpv=ROADS) for n in range(30)]
    offered = call(
        "B", title, owner=DEPARTMENT, cpv=[code], deadline=open_until("2028-01-01")
    )  # fmt: skip
    for whole in orders([*calls, *asking], offered):
        assert len(list(fed(whole).answered_by(offered.id))) == len(asking)


def test_of_two_of_which_one_alone_answers_either_may_be_crowded_out_last() -> None:
    """Firms that look for a partner: who is for communes alone is none, and may find some."""

    def firm(number: int, said: str = "") -> Facts:
        window = {"from": "2027-02-01", "to": f"2027-05-{number:02}"}
        return need(
            f"N{number}", "Voirie : partenaire cherché", subtype="business", cpv=ROADS,
            owner=town(number), window=window, description=said,
        )  # fmt: skip

    anybody, bodies = firm(1), firm(2, "Ouvert aux communes.")
    assert answer(bodies, anybody)
    assert answer(anybody, bodies) is None
    whole = [anybody, bodies, firm(3), firm(4)]
    assert told(fed(whole)) == told(fed(reversed(whole)))


def test_what_never_ends_is_open_the_longest() -> None:
    asked = need("A", "Entreprise de réfection de voirie", subtype="business", owner="Aix")
    calls = [call(f"C{n}", "Réfection de la voirie", owner=DEPARTMENT, cpv=ROADS) for n in range(4)]
    endless = call("E", "Réfection de la voirie", owner=DEPARTMENT, cpv=ROADS)._replace(until="")
    for whole in orders(calls, asked, endless):
        assert endless.id in fed(whole).chosen(asked.id)


def test_a_record_told_otherwise_that_stays_where_it_was_has_no_other_judged_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its title alone is another: who else meets stays the same."""
    title, asking = "Réfection de la voirie", 20
    calls = [call(f"C{n}", title, owner=DEPARTMENT, cpv=ROADS) for n in range(4)]
    firms = [need(f"N{n}", title, subtype="business", owner=town(n), cpv=ROADS) for n in range(20)]
    bought = [need(f"P{n}", title, owner=town(n), cpv=ROADS) for n in range(5)]
    matcher = fed([*calls, *firms, *bought])
    judged: list[str] = []

    def counted(asked: Facts, offered: Facts, state: str) -> Any:
        judged.append(offered.id)
        return answer(asked, offered, state)

    monkeypatch.setattr("traverse_stream_processors.matching.answering.answer", counted)
    again = [
        said._replace(title=f"{title} et trottoirs")
        for said in (*calls, *bought)
    ]  # fmt: skip
    for said in again:
        judged.clear()
        matcher.put(said.id, said)
        assert len(judged) <= asking + len(bought)
        assert set(judged) <= {said.id, *(one.id for one in calls)}
    assert told(matcher) == told(fed([*firms, *again]))
    matcher.put(calls[0].id, None)
    assert told(matcher) == told(fed([*firms, *again[1:]]))
