"""Matches: what documents show of others, and what is written on the topics."""

from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from tests.stream_processors.matching.factory import METROPOLE, TOWNS, reader, state
from traverse_schemas.decisions import Decision
from traverse_schemas.documents.grouping import grouping_id, records_of
from traverse_schemas.log.record_state import RecordState
from traverse_search_api.access.reader import Reader
from traverse_search_api.groupings.errors import MovedGroupingError, UnknownGroupingError
from traverse_search_api.groupings.groupings import one as grouping_at
from traverse_stream_processors.likeness.model import base_model
from traverse_stream_processors.matching.lasting import MOST
from traverse_stream_processors.matching.layers import BASE
from traverse_stream_processors.matching.matches import Matches, MatchMessage
from traverse_stream_processors.matching.shown import MOST_OCTETS, shown

BUYER = Reader("211300553", buyer=True)
WINDOW = {"window": {"from": "2027-02-01", "to": "2027-05-31"}}


def dae(subject: str, owner: Any, **fields: Any) -> RecordState:
    whole = {"title": "Défibrillateurs", "cpv": ["33182100"], **WINDOW, **fields}
    return state(subject, owner=owner, **whole)


def told(*states: RecordState) -> Matches:
    matches = Matches(base_model(), reader())
    for one in states:
        matches.put(one["id"], one)
    return matches


def itself(identity: str) -> str:
    return identity


def values(messages: list[MatchMessage]) -> dict[str, Any]:
    return {one.key: one.value and orjson.loads(one.value) for one in messages}


def test_both_ends_show_the_link_with_its_reason() -> None:
    left, right = dae("A", "Gardanne"), dae("B", "Aix")
    matches = told(left, right)
    for mine, theirs in ((left, right), (right, left)):
        (link,) = matches.links([mine["id"]], itself)
        assert (link["type"], link["id"]) == ("joint", theirs["id"])
        assert link["reason"].startswith("même objet (défibrillateur), dans le même EPCI")
        assert link["until"] == "2027-05-31"


def test_an_answer_says_which_side_one_is() -> None:
    asked = state("N", "Défibrillateurs", cpv=["33182100"], owner="Gardanne", **WINDOW)
    offered = state(
        "P", "Défibrillateurs : aide aux communes", kind="call", subtype="call_for_projects",
        owner=METROPOLE, cpv=["33182100"],
    )  # fmt: skip
    matches = told(asked, offered)
    (for_need,) = matches.links([asked["id"]], itself)
    (for_offer,) = matches.links([offered["id"]], itself)
    assert (for_need["role"], for_offer["role"]) == ("need", "offer")
    assert "sur votre EPCI, ouvert aux collectivités" in for_need["reason"]
    assert "lieu du besoin : Gardanne, ouvert aux collectivités" in for_offer["reason"]


def test_a_public_document_shows_public_ends_only() -> None:
    public, hidden = dae("A", "Gardanne"), dae("B", "Aix", visibility="buyers")
    matches = told(public, hidden)
    assert matches.links([public["id"]], itself) == []
    (link,) = matches.links([hidden["id"]], itself)
    assert link["audience"] == "public"


def test_records_of_one_opportunity_are_one_end() -> None:
    left, twin, right = dae("A", "Gardanne"), dae("A2", "Gardanne"), dae("B", "Aix")
    matches = told(left, twin, right)
    heads = {twin["id"]: left["id"]}
    links = matches.links([right["id"]], lambda one: heads.get(one, one))
    assert [link["id"] for link in links] == [left["id"]]
    assert [link["id"] for link in matches.links([left["id"], twin["id"]], itself)] == [right["id"]]


def test_what_is_written_is_what_changed() -> None:
    left, right = dae("A", "Gardanne"), dae("B", "Aix")
    matches = told(left, right)
    links, groupings = matches.changed()
    (link,) = values(links).values()
    assert link["type"] == "joint"
    assert link["audience"] == ["public", "public"]
    assert link["model"] == base_model().version
    layers = {value["layer"] for value in values(groupings).values()}
    assert layers == {"public", "members", "buyers"}
    assert matches.changed() == ([], [])
    matches.put(right["id"], None)
    links, groupings = matches.changed()
    assert set(values(links).values()) == {None}
    assert len(groupings) == 3
    assert set(values(groupings).values()) == {None}


def test_a_grouping_is_told_anew_when_a_record_of_it_comes_to_another_opportunity() -> None:
    """Whatever brought both together, which need be in no grouping."""
    left, twin, right = (
        dae(subject, owner, amount=10_000.0)
        for subject, owner in (("A", "Gardanne"), ("A2", "Gardanne"), ("B", "Aix"))
    )
    matches = told(left, twin, right)
    totals = []
    for heads in ({}, {twin["id"]: left["id"]}, {}):
        matches.moved([twin["id"]])
        _, groupings = matches.changed(lambda _, heads=heads: heads)  # type: ignore[misc]
        totals.append({value["grouping"]["total"] for value in values(groupings).values()})
    assert totals == [{30_000}, {20_000}, {30_000}]
    assert matches.changed()[1] == []


def test_who_takes_over_writes_everything_and_ends_what_is_no_more() -> None:
    """What leads to a grouping stays as long as there is one at the end of the way."""
    matches = told(dae("A", "Gardanne"), dae("B", "Aix"))
    (standing, *_) = [one.key for one in matches.changed()[1]]

    def moved(key: str, to: str) -> bytes:
        return orjson.dumps({"id": key, "layer": "public", "moved_to": to})

    written = {key: moved(key, to) for key, to in (("gone", "there"), ("far", "near"), ("o", "o"))}
    written["near"] = moved("near", standing)
    written["over"] = orjson.dumps(
        {"id": "over", "layer": "public", "grouping": {"members": [{"record": "x"}]}}
    )
    written["to-over"] = moved("to-over", "over")
    links = list(matches.every_link(["x y joint", "x y answers", "left right"]))
    assert [key for key, value in links if value is None] == ["x y joint", "x y answers"]
    assert len(links) == 3
    groupings = matches.every_grouping(written)
    ended = {key for key, value in groupings if value is None}
    assert ended == {"over", "to-over", "gone", "o"}
    assert len(groupings) == 3 + len(ended)


TOWNS_BUYING = [
    dae(town, town, first_time=f"2026-11-{day:02}T09:00:00.000000Z")
    for day, town in enumerate(("Gardanne", "Aix", "Marseille", "Arles"), 1)
]
FROM_MAY = {"window": {"from": "2027-05-01", "to": "2027-12-31"}}
TO_APRIL = {"window": {"from": "2027-02-01", "to": "2027-04-30"}}


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from([None, WINDOW, FROM_MAY, TO_APRIL]))))
def test_ids_of_groupings_that_end_split_and_form_again_follow_from_what_is(
    steps: list[tuple[int, Any]],
) -> None:
    """Whatever there was on the way; and the id that any member could have given leads to one that
    there is."""
    matches, on_topic = told(), dict[str, Any]()
    standing: dict[str, RecordState] = {}
    for number, window in steps:
        one = TOWNS_BUYING[number]
        standing.pop(one["id"], None)
        if window is not None:
            standing[one["id"]] = changed(one, **window)
        matches.put(one["id"], standing.get(one["id"]))
        on_topic |= values(matches.changed()[1])
    fresh = values(told(*standing.values()).changed()[1])
    groupings = {key: one for key, one in on_topic.items() if one and "grouping" in one}
    assert groupings == {key: one for key, one in fresh.items() if one}
    rows = {key: one for key, one in on_topic.items() if one}
    for layer in BASE:
        inside = {it for one in groupings.values() if one["layer"] == layer
                  for it in records_of(one["grouping"])}  # fmt: skip
        for record in (one["id"] for one in TOWNS_BUYING):
            there = led_to(rows, grouping_id(layer, record))
            assert there in groupings if record in inside else there in {None, *groupings}


def led_to(rows: Any, identity: str) -> str | None:
    """Where a buyer comes who has the link."""
    try:
        return str(grouping_at(rows, identity, datetime(2026, 11, 20, tzinfo=UTC), BUYER)["id"])
    except MovedGroupingError as moved:
        return moved.identifier
    except UnknownGroupingError:
        return None


def changed(one: RecordState, **fields: Any) -> RecordState:
    known: Any = one
    content = {**known["content"]["content"], **fields}
    whole: Any = {**known, "content": {**known["content"], "content": content}}
    found: RecordState = whole
    return found


def test_nothing_leads_to_a_grouping_that_turned_out_to_be_of_one_purchase() -> None:
    """Two records of one opportunity stay together, and are written as no grouping."""
    one, two, copied, copy = (
        dae(subject, owner, **more)
        for more in ({}, {"cpv": ["30192700"], "title": "Fournitures scolaires"})
        for subject, owner in (("A" + str(more), "Gardanne"), ("B" + str(more), "Aix"))
    )
    matches = told(one, two, copied, copy)
    there: dict[str, Any] = {}
    none: dict[str, Any] = {}
    for key, value in values(matches.changed()[1]).items():
        records = {it["record"] for it in value["grouping"]["members"]}
        found = there if records == {one["id"], two["id"]} else none
        if value["layer"] == "public":
            found[key] = value
    (standing,), (empty,) = there, none

    def taken_over(written: dict[str, Any]) -> dict[str, Any]:
        octets = {key: orjson.dumps(value) for key, value in written.items()}
        found = matches.every_grouping(octets, lambda _: {copy["id"]: copied["id"]})
        assert len(found) == len({it.key for it in found})
        return {key: it for key, it in values(found).items() if key in written}

    def moved(key: str, to: str) -> dict[str, Any]:
        return {"id": key, "layer": "public", "moved_to": to}

    # It ends, and so does what led to it; what was said of more leads to what there is.
    members = [{"record": it["id"]} for it in (one, copied, copy)]
    more = {"id": "more", "layer": "public", "grouping": {"members": members}}
    assert taken_over({empty: none[empty], "to": moved("to", empty), "more": more}) == {
        empty: None, "to": None, "more": moved("more", standing),
    }  # fmt: skip
    # It led elsewhere already: that way stays.
    assert taken_over({empty: moved(empty, standing), "to": moved("to", empty)}) == {}


def word(said: str, by: str, one: RecordState, other: RecordState, day: int) -> Decision:
    """What an institution says of two records, always under the same subject."""
    return Decision(
        source=f"urn:siren:{by}:pages",
        subject="reponse",
        version=[0, f"2026-11-{day:02}T10:00:00.000000Z", "d"],
        word=said,
        records=[one["id"], other["id"]],
    )


def aid(subject: str, title: str = "Défibrillateurs : aide aux communes") -> RecordState:
    return state(
        subject, title, kind="call", subtype="call_for_projects", owner=METROPOLE, cpv=["33182100"]
    )


def test_what_a_side_dismisses_is_dismissed_between_whole_opportunities_for_the_sides_to_see() -> (
    None
):
    """Whichever of its records was meant, and whatever is published later; until it is taken
    back. What anybody else says changes nothing."""
    asked = state("N", "Défibrillateurs", cpv=["33182100"], owner="Gardanne", **WINDOW)
    first, copy = aid("P"), aid("P2")
    heads = {copy["id"]: first["id"]}
    matches = told(asked, first)

    def seen() -> list[tuple[str, str, list[str]]]:
        ends = ([asked["id"]], [first["id"], copy["id"]])
        links = [matches.links(end, lambda one: heads.get(one, one)) for end in ends]
        return [
            (link["id"], link["state"], [said["word"] for said in link.get("said", ())])
            for (link,) in links
        ]

    matches.decide(word("dismissed", TOWNS["Arles"][0], asked, first, 1))
    assert {state for _, state, _ in seen()} == {"proposed"}
    assert {said for *_, words in seen() for said in words} == set()
    by = TOWNS["Gardanne"][0]
    touched = matches.decide(word("dismissed", by, asked, first, 2))
    assert touched == {asked["id"], first["id"]}
    # A copy that comes later is of the same opportunity.
    assert matches.put(copy["id"], copy) >= {copy["id"], asked["id"]}
    dismissed = [
        (first["id"], "dismissed", ["dismissed"]),
        (asked["id"], "dismissed", ["dismissed"]),
    ]
    assert seen() == dismissed
    # What was dismissed is told anew when its other end changes.
    assert asked["id"] in matches.put(first["id"], aid("P", title="Défibrillateurs : une aide"))
    assert asked["id"] in matches.reached(first["id"])
    assert seen() == dismissed
    matches.decide(word("confirmed", by, asked, copy, 3))
    assert seen()[0] == (first["id"], "confirmed", ["confirmed"])
    matches.decide(word("withdrawn", by, asked, copy, 4))
    assert [(state, words) for _, state, words in seen()] == [("proposed", [])] * 2


def test_a_joint_purchase_that_a_side_dismisses_is_there_for_both_to_take_back() -> None:
    left, right = dae("A", "Gardanne"), dae("B", "Aix")
    matches = told(left, right)
    by = TOWNS["Aix"][0]
    assert matches.decide(word("dismissed", by, left, right, 1)) == {left["id"], right["id"]}
    for mine in (left, right):
        (link,) = matches.links([mine["id"]], itself)
        assert (link["type"], link["state"]) == ("joint", "dismissed")
        assert [said["word"] for said in link["said"]] == ["dismissed"]
    matches.decide(word("withdrawn", by, left, right, 2))
    (link,) = matches.links([left["id"]], itself)
    assert (link["state"], "said" in link) == ("proposed", False)


def test_a_joint_purchase_is_shown_as_long_as_both_records_are() -> None:
    known = Matches(base_model(), reader())
    window = {"window": {"from": "2027-02-01", "to": "2027-05-31"}}
    mine = state("N", "Défibrillateurs", cpv=["33182100"], **window, expires="2027-01-31")
    theirs = state("B", "Défibrillateurs", owner="Aix", cpv=["33182100"], **window)
    for one in (mine, theirs):
        known.put(one["id"], one)
    (link,) = known.links([theirs["id"]], str)
    assert link["until"] == "2027-01-31"
    (message,), _ = known.changed()
    said = orjson.loads(message.value or b"")
    assert (said["window"], said["until"]) == (["2027-02-01", "2027-05-31"], "2027-01-31")


def test_the_end_of_a_contract_is_told_from_a_need() -> None:
    ends = dae("B", "Aix", kind="call", subtype="contract", outcome="awarded",
               duration_months=24, end_max="2027-06-30")  # fmt: skip
    said = dae("A", "Gardanne")
    matches = told(said, ends)
    shown = {one["id"]: matches.links([one["id"]], itself) for one in (said, ends)}
    assert [link.get("renewal") for link in shown[said["id"]]] == [True]
    assert [link.get("renewal") for link in shown[ends["id"]]] == [None]


def test_of_two_that_tell_the_same_arrival_does_not_choose() -> None:
    """Two records of one opportunity, with the same score and another deadline each."""
    need = dae("N", "Gardanne")
    calls = [
        state(
            subject, "Défibrillateurs : aide aux communes", kind="call", owner=METROPOLE,
            subtype="call_for_projects", cpv=["33182100"],
            deadline={"until": f"2027-03-12T{hour}:00.000000Z", "precision": "minute"},
        )
        for subject, hour in (("a", "11:00"), ("b", "22:59"))
    ]  # fmt: skip
    heads = {one["id"]: calls[0]["id"] for one in calls} | {need["id"]: need["id"]}
    found = [
        told(*states).links([need["id"]], heads.__getitem__)
        for states in permutations((need, *calls))
    ]
    assert found[0]
    assert found == [found[0]] * 6


def test_a_theme_that_is_said_twice_counts_once() -> None:
    """A place that counted it twice would never be less crowded again."""
    one = dae("A", "Gardanne", themes=["sante", "sante", "voirie"])
    facts = reader().read(one)
    assert facts is not None
    assert facts.themes == ("sante", "voirie")


def test_a_document_keeps_places_for_each_audience_side_and_type() -> None:
    """More that each may read than are shown: none takes the place of another, and all together
    stay small enough to be written."""

    def link(number: int, audience: str, **more: Any) -> dict[str, Any]:
        return {
            "type": "answers", "role": "need", "id": f"{audience}{number:03}", "score": 0.9,
            "state": "proposed", "audience": audience, **more,
        }  # fmt: skip

    audiences = ("public", "members", "restricted:211300413", "restricted:211300017")
    links = [link(number, audience) for audience in audiences for number in range(12)]
    assert len(shown(links)) == 4 * MOST
    for other in ({"role": "offer"}, {"type": "joint"}, {"state": "dismissed"}):
        assert len(shown([*links[:12], *(one | other for one in links[:12])])) == 2 * MOST
    over = [link(number, "public", until="2027-01-31T11:00") for number in range(12)]
    late = [link(100 + number, "public", score=0.7) for number in range(12)]
    assert len(shown([*over, *late])) == 2 * MOST
    # What people confirmed is not cut, and takes no place from what is proposed.
    sure = [link(200 + number, "public", state="confirmed") for number in range(60)]
    assert len(shown([*sure, *links[:12]])) == 60 + MOST
    long = [one | {"audience": one["audience"] + "," * 20_000} for one in links[24:]]
    small = shown([*long, *links[:24]])
    assert {one["audience"] for one in small[: 2 * MOST]} == {"public", "members"}
    assert 2 * MOST < len(small) < 4 * MOST
    assert len(orjson.dumps(small)) <= MOST_OCTETS + len(small) + 2
