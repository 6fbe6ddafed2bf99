"""Lots: a firm finds a call by that part of it which is its trade."""

from typing import Any

import pytest

from tests.stream_processors.linking.test_arrival import relayed, with_content, written
from tests.stream_processors.linking.test_outlook import later
from tests.stream_processors.matching.factory import call, need, state
from tests.stream_processors.matching.test_crowded import assert_answers, crowd
from traverse_stream_processors.matching.answers import Answer, answer, reason_for_offer
from traverse_stream_processors.matching.facts import Facts
from traverse_stream_processors.matching.matcher import Matcher

WORKS: dict[str, Any] = {"cpv": ["45212222"], "owner": "Gardanne"}
LOTS: list[dict[str, Any]] = [
    {"number": "1", "title": "Lot 1 - Gros œuvre et maçonnerie", "cpv": ["45223220"]},
    {"number": "LOT-0002", "title": "LOT n°2 : Plomberie, chauffage", "cpv": ["45330000"]},
    {"number": "3", "title": "Mobilier de vestiaire"},
]


def gymnasium(lots: list[dict[str, Any]] = LOTS, **fields: Any) -> Facts:
    return call("G", "Construction d'un gymnase", lots=lots, **{**WORKS, **fields})


def firm(title: str, **fields: Any) -> Facts:
    return need("F", title, subtype="business", owner="Aix", **fields)


def found(asked: Facts, offered: Facts) -> Answer:
    result = answer(asked, offered)
    assert result is not None
    return result


PLUMBER = "Plombier chauffagiste : chercher des chantiers"


@pytest.mark.parametrize("lots", [LOTS, [{**one, "cpv": []} for one in LOTS]])
def test_a_firm_finds_a_call_by_the_lot_that_is_its_trade(lots: list[dict[str, Any]]) -> None:
    """By the words of the lot, with or without a code; the reason names it to both."""
    asked, offered = firm(PLUMBER), gymnasium(lots)
    assert answer(asked, gymnasium([])) is None
    result = found(asked, offered)
    assert result.reason.startswith("lot 2 : plomberie, chauffage (")
    assert "ouvert aux entreprises, jusqu'au 12 mars 2027" in result.reason
    told_back = reason_for_offer(asked, offered, result.reason)
    assert told_back.startswith("lot 2 : plomberie, chauffage (")
    assert "lieu du besoin : Aix-en-Provence" in told_back
    matcher = Matcher()
    for one in (asked, offered):
        matcher.put(one.id, one)
    assert list(matcher.chosen(asked.id)) == [offered.id]


def test_a_lot_of_another_theme_than_its_call_is_found() -> None:
    asked = firm("Fabricant de mobilier de vestiaire", cpv=["39130000"])
    offered = gymnasium([{"number": "3", "title": "Vestiaires", "cpv": ["39130000"]}])
    matcher = Matcher()
    for one in (asked, offered):
        matcher.put(one.id, one)
    assert matcher.chosen(asked.id)[offered.id].reason.startswith("lot 3 : vestiaires (")


def test_the_whole_call_is_named_where_no_lot_is_nearer() -> None:
    asked = firm("Entreprise de construction de gymnases", cpv=["45212222"])
    assert found(asked, gymnasium()).reason.startswith("même objet (")


def test_a_lot_that_ended_or_closes_first_counts_so() -> None:
    ended = [LOTS[0], {**LOTS[1], "outcome": "dropped"}, LOTS[2]]
    assert answer(firm(PLUMBER), gymnasium(ended)) is None
    closing = [{**LOTS[1], "deadline": {"at": "2027-01-15T12:00"}}]
    result = found(firm(PLUMBER), gymnasium(closing))
    assert result.until == "2027-01-15T11:00"
    assert result.reason.endswith("jusqu'au 15 janvier 2027")
    assert answer(firm(PLUMBER, first_time="2027-02-01T00:00Z"), gymnasium(closing)) is None


def test_a_lot_that_the_owner_ended_is_not_found_by_way_of_a_relay() -> None:
    asked = state("F", PLUMBER, subtype="business", owner="Aix")
    whole: dict[str, Any] = {"kind": "call", "subtype": "contract", "references": ["2026-GYM-77"],
                             "url": "https://exemple.fr/g"}  # fmt: skip
    own = state("G", "Construction d'un gymnase", lots=LOTS, **whole, **WORKS)
    for outcome, links in (({}, 1), ({"outcome": "dropped"}, 0)):
        told = with_content(own, lots=[LOTS[0], {**LOTS[1], **outcome}, LOTS[2]])
        documents, *_ = written((asked, later(told), relayed(own)))
        assert len(documents) == 3
        assert len(documents[asked["id"]]["document"]["links"]) == links


@pytest.mark.parametrize("codes", [True, False])
def test_a_lot_is_found_in_a_crowd_of_calls(codes: bool) -> None:
    """Of other things of its theme, whatever came first; among more lots than a record has codes
    for."""
    others = ["45223220", "45262522", "45421000", "45442100", "45261210", "45310000", "45432100"]
    lots: list[dict[str, Any]] = [
        {"number": str(at), "title": f"Partie {at}", "cpv": [code]}
        for at, code in enumerate(others, start=1)
    ]
    lots.append({"number": "8", "title": "Plomberie, chauffage", "cpv": ["45330000"] * codes})
    asked, offered = firm(PLUMBER), gymnasium(lots)
    full = [one for code in others for one in crowd(code, 6)]
    assert_answers(full, asked, offered)


def test_an_institution_that_is_to_buy_is_told_of_whole_calls() -> None:
    asked = need("N", "Plomberie et chauffage de l'école", owner="Gardanne", cpv=["45330000"])
    result = answer(asked, gymnasium())
    assert result is None or not result.reason.startswith("lot")


def test_forty_lots_are_read() -> None:
    many = [{"number": str(at), "title": "Gros œuvre"} for at in range(1, 60)]
    for at, known in ((39, True), (40, False)):
        lots = [*many[:at], {"number": "P", "title": "Plomberie"}, *many[at:]]
        result = answer(firm(PLUMBER), gymnasium(lots))
        assert (result is not None) is known
