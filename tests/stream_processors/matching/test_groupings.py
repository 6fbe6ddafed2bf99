"""What a grouping says: each need once, what is guessed as a guess, sums before taxes."""

from copy import deepcopy
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stream_processors.matching.factory import METROPOLE, call, need, reader, state
from tests.stream_processors.matching.test_words import fed, grouping, owners, step
from traverse_schemas.documents.grouping import Grouping, grouping_id
from traverse_schemas.log.identity import opportunity_id
from traverse_schemas.log.record_state import RecordState
from traverse_stream_processors.linking.linker import Linker
from traverse_stream_processors.linking.opportunities import Opportunities
from traverse_stream_processors.linking.shelf import Shelf
from traverse_stream_processors.matching.facts import Facts

DAE: dict[str, Any] = {"cpv": ["33182100"]}


def dae(town: str, amount: Any = None, **fields: Any) -> Facts:
    sums = {"amount": amount} if amount else {}
    return need(town, "Défibrillateurs", **{"owner": town, **DAE, **sums, **fields})


def ending(town: Any, amount: float, subject: str = "contract", **fields: Any) -> Facts:
    """A contract for the same that ends in 2027."""
    return call(
        subject, "Défibrillateurs", owner=town, outcome="awarded", duration_months=24,
        **{"end_max": "2027-06-30", "amount": amount, **DAE, **fields},
    )  # fmt: skip


def amounts(*sums: tuple[float, str, str]) -> dict[str, Any]:
    told = [{"value": value, "kind": kind, "tax": tax} for value, kind, tax in sums]
    return {"amounts": told, "amount": sums[0][0]}


def test_a_contract_that_ends_is_not_counted_beside_the_need_of_its_buyer() -> None:
    found = grouping(fed(dae("Gardanne", 50_000.0), ending("Gardanne", 180_000.0),
                         dae("Aix", 30_000.0)))  # fmt: skip
    assert (found["total"], found["unknown_amounts"]) == (80_000, 0)
    assert [lot.get("amount") for lot in found["lots"]] == [30_000, 50_000]
    assert [one["counted"] for one in found["members"] if one["renewal"]] == [False]
    assert found["threshold"]["amount"] == 60_000


def test_a_grouping_tells_what_it_is_after_each_of_its_records_expires() -> None:
    """Its sums are those of who is left; of fewer than two owners nothing is left."""
    first = dae("Gardanne", 10_000.0, expires="2027-01-31")
    last = dae("Marseille", 40_000.0, expires="2027-03-31")
    found = grouping(fed(dae("Aix", 20_000.0), first, last))
    assert (found["owners"], found["total"], found["expires"]) == (3, 70_000, "2027-01-31")
    after = found["after"]
    assert (after["owners"], after["total"], after["expires"]) == (2, 60_000, "2027-03-31")
    assert (after["id"], "after" in after) == (found["id"], False)
    assert first.id not in str(after)


def test_what_had_expired_is_in_no_grouping_with_what_comes_later() -> None:
    gone = dae("Gardanne", expires="2026-11-15")
    later = dae("Aix", first_time="2026-11-20T09:00:00.000000Z")
    assert not list(fed(gone, later).every_grouping())
    assert list(fed(gone, dae("Aix")).every_grouping())


def test_what_is_told_of_after_midnight_comes_later_than_what_expired_the_day_before() -> None:
    """It is the next day in France, and the same still in UTC."""
    gone = dae("Gardanne", expires="2026-11-15")
    same_day, next_day = (
        dae("Aix", first_time=f"2026-11-15T{hour}:00.000000Z") for hour in ("22:30", "23:30")
    )
    assert list(fed(gone, same_day).every_grouping())
    assert not list(fed(gone, next_day).every_grouping())


def test_whose_contract_ends_has_said_no_need() -> None:
    said = dae("Gardanne", 30_000.0, first_time="2026-01-01T00:00Z")
    found = grouping(fed(said, ending("Aix", 400_000.0)))
    assert found["reason"].startswith(
        "Gardanne a un besoin (défibrillateur) ; un contrat du même achat se termine chez "
        "Aix-en-Provence, sans besoin déclaré, entre le"
    )
    assert found["coordinator"]["owner"] == "Gardanne"
    assert found["guessed"] == 400_000
    assert [one["guess"] for one in found["members"]] == [False, True]
    small = grouping(fed(said, ending("Aix", 45_000.0)))
    assert (small["threshold"]["amount"], small["threshold"]["guessed"]) == (60_000, True)
    # Not even where its territory covers that of all.
    covered = grouping(fed(said, ending(METROPOLE, 400_000.0)))
    assert covered["coordinator"]["owner"] == "Gardanne"


def test_who_is_interested_in_what_its_contract_buys_has_said_it() -> None:
    said = dae("Gardanne", 30_000.0, first_time="2026-01-01T00:00Z")
    ends = ending("Aix", 400_000.0)
    found = grouping(fed(said, ends, step("interested", ends, grouping_id("public", said.id))))
    assert found["reason"].startswith("Gardanne et Aix-en-Provence ont besoin de la même chose")
    assert found["coordinator"]["owner"] == "Aix-en-Provence"
    assert "guessed" not in found
    assert [one["guess"] for one in found["members"]] == [False, False]


def test_what_is_over_holds_no_need_back() -> None:
    """A neighbour's need of 2019 that nobody closed, the better match; and one that goes on."""
    always = {"window": {"from": "2019-01-01", "to": "2028-12-31"}}
    old = {"window": {"from": "2019-01-01", "to": "2019-06-30"}, "first_time": "2018-01-01T00:00Z"}
    live = {"window": {"from": "2019-01-01", "to": "2028-12-31"}, "title": "Défibrillateurs"}
    mine, gone = dae("Gardanne", **always), dae("Aix", **old)
    open_end = need("R", "Défibrillateurs", owner="Marseille", **DAE, window=live["window"])
    for order in permutations((mine, gone, open_end)):
        found = grouping(fed(*order))
        assert owners(found) == {"Gardanne", "Marseille"}
        assert found["window"] == {"from": "2019-01-01", "to": "2028-12-31"}
    # Alone with it, there is nothing to hold back from.
    assert owners(grouping(fed(gone, dae("Arles", **{**old, "place": ["com:13001"]})))) == {
        "Aix-en-Provence", "Arles",
    }  # fmt: skip
    # An old contract has no more claim to a need without dates.
    undated = dae("Gardanne", window={})
    old_contract = ending("Aix", 10.0, end_max="2019-06-30", first_time="2016-01-01T00:00Z")
    assert owners(grouping(fed(undated, old_contract, open_end))) == {"Gardanne", "Marseille"}


def test_who_signed_together_stays_together_when_it_is_over() -> None:
    windows = (
        {"from": "2026-01-01", "to": "2026-11-01"},
        {"from": "2026-01-01", "to": "2029-01-01"},
    )
    towns = [
        dae(town, window=window, first_time="2026-01-01T00:00Z")
        for town, window in zip(("Gardanne", "Aix"), windows, strict=True)
    ]
    key = grouping_id("public", min(one.id for one in towns))
    signed = [step("constituted", one, key) for one in towns]
    later = dae("Marseille", window=windows[1], first_time="2028-01-01T00:00Z")
    found = grouping(fed(*towns, *signed, later))
    assert (found["state"], owners(found)) == ("constituted", {"Gardanne", "Aix-en-Provence"})


def test_sums_with_taxes_are_brought_before_them() -> None:
    """48 000 € with taxes are 40 000 before: two of them reach 60 000 and not 90 000."""
    taxed = amounts((48_000, "estimate", "included"))
    found = grouping(fed(dae("Gardanne", **taxed), dae("Aix", **taxed)))
    assert (found["total"], found["total_tax"]) == (96_000, "included")
    assert (found["threshold"]["amount"], found["threshold"]["taxed"]) == (60_000, True)
    both = amounts((48_000, "estimate", "included"), (41_000, "estimate", "excluded"))
    found = grouping(fed(dae("Gardanne", **both), dae("Aix", **taxed)))
    assert (found["total"], found["total_tax"]) == (89_000, "mixed")


def test_sums_whose_taxes_are_not_told_may_hold_them() -> None:
    """Together 70 000 €, of which nobody knows whether they are before taxes: at least 58 333."""
    silent = grouping(fed(dae("Gardanne", 35_000.0), dae("Aix", 35_000.0)))
    assert (silent["total"], silent.get("threshold")) == (70_000, None)
    more = grouping(fed(dae("Gardanne", 36_000.0), dae("Aix", 36_000.0)))
    assert (more["threshold"]["amount"], more["threshold"]["taxed"]) == (60_000, True)
    told = amounts((35_000, "estimate", "excluded"))
    before = grouping(fed(dae("Gardanne", **told), dae("Aix", **told)))
    assert before["threshold"]["amount"] == 60_000
    assert "taxed" not in before["threshold"]


@pytest.mark.parametrize(
    ("kind", "known"), [("estimate", True), ("maximum", True), ("subsidy", False), ("cost", False)]
)
def test_what_is_given_is_not_what_is_bought(kind: str, known: bool) -> None:
    """The maximum of a framework agreement is its value (CCP, art. R.2121-8)."""
    found = grouping(fed(dae("Gardanne", **amounts((9_000, kind, "excluded"))), dae("Aix")))
    assert (found.get("total"), found["unknown_amounts"]) == ((9_000, 1) if known else (None, 2))


def test_with_the_state_its_threshold_holds() -> None:
    prefecture = need("S", "Défibrillateurs", owner=("110000023", "com:13055", "state"),
                      amount=100_000.0, **DAE)  # fmt: skip
    found = grouping(fed(dae("Gardanne", 80_000.0), prefecture))
    assert (found["threshold"]["code"], found["threshold"]["amount"]) == ("formal", 140_000)


RELAY = "urn:siren:181300013"


def said(subject: str, town: str, amount: float, source: str = "", **more: Any) -> RecordState:
    whole = {"title": "Défibrillateurs pour les écoles", "amount": amount, **DAE, **more}
    window = {"from": "2027-02-01", "to": "2027-05-31"}
    found = state(subject, whole.pop("title"), owner=town, window=window, **whole)
    by = {"source": source, "id": opportunity_id(source, subject)}
    return {**found, **by} if source else found  # type: ignore[typeddict-item]


def begun(folder: Path) -> Opportunities:
    """With the reader of all tests: to read the model's topics takes a quarter of a second."""
    with patch("traverse_stream_processors.matching.matches.Reader", lambda _: reader()):
        return Opportunities(Linker(), Shelf(folder))


def written(known: Opportunities) -> dict[str, Grouping | None]:
    """The groupings of the public that are written, by id; None where there is none any more."""
    known.links()
    values = {one.key: orjson.loads(one.value or b"{}") for one in known.groupings()}
    return {
        key: value.get("grouping")
        for key, value in values.items()
        if value.get("layer", "public") == "public"
    }


REFERENCE = ["https://achats.gardanne.fr/besoins/2027-14"]
OWN = said("N1", "Gardanne", 50_000.0, references=REFERENCE, url=REFERENCE[0])
RELAYED = said("N2", "Gardanne", 50_000.0, RELAY, references=REFERENCE, url=REFERENCE[0])
OTHER = said("N3", "Aix", 20_000.0)


def told(known: Opportunities, *states: RecordState, offset: int = 0) -> dict[str, Any]:
    """The groupings that are written when these records come, one after the other."""
    found: dict[str, Any] = {}
    for at, one in enumerate(states, offset):
        key = f"{one['source']} {one['subject']}"
        known.remember(known.form(known.put_records([(key, at, orjson.dumps(one))])))
        found |= written(known)
    return {key: value for key, value in found.items() if value is not None}


def test_records_of_one_opportunity_count_once_whatever_comes_first(tmp_path: Path) -> None:
    """A town's need, the same as somebody relays it, and a neighbour's."""
    found = []
    for number, order in enumerate(permutations((OWN, RELAYED, OTHER))):
        found.append(told(begun(tmp_path / str(number)), *order))
        (last,) = found[-1].values()
        assert (last["total"], last["owners"], len(last["members"])) == (70_000, 2, 2)
        assert sorted(lot["amount"] for lot in last["lots"]) == [20_000, 50_000]
        # What the town says itself speaks for both.
        assert all("source" not in one for one in last["members"])
    assert all(one == found[0] for one in found)


def test_what_is_told_to_be_two_counts_twice_until_that_is_taken_back(tmp_path: Path) -> None:
    known = begun(tmp_path)
    (before,) = told(known, OWN, RELAYED, OTHER).values()
    totals = []
    for day, word in enumerate(("not_same", "withdrawn"), 22):
        decision = {
            "source": "urn:siren:211300413", "subject": "dossier", "word": word,
            "version": [0, f"2026-11-{day}T10:00:00.000000Z", "d"],
            "records": [OWN["id"], RELAYED["id"]],
        }  # fmt: skip
        known.remember(known.form(known.put_decisions([orjson.dumps(decision)])))
        (after,) = (one for one in written(known).values() if one is not None)
        totals.append(after["total"])
    assert (totals, after) == ([120_000, 70_000], before)


def test_a_town_alone_is_no_grouping_under_two_names(tmp_path: Path) -> None:
    """Nor does a need take its sum from nobody, where a copy of it tells one."""
    named = [{"name": "Ville de Gardanne", "kind": "commune", "role": "owner"}]
    unnumbered = said("N2", "Gardanne", 50_000.0, RELAY, references=REFERENCE, url=REFERENCE[0],
                      owner_siren="", institutions=named)  # fmt: skip
    silent: Any = deepcopy(OWN)
    del silent["content"]["content"]["amount"]
    known = begun(tmp_path)
    assert told(known, silent, unnumbered) == {}
    (found,) = told(known, OTHER, offset=9).values()
    assert (found["owners"], found["total"]) == (2, 70_000)


def everything() -> list[RecordState | dict[str, Any]]:
    """Copies, a contract that ends, what few may read, and what people say of them."""
    hidden = said("N4", "Marseille", 7_000.0, visibility="buyers")
    ends = said("N5", "Gardanne", 90_000.0, kind="call", subtype="contract", outcome="awarded",
                duration_months=24, end_max="2027-06-30")  # fmt: skip
    late = said("N6", "Arles", 300_000.0, place=["com:13001"])
    found: list[RecordState | dict[str, Any]] = [OWN, RELAYED, OTHER, hidden, ends, late]
    for layer in ("public", "buyers"):
        for day, (word, one) in enumerate(
            [("convention", OWN), ("constituted", OWN), ("constituted", OTHER),
             ("deliberated", late), ("interested", hidden)], 1
        ):  # fmt: skip
            if layer == "buyers" or one is not hidden:
                key, siren = grouping_id(layer, OWN["id"]), one["source"][10:19]
                found.append({
                    "source": f"urn:siren:{siren}", "subject": f"mutualiser-{key}-{one['id']}",
                    "version": [0, f"2026-12-{day:02}T09:00:00.000000Z", f"{word}{layer}"],
                    "word": word, "records": [one["id"]], "grouping": key,
                })  # fmt: skip
    return found


def last_written(folder: Path, things: list[RecordState | dict[str, Any]]) -> dict[str, Grouping]:
    known = begun(folder)
    found: dict[str, Any] = {}
    for offset, one in enumerate(things):
        if "word" in one:
            touched = known.put_decisions([orjson.dumps(one)])
        else:
            key = f"{one['source']} {one['subject']}"
            touched = known.put_records([(key, offset, orjson.dumps(one))])
        known.remember(known.form(touched))
        known.links()
        found |= {it.key: orjson.loads(it.value or b"{}") for it in known.groupings()}
    return {key: value["grouping"] for key, value in found.items() if "grouping" in value}


@settings(max_examples=10, deadline=None)
@given(st.randoms(use_true_random=False))
def test_what_is_written_in_the_end_is_the_same_in_any_order(random: Any) -> None:
    things = everything()
    with TemporaryDirectory() as folder:
        expected = last_written(Path(folder) / "a", things)
        random.shuffle(things)
        assert last_written(Path(folder) / "b", things) == expected
    public = expected[grouping_id("public", OWN["id"])]
    assert (public["state"], public["total"]) == ("constituted", 70_000)
    assert [one["owner"] for one in public["others"]] == ["Arles"]
    assert "Marseille" not in str(public)
    of_buyers = expected[grouping_id("buyers", OWN["id"])]
    assert {one["owner"] for one in of_buyers["others"]} == {"Arles", "Marseille"}
