"""Keys: whatever territory and roles let be something to another meets, in a place that is not
crowded. This is the contract of `keys` with `territory`, `answers` and `joint`."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

import pytest

from tests.stream_processors.matching.factory import call, facts, need, state
from traverse_schemas.reference.territories import Territories
from traverse_stream_processors.matching.answers import answer
from traverse_stream_processors.matching.facts import Facts
from traverse_stream_processors.matching.joint import bond, partners
from traverse_stream_processors.matching.keys import MOST_PLACES, answer_stands, joint_stands
from traverse_stream_processors.matching.meetings import Stand
from traverse_stream_processors.matching.roles import Seeks

METROPOLE = "epci:200054807"  # 92 communes in three départements
PLACES = (
    ("com:13041",), ("com:13055",), ("com:13201",), ("com:13202",), ("cp:13120",), ("cp:13001",),
    ("cp:84120",),  # several communes of two EPCI
    ("com:84089",),  # of the métropole, in another département
    ("com:84089", "zone:sud"), ("com:13041", "zone:sud"), ("zone:sud",),
    ("com:75101",), ("cp:75001",), ("com:97302",),
    (METROPOLE,), ("dep:13",), ("dep:84",), ("dep:13", "dep:84"), ("reg:93",), ("fr",),
)  # fmt: skip
THING: dict[str, Any] = {"cpv": ["45233140"]}
LIFTS: dict[str, Any] = {"cpv": ["50750000"]}
TITLE = "Réfection de la voirie"


def town(number: int, *places: str, **fields: Any) -> dict[str, Any]:
    return {
        "owner": (f"{210000000 + number}", places[0], "commune"),
        "place": list(places), **THING, **fields,
    }  # fmt: skip


def many(department: str, most: int = MOST_PLACES + 20) -> list[str]:
    """More communes of a département than are kept apart."""
    communes = Territories.load().communes()
    return [one.code for one in communes if one.code.startswith(f"com:{department}")][:most]


def corners(stands: Iterable[Stand], *, asks: bool) -> set[tuple[str, str]]:
    return {
        corner
        for stand in stands
        if stand.asks is asks
        for corner in product(stand.places, stand.topics)
    }


def meet(asking: Iterable[Stand], found: Iterable[Stand]) -> bool:
    """Whether a place and a topic are common to one that asks and one that is found."""
    return not corners(asking, asks=True).isdisjoint(corners(found, asks=False))


def meet_as_purchases(left: tuple[Stand, ...], right: tuple[Stand, ...]) -> bool:
    """The same, whichever asks; and two that ask meet too."""
    asking = corners(left, asks=True) & corners(right, asks=True)
    return bool(asking) or meet(left, right) or meet(right, left)


def needs() -> Iterator[Facts]:
    """Of an institution, and of a firm for each thing that it may look for."""
    firms = {
        Seeks.ORDERS: "Voirie : trouver des marchés publics",
        Seeks.PARTNER: "Voirie : cotraitant pour un chantier",
        Seeks.PREMISES: "Voirie : locaux à louer",
        Seeks.STAFF: "Voirie : recruter des saisonniers",
        Seeks.AID: "Voirie : subvention pour un engin",
        Seeks.OTHER: "Voirie : reprise d'une affaire",
    }
    assert set(firms) == set(Seeks)
    for number, places in enumerate(PLACES):
        yield need(f"N{number}", TITLE, **town(number, *places))
        for seeks, title in firms.items():
            found = need(f"F{number}{seeks}", title, subtype="business", **town(number, *places))
            assert found.seeks is seeks
            yield found


def offers() -> Iterator[Facts]:
    subtypes = (
        "contract", "concession", "sourcing", "call_for_projects", "expression_of_interest",
    )  # fmt: skip
    for number, places in enumerate(PLACES):
        for subtype in subtypes:
            yield call(f"C{number}", TITLE, subtype=subtype, **town(number, *places))
        members = {"coordinator": "210000001", "members": ["210000003"]}
        yield call(f"J{number}", TITLE, joint=members, **town(300 + number, *places))
        wider = town(number, *places) | {"owner": ("200054807", METROPOLE, "epci")}
        yield call(f"W{number}", TITLE, eligible_area=["com:13041", "dep:84"], **wider)
        for subtype in ("project", "shared_resources"):
            fields = town(100 + number, *places, kind="project", subtype=subtype)
            yield facts(state(f"P{number}{subtype}", TITLE, **fields))
    for number, area in enumerate((many("13"), [*many("13"), *many("84"), "zone:sud", "cp:13001"])):
        own = town(200 + number, "reg:93", eligible_area=area, subtype="call_for_projects")
        yield call(f"M{number}", TITLE, **own)
        yield call(f"L{number}", TITLE, **town(210 + number, *area))


def test_whatever_answers_a_need_meets_it() -> None:
    asked = [(one, answer_stands(one)) for one in needs()]
    offered = [(one, answer_stands(one)) for one in offers()]
    firms = [(one, stands) for one, stands in asked if one.seeks is not None]
    answering: Counter[tuple[str | None, str]] = Counter()
    for mine, stands in asked:
        for theirs, there in (*offered, *(firms if mine.seeks else ())):
            if mine.id != theirs.id and answer(mine, theirs) is not None:
                answering[mine.seeks, theirs.subtype] += 1
                found = (mine.title, mine.place, theirs.subtype, theirs.place, theirs.covers)
                assert meet(stands, there), found
    assert {seeks for seeks, _ in answering} == {None, *Seeks}
    assert {subtype for _, subtype in answering} == {
        "contract", "concession", "sourcing", "call_for_projects", "expression_of_interest",
        "project", "shared_resources", "business",
    }  # fmt: skip
    assert answering.total() > 5_000


def test_a_need_in_many_places_meets_what_lies_there() -> None:
    wide = need("N", TITLE, **town(1, *many("13")))
    for subtype in ("call_for_projects", "expression_of_interest"):
        offered = call("C", TITLE, subtype=subtype, **town(2, "com:13001"))
        assert answer(wide, offered)
        assert meet(answer_stands(wide), answer_stands(offered))


def test_no_record_stands_at_more_than_some_hundred_places() -> None:
    """A call may name a thousand territories, and so may a need or a purchase."""
    everywhere = [one.code for one in Territories.load().communes()][::40][:990]
    area = {"eligible_area": everywhere}
    aid = call("C", TITLE, subtype="call_for_projects", **town(1, "fr", **area))
    wide = need("N", TITLE, **town(1, *everywhere))
    for stands in (answer_stands(aid), answer_stands(wide), joint_stands(wide)):
        assert stands
        for stand in stands:
            assert len(stand.places) <= 3 * MOST_PLACES
    for here in (everywhere[0], everywhere[500]):
        asked = need("F", TITLE, **town(2, here))
        assert answer(asked, aid)
        assert meet(answer_stands(asked), answer_stands(aid))


def test_purchases_that_go_together_meet() -> None:
    """Two for more than one place that share an EPCI and no département, too."""
    wide = [("com:84089", "zone:sud"), ("com:13041", "zone:sud"), (METROPOLE, "zone:sud")]
    places = [*PLACES, *wide, tuple(many("13")), tuple(many("84"))]
    bought = [need(f"N{number}", TITLE, **town(number, *one)) for number, one in enumerate(places)]
    ends = [
        facts(state(
            f"E{number}", "Maintenance des ascenseurs", kind="call", subtype="contract",
            outcome="awarded", duration_months=48, end_max="2027-06-30",
            **town(100 + number, *one) | LIFTS,
        ))
        for number, one in enumerate(places)
    ]  # fmt: skip
    again = [
        need(f"A{number}", "Maintenance des ascenseurs", **town(number, *one) | LIFTS)
        for number, one in enumerate(places)
    ]
    together = 0
    for left, right in (*product(bought, bought), *product(again, (*again, *ends))):
        if left.id < right.id and any(partners(left, (right,))) and bond(left, right, "proposed"):
            together += 1
            met = meet_as_purchases(joint_stands(left), joint_stands(right))
            assert met, (left.place, right.place)
    assert together > 200


@pytest.mark.parametrize("level", ["dep", "reg"])
def test_every_commune_lies_in_a_department_and_a_region(level: str) -> None:
    territories = Territories.load()
    for commune in territories.communes()[::7]:
        chain = territories.chain(commune.code)
        assert chain is not None
        assert chain.first(level), commune.code
