"""The map beside the list, without a server: what is in view, what is drawn, where it leads."""

import re
from itertools import combinations
from math import hypot
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from traverse_schemas.reference.territories import Territories
from traverse_search_api.filters.territory_parts import frame_of, parts_of
from traverse_search_api.pages.territory_map.base import base_map
from traverse_search_api.pages.territory_map.view import MapView, map_view
from traverse_search_api.pages.territory_map.window import WIDTH, communes_in, window_of

TABLES = Territories.load()
METROPOLE = "epci:200054807"


def counted(codes: dict[str, int], name: str = "part") -> list[dict[str, Any]]:
    found = []
    for code, count in codes.items():
        chain = TABLES.chain(code)
        assert chain is not None
        found.append({"value": code, "label": chain.name, "count": count})
    return found


def drawn(
    parts: dict[str, int],
    asked: dict[str, list[str]] | None = None,
    *,
    departments: dict[str, int] | None = None,
    named: str = "",
) -> MapView:
    answer = {
        "facets": {"part": counted(parts), "territory": counted(departments or {})},
        "understood": [{"parameter": "territory", "value": named}] if named else [],
    }
    view = map_view(answer, asked or {}, TABLES)
    assert view is not None
    return view


@pytest.mark.parametrize(
    ("asked", "frame"),
    [
        ([], "fr"),
        (["fr"], "fr"),
        (["reg:93"], "reg:93"),
        (["dep:13"], "dep:13"),
        ([METROPOLE], METROPOLE),
        (["com:13005"], METROPOLE),
        (["cp:13400"], METROPOLE),
        (["com:13005", "com:13004"], "dep:13"),
        (["com:13005", "dep:06"], "reg:93"),
        (["dep:13", "dep:69"], "fr"),
        (["zone:inconnue"], "fr"),
        (["com:97411"], "epci:249740119"),
    ],
)
def test_in_view_is_the_smallest_territory_that_has_all(asked: list[str], frame: str) -> None:
    assert frame_of(asked, TABLES) == frame


def test_each_territory_is_counted_by_its_parts() -> None:
    assert parts_of("fr", TABLES)["include"] == "reg:.*"
    assert "dep:83" in parts_of("reg:93", TABLES)["include"]
    assert "com:13005" in parts_of(METROPOLE, TABLES)["include"]
    of = parts_of("dep:13", TABLES)
    assert re.fullmatch(of["include"], "com:13055") and not re.fullmatch(of["include"], "com:83001")
    # Marseille is counted, not its arrondissements besides; and no other commune goes with them.
    out = [row.insee for row in TABLES.communes() if re.fullmatch(of["exclude"], row.code)]
    assert out == []
    assert re.fullmatch(of["exclude"], "com:13201") and re.fullmatch(of["exclude"], "com:69389")


@pytest.mark.parametrize("frame", ["fr", "reg:93", "dep:13", "dep:75", METROPOLE, "reg:04"])
def test_a_window_has_all_of_its_territory(frame: str) -> None:
    window = window_of(frame, TABLES)
    assert 0.7 * WIDTH - 1 <= window.height <= 1.2 * WIDTH
    rows = [row for row in communes_in(frame, TABLES) if row.exact]
    assert rows
    inside = [window.shows(row.lat, row.lon) for row in rows]
    assert sum(inside) >= 0.99 * len(inside)
    x, y = window.at(rows[0].lat, rows[0].lon)
    east, north = window.at(rows[0].lat + 0.01, rows[0].lon + 0.01)
    assert east > x and north < y


@pytest.mark.parametrize(
    ("frame", "most"), [("fr", 65_000), ("reg:93", 20_000), ("dep:13", 20_000), ("reg:04", 2_000)]
)
def test_the_drawing_beneath_is_small_and_has_no_script_nor_style(frame: str, most: int) -> None:
    octets = base_map(frame, TABLES)
    assert len(octets) < most
    tags = {str(one.tag).partition("}")[2] for one in etree.fromstring(octets).iter()}
    assert tags == {"svg", "path"}
    assert b"style" not in octets


def test_a_circle_leads_to_the_list_of_its_territory_and_keeps_what_was_asked() -> None:
    view = drawn({"com:13055": 12, "com:13004": 1}, {"q": ["voirie"], "territory": ["dep:13"]})
    assert view.title == "Bouches-du-Rhône"
    assert view.base == "/carte/dep:13.svg"
    first, second = view.circles
    assert (first.label, second.label) == (
        "Marseille : 12\u00a0publications",
        "Arles : 1\u00a0publication",
    )
    assert dict(parse_qsl(urlsplit(first.address).query)) == {
        "q": "voirie",
        "territory": "com:13055",
    }
    assert first.radius > second.radius
    # Arles lies north-west of Marseille.
    assert second.x < first.x and second.y < first.y
    assert [step.label for step in view.trail] == ["France", "Provence-Alpes-Côte d'Azur"]
    assert view.trail[0].address == "/?q=voirie"
    # Towns to find one's way by; none that has a circle.
    names = [town.name for town in view.towns]
    assert "Aix-en-Provence" in names and "Marseille" not in names


def test_great_numbers_fit_their_circle_and_are_told_in_full() -> None:
    view = drawn({"reg:93": 98_765, "reg:11": 1_240, "reg:76": 999})
    assert [one.count for one in view.circles] == ["99\u202fk", "1,2\u202fk", "999"]
    assert view.circles[0].label.endswith("98\u202f765\u00a0publications")


def test_what_all_lies_in_one_region_is_shown_there() -> None:
    view = drawn({"reg:93": 5}, departments={"dep:13": 4, "dep:83": 1, "dep:30": 1})
    assert view.title == "Provence-Alpes-Côte d'Azur"
    assert [one.name for one in view.circles] == ["Bouches-du-Rhône", "Var"]
    assert view.trail == []


def test_a_place_named_in_the_words_is_in_view() -> None:
    assert drawn({"com:13004": 2}, {"q": ["voirie Arles"]}, named="com:13004").base.startswith(
        "/carte/epci:"
    )


def test_what_is_overseas_or_has_no_room_is_listed() -> None:
    view = drawn({"reg:93": 5, "reg:04": 3, "reg:11": 2})
    assert [one.name for one in view.circles] == ["Provence-Alpes-Côte d'Azur", "Île-de-France"]
    assert [(one.label, one.count) for one in view.rest] == [("La Réunion", "3")]
    many = {row.code: 3 for row in communes_in("dep:13", TABLES)[:50]}
    view = drawn(many, {"territory": ["dep:13"]})
    assert (len(view.circles), len(view.rest)) == (24, 26)
    assert view.rest_title == "Autres communes"


def test_nothing_counted_is_no_map() -> None:
    answer: dict[str, Any] = {"facets": {"part": []}, "understood": []}
    assert map_view(answer, {}, TABLES) is None
    assert map_view({"facets": {}, "understood": []}, {}, TABLES) is None


@settings(max_examples=25, deadline=None)
@given(
    frame=st.sampled_from(["reg:93", "dep:62", "dep:13", "dep:974", METROPOLE]),
    counts=st.lists(st.integers(1, 100_000), min_size=1, max_size=40),
)
def test_no_circle_hides_another_and_no_name_leaves_the_map(frame: str, counts: list[int]) -> None:
    """However many communes share a point, whatever is counted there."""
    codes = [row.code for row in communes_in(frame, TABLES)]
    parts = dict(zip(codes, sorted(counts, reverse=True), strict=False))
    view = drawn(parts, {"territory": [frame]})
    for one, other in combinations(view.circles, 2):
        assert hypot(one.x - other.x, one.y - other.y) > one.radius + other.radius
    for one in view.circles:
        assert one.radius >= 15
        assert one.radius - 0.1 <= one.x <= WIDTH - one.radius + 0.1
        assert one.radius - 0.1 <= one.y <= view.height - one.radius + 0.1
        assert 0 <= one.name_at.x <= WIDTH and 0 <= one.name_at.y <= view.height
    for town in view.towns:
        for one in view.circles:
            assert hypot(town.x - one.x, town.y - one.y) > one.radius
