"""The matcher: the same answers, pairs and groupings whatever came first, and no leak."""

from functools import lru_cache
from itertools import combinations
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stream_processors.matching.factory import (
    DEPARTMENT,
    METROPOLE,
    REGION,
    TOWNS,
    call,
    need,
)
from traverse_stream_processors.matching.answers import answer
from traverse_stream_processors.matching.bonds import LARGEST
from traverse_stream_processors.matching.facts import Facts
from traverse_stream_processors.matching.groupings import Standing, grouping_of
from traverse_stream_processors.matching.groups import Key
from traverse_stream_processors.matching.joint import Together, together
from traverse_stream_processors.matching.lasting import MOST
from traverse_stream_processors.matching.matcher import Matcher

DAE: dict[str, Any] = {"cpv": ["33182100"]}
THINGS = (
    ("Défibrillateurs des écoles", "33182100"),
    ("Fournitures scolaires", "30192700"),
    ("Réfection de la voirie", "45233140"),
)


@lru_cache(maxsize=1)
def world() -> tuple[Facts, ...]:
    """Needs of three things by eight towns for all audiences, and what may answer them."""
    audiences = (
        {"visibility": "public"}, {"visibility": "buyers"}, {"visibility": "members"},
        {"visibility": "restricted", "audience": ["211300553"]},
    )  # fmt: skip
    found = []
    for number, town in enumerate(TOWNS):
        for thing, (title, code) in enumerate(THINGS):
            audience: dict[str, Any] = audiences[(number * 3 + thing) % 4 if number % 2 else 0]
            when = f"2026-11-{1 + (number * 7 + thing * 5) % 28:02}T09:00:00.000000Z"
            found.append(
                need(f"N{thing}", title, owner=town, cpv=[code], first_time=when,
                     amount=1000.0 * (number * 3 + thing), **audience)
            )  # fmt: skip
            if thing < 2 and number % 2:
                # A contract for the same that ends; and one that ended long ago.
                found.append(
                    call(f"E{thing}", title, owner=town, cpv=[code], outcome="awarded",
                         duration_months=24, end_max=("2027-04-30", "2019-06-30")[number % 4 // 2],
                         amount=90_000.0, first_time="2018-01-01T00:00Z", **audience)
                )  # fmt: skip
    for thing, (title, code) in enumerate(THINGS):
        for owner in (METROPOLE, DEPARTMENT, REGION):
            found.append(call(f"C{thing}", title, owner=owner, cpv=[code]))
            found.append(
                call(f"A{thing}", f"{title} : aide aux communes", owner=owner,
                     subtype="call_for_projects", cpv=[code])
            )  # fmt: skip
    for trade in ("voirie et chaussées", "fournitures scolaires"):
        found.append(need(trade, f"Entreprise de {trade}", subtype="business", owner="Aix"))
    return tuple(found)


@lru_cache(maxsize=1)
def by_several_ways() -> tuple[Facts, ...]:
    """Without a code, and by lots: in a crowd these go down under several codes."""
    found = []
    for thing, (title, _) in enumerate(THINGS):
        found += [need(f"U{thing}", f"{title} : besoin", owner=town) for town in ("Apt", "Aix")]
        found.append(
            call(f"S{thing}", f"{title} : soutien", owner=REGION, subtype="call_for_projects")
        )
    lots = [code for _, code in THINGS]
    found.append(call("L", "Voirie, fournitures et défibrillateurs", owner="Aix", cpv=lots))
    return tuple(found)


def told(matcher: Matcher) -> dict[str, Any]:
    """All that a matcher knows, to be compared."""
    return {
        "answers": sorted(matcher.every_answer()),
        "bonds": sorted(matcher.every_bond()),
        "groupings": sorted((key, str(matcher.grouping(key))) for key in matcher.every_grouping()),
    }


def fed(facts: Any, crowded: int = 40, largest: int = LARGEST) -> Matcher:
    matcher = Matcher("m", crowded, largest)
    for one in facts:
        matcher.put(one.id, one)
    return matcher


def members(matcher: Matcher, layer: str) -> list[set[str]]:
    """The ids of the members of each grouping of a layer."""
    found = (matcher.grouping(key) for key in matcher.every_grouping() if key.layer == layer)
    return [{one["record"] for one in grouping["members"]} for grouping in found if grouping]


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from([2, 5, 40]), st.sampled_from([3, 64]))
def test_the_order_of_arrival_does_not_matter(random: Any, crowded: int, largest: int) -> None:
    whole = [*world(), *by_several_ways()]
    random.shuffle(whole)
    kept = set(random.sample(range(len(whole)), k=len(whole) * 2 // 3))
    matcher = fed(whole, crowded, largest)
    for number, one in enumerate(whole):
        if number not in kept:
            matcher.put(one.id, None)
    final = [one for number, one in enumerate(whole) if number in kept]
    assert told(matcher) == told(fed(sorted(final), crowded, largest))


def test_what_is_met_is_all_that_would_be_found_by_comparing_everything() -> None:
    matcher = fed(world())
    pairs = [(a, b) for a in world() for b in world() if a.id != b.id]
    bonds = sorted((a.id, b.id, it) for a, b in pairs if a.id < b.id and (it := together(a, b)))
    assert sorted(matcher.every_bond()) == bonds
    expected = {
        (a.id, b.id)
        for a, b in pairs
        if a.asks and (b.offers or (a.seeks and b.asks)) and answer(a, b)
    }
    assert {(need, offer) for need, offer, _ in matcher.every_answer()} == expected


def test_putting_twice_is_putting_once() -> None:
    matcher = fed(world())
    matcher.changed()
    for one in world():
        assert matcher.put(one.id, one) == set()
    assert matcher.changed() == (set(), set(), {})


def test_what_has_no_theme_comes_and_goes_beside_others() -> None:
    whole = [
        call(f"C{number}", "Divers", owner="Aix")._replace(topics=(), themes=())
        for number in range(3)
    ]
    matcher = fed(whole)
    for one in whole:
        matcher.put(one.id, None)
    assert len(matcher) == 0


def test_a_grouping_grows_and_shrinks_and_keeps_its_id() -> None:
    first = need("A", "Défibrillateurs", owner="Gardanne", first_time="2026-01-01T00:00Z", **DAE)
    second = need("B", "Défibrillateurs", owner="Aix", first_time="2026-02-01T00:00Z", **DAE)
    third = need("C", "Défibrillateurs", owner="Marseille", first_time="2026-03-01T00:00Z", **DAE)
    matcher = fed([third, second])
    assert members(matcher, "public") == [{second.id, third.id}]
    matcher.put(first.id, first)
    (key,) = [key for key in matcher.every_grouping() if key.layer == "public"]
    assert key == Key("public", first.id)
    grouping = matcher.grouping(key)
    assert grouping is not None
    assert grouping["owners"] == 3
    matcher.put(third.id, None)
    again = matcher.grouping(key)
    assert again is not None
    assert again["id"] == grouping["id"]
    assert again["owners"] == 2
    matcher.put(second.id, None)
    assert not list(matcher.every_grouping())


def test_the_score_of_a_grouping_is_that_of_its_pairs_in_any_order() -> None:
    """Scores whose sum, added one by one, rounds to 0.806 or 0.807."""
    towns = [need(town, "Défibrillateurs", owner=town, **DAE) for town in list(TOWNS)[:4]]
    pairs = list(combinations(sorted(one.id for one in towns), 2))
    scores = (0.942, 0.717, 0.791, 0.91, 0.671, 0.808)
    for order in (scores, scores[::-1], (0.91, 0.808, 0.671, 0.942, 0.717, 0.791)):
        bonds = {pair: Together(it, "", "", "") for pair, it in zip(pairs, order, strict=True)}
        grouping = grouping_of(Key("public", towns[0].id), towns, bonds, Standing({}, []), "m")
        assert grouping is not None
        assert grouping["score"] == 0.807


def test_a_grouping_says_sum_threshold_coordinator_and_lots() -> None:
    towns = [
        need(town, "Défibrillateurs", owner=town, amount=30_000.0, **DAE)
        for town in ("Gardanne", "Aix")
    ]
    epci = need("M", "Défibrillateurs", owner=METROPOLE, amount=20_000.0, **DAE)
    matcher = fed([*towns, epci])
    (key,) = [key for key in matcher.every_grouping() if key.layer == "public"]
    grouping = matcher.grouping(key)
    assert grouping is not None
    assert grouping["total"] == 80_000
    assert grouping["threshold"]["amount"] == 60_000
    assert grouping["threshold"]["source"] == "CCP, art. R.2122-8"
    assert grouping["coordinator"]["siren"] == METROPOLE[0]
    assert "L.5211-4-4" in grouping["coordinator"]["reason"]
    assert len(grouping["lots"]) == 3
    assert grouping["window"] == {"from": "2027-02-01", "to": "2027-05-31"}
    assert "epci:200054807" in grouping["within"]


def test_a_grouping_of_several_things_has_a_lot_for_each() -> None:
    """With who needs it, its code and what it is worth together."""
    stationery = [
        need(f"{town}{code}", "Fournitures de bureau et papeterie", owner=town, amount=amount,
             cpv=[code])
        for town, code, amount in (
            ("Gardanne", "30192000", 10_000.0), ("Aix", "30192000", 20_000.0),
            ("Marseille", "30197000", 5_000.0),
        )
    ]  # fmt: skip
    matcher = fed(stationery)
    (key,) = [key for key in matcher.every_grouping() if key.layer == "public"]
    grouping = matcher.grouping(key)
    assert grouping is not None
    assert [(lot["cpv"], lot["amount"], len(lot["members"])) for lot in grouping["lots"]] == [
        ("30192000", 30_000, 2), ("30197000", 5_000, 1),
    ]  # fmt: skip


def test_what_few_may_read_changes_nothing_that_others_see() -> None:
    """Neither who is in a grouping, nor any of its sums or scores, nor a proposed answer: however
    many there are that one may not read, and however much better."""
    restricted = [
        call(f"R{number}", "Réfection de la voirie : aide aux communes", owner=METROPOLE,
             subtype="call_for_projects", cpv=["45233140"], **kept)
        for kept in ({"visibility": "restricted", "audience": ["211300017"]},
                     {"visibility": "buyers"}, {"visibility": "members"})
        for number in range(MOST + 2)
    ]  # fmt: skip
    whole = [*world(), *(one._replace(id=f"{one.id}{one.audience}") for one in restricted)]
    everything = fed(whole)
    audience = {one.id: one.audience for one in whole}
    for layer, allowed in (
        ("public", ("public",)),
        ("members", ("public", "members")),
        ("buyers", ("public", "members", "buyers")),
    ):
        seen = [one for one in whole if one.audience in allowed]
        alone = fed(seen)
        assert groupings(everything, layer) == groupings(alone, layer)
        for one in seen:
            shown = [
                found
                for found in everything.chosen(one.id).items()
                if audience[found[0]] in allowed
            ]
            assert sorted(shown) == sorted(alone.chosen(one.id).items())


def groupings(matcher: Matcher, layer: str) -> list[str]:
    """All that the groupings of a layer say."""
    return sorted(str(matcher.grouping(key)) for key in matcher.every_grouping() if key[0] == layer)


def test_calls_that_are_over_take_no_place_from_what_is_open() -> None:
    """Ten that nobody closed, better by place, and one of the région that is open still."""
    asked = need("N", "Défibrillateurs", owner="Gardanne", **DAE)
    aid: dict[str, Any] = {"subtype": "call_for_projects", **DAE}
    past = {"until": "2026-12-12T11:00:00Z", "precision": "minute"}
    over = [
        call(f"C{number}", "Défibrillateurs : aide aux communes", owner=METROPOLE, deadline=past,
             **aid)
        for number in range(MOST)
    ]  # fmt: skip
    still = call("R", "Défibrillateurs : aide aux communes", owner=REGION, **aid)
    matcher = fed([asked, *over, still])
    scores = {one: found.score for one, found in matcher.chosen(asked.id).items()}
    assert scores.keys() == {*(one.id for one in over), still.id}
    assert scores[still.id] == min(scores.values()) < max(scores.values())


def test_every_grouping_has_two_owners_whom_its_readers_may_read() -> None:
    matcher = fed(world())
    audience = {one.id: one.audience for one in world()}
    layers = {key.layer for key in matcher.every_grouping()}
    assert {"public", "members", "buyers"} < layers
    for key in matcher.every_grouping():
        grouping = matcher.grouping(key)
        assert grouping is not None
        assert grouping["owners"] >= 2
        assert grouping["reason"]
        read = {audience[one["record"]] for one in grouping["members"]}
        allowed = {"public", key.layer} | ({"members"} if key.layer == "buyers" else set())
        assert read <= allowed


def test_a_crowd_is_taken_apart_by_territory_and_not_by_arrival() -> None:
    """More neighbours than a grouping can hold: those of one EPCI stay together, and every record
    is where it would be had it come first."""
    towns = list(TOWNS)
    crowd = [
        need(f"N{number}", "Défibrillateurs", owner=(f"{900000000 + number}", place, "other"),
             place=[place], first_time=f"2026-{1 + number % 12:02}-01T00:00Z", **DAE)
        for number in range(14)
        for place in [f"com:{TOWNS[towns[number % 3]][1]}"]
    ]  # fmt: skip
    near = [need(f"V{n}", "Défibrillateurs", owner=town, **DAE) for n, town in enumerate(towns)]
    whole = [*crowd, *near]
    expected = told(fed(sorted(whole), crowded=40, largest=9))
    assert told(fed(sorted(whole, reverse=True), crowded=40, largest=9)) == expected
    matcher = fed(whole, crowded=40, largest=9)
    for one in crowd[:8]:
        matcher.put(one.id, None)
    assert told(matcher) == told(fed([*crowd[8:], *near], crowded=40, largest=9))


def test_both_sides_are_told_which_answers_changed() -> None:
    asked = need("N", "Entreprise de réfection de voirie", subtype="business", owner="Aix")
    offered = call("C", "Réfection de la voirie", owner="Gardanne", cpv=["45233140"])
    matcher = fed([asked])
    assert matcher.put(offered.id, offered) == {asked.id, offered.id}
    assert matcher.changed()[0] == {(asked.id, offered.id)}
    assert [one for one, _ in matcher.answered_by(offered.id)] == [asked.id]
    assert matcher.put(offered.id, None) == {asked.id, offered.id}
    assert matcher.changed()[0] == {(asked.id, offered.id)}
