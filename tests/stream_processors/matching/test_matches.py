"""Matches: what documents show of others, and what is written on the topics."""

from typing import Any

import orjson

from tests.stream_processors.matching.factory import METROPOLE, state
from traverse_schemas.record_state import RecordState
from traverse_stream_processors.likeness.model import base_model
from traverse_stream_processors.matching.matches import Matches, MatchMessage

WINDOW = {"window": {"from": "2027-02-01", "to": "2027-05-31"}}


def dae(subject: str, owner: Any, **fields: Any) -> RecordState:
    return state(subject, "Défibrillateurs", owner=owner, cpv=["33182100"], **WINDOW, **fields)


def told(*states: RecordState) -> Matches:
    matches = Matches(base_model())
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
    assert "ouvert aux collectivités" in for_need["reason"]


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


def test_who_takes_over_writes_everything_and_ends_what_is_no_more() -> None:
    matches = told(dae("A", "Gardanne"), dae("B", "Aix"))
    written = {"gone": orjson.dumps({"id": "gone", "layer": "public", "moved_to": "there"})}
    written["over"] = orjson.dumps(
        {"id": "over", "layer": "public", "grouping": {"members": [{"record": "x"}]}}
    )
    links, groupings = matches.everything(["x y joint", "left right"], written)
    assert values(links)["x y joint"] is None
    assert "left right" not in values(links)
    assert values(groupings)["over"] is None
    assert "gone" not in values(groupings)
    assert len(links) == 2
    assert len(groupings) == 4
