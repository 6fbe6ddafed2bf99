"""Where communes are: GeoNames places matched by name within the région, with checks.

GeoNames has places, not communes, and tells the région only, so a name may stand for several. A
name with one commune and one place is believed first; these give each EPCI and département its
middle, which then decides between namesakes and throws out matches that are too far away.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from math import cos, hypot, radians
from statistics import median
from typing import Any

Point = tuple[float, float]
"""Latitude and longitude, in degrees (WGS 84)."""

Row = dict[str, Any]

DEGREE = 10_000
_KM = 111.2  # kilometres in a degree of latitude
_NEAR_EPCI = 35.0  # kilometres: few EPCI reach further from their middle
_NEAR_DEPARTMENT = 110.0

_OVERSEAS = {
    "GP": "971", "MQ": "972", "GF": "973", "RE": "974", "PM": "975", "YT": "976", "BL": "977",
    "MF": "978", "WF": "986", "PF": "987", "NC": "988",
}  # fmt: skip
# Not in GeoNames' list of inhabited places: no one lives there all year.
_UNINHABITED = {
    "98411": (-38.28, 77.54),
    "98412": (-49.35, 69.35),
    "98413": (-46.41, 51.76),
    "98414": (-66.66, 140.0),
    "98415": (-17.05, 42.72),
    "98901": (10.3, -109.22),
}


def locate(rows: list[Row], epci_of: dict[str, str], cities: Row) -> dict[str, tuple[Point, bool]]:
    """INSEE code of each present commune -> its point, and whether the point is its own.

    A commune without one takes the mean of its former communes', else its EPCI's, its
    département's.
    """
    present = [row for row in rows if row["type"] == "commune-actuelle"]
    area = {row["code"]: _area(row) for row in present}
    places = _places(cities)
    names: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in present:
        names[area[row["code"]], fold(row["nom"])].append(row["code"])
    certain = {
        codes[0]: places[key][0]
        for key, codes in names.items()
        if len(codes) == 1 and len(places.get(key, ())) == 1
    }
    by_department: dict[str, list[str]] = defaultdict(list)
    by_epci: dict[str, list[str]] = defaultdict(list)
    for row in present:
        by_department[row["departement"]].append(row["code"])
        by_epci[epci_of.get(row["code"], "")].append(row["code"])
    by_epci.pop("", None)
    middle_department = _middles(by_department, certain)
    middle_epci = _middles(by_epci, certain, 3)

    def best(code: str, department: str, candidates: list[Point]) -> Point | None:
        epci = middle_epci.get(epci_of.get(code, ""))
        middle = epci or middle_department.get(department)
        if middle is None:
            return candidates[0] if len(candidates) == 1 else None
        limit = _NEAR_EPCI if epci else _NEAR_DEPARTMENT
        near = [point for point in candidates if distance(point, middle) <= limit]
        return min(near, key=lambda point: distance(point, middle), default=None)

    found = _match(present, area, places, best)
    points: dict[str, tuple[Point, bool]] = {code: (point, True) for code, point in found.items()}
    points |= {code: (point, True) for code, point in _UNINHABITED.items()}
    parts: dict[str, list[Point]] = defaultdict(list)
    for row in rows:
        seat = row.get("chefLieu")
        if seat and seat not in points:
            part = best(seat, row["departement"], places.get((area[seat], fold(row["nom"])), []))
            if part is not None:
                parts[seat].append(part)
    points |= {code: (mean(several), True) for code, several in parts.items()}
    for row in present:
        if row["code"] not in points and row["departement"] in ("977", "978"):
            # Saint-Barthélemy and Saint-Martin: one commune, whose places have other names.
            here = {
                point for key in places if key[0] == row["departement"] for point in places[key]
            }
            points[row["code"]] = (mean(sorted(here)), True)
    _complete(points, found, (by_epci, by_department))
    missing = [row["code"] for row in present if row["code"] not in points]
    if missing:
        raise SystemExit(f"Communes sans coordonnées : {missing[:10]}")
    return points


def _match(
    present: list[Row],
    area: dict[str, str],
    places: dict[tuple[str, str], list[Point]],
    best: Callable[[str, str, list[Point]], Point | None],
) -> dict[str, Point]:
    found: dict[str, Point] = {}
    owners: dict[tuple[str, Point], list[str]] = defaultdict(list)
    for row in present:
        candidates = places.get((area[row["code"]], fold(row["nom"])), [])
        point = best(row["code"], row["departement"], candidates)
        if point is not None:
            owners[fold(row["nom"]), point].append(row["code"])
    for (_, point), codes in owners.items():
        # Two namesakes cannot be the same place; which one it is, nothing tells.
        if len(codes) == 1:
            found[codes[0]] = point
    return found


def _complete(
    points: dict[str, tuple[Point, bool]],
    found: dict[str, Point],
    groupings: tuple[dict[str, list[str]], ...],
) -> None:
    for groups in groupings:
        for members in groups.values():
            known = [found[member] for member in members if member in found]
            for member in members:
                if known and member not in points:
                    points[member] = (mean(known), False)


def locate_districts(cities: Row) -> dict[str, Point]:
    """INSEE code of each arrondissement of Paris, Lyon and Marseille -> its point.

    GeoNames names them by the town and two digits: « Marseille 01 », « Paris 15 Vaugirard ».
    """
    found: dict[str, Point] = {}
    for city in cities.values():
        named = _DISTRICT(city["name"]) if city["countrycode"] == "FR" else None
        if named:
            code = str(_FIRST_DISTRICT[named[1]] + int(named[2]) - 1)
            found.setdefault(code, (city["latitude"], city["longitude"]))
    return found


_DISTRICT = re.compile(r"(Paris|Lyon|Marseille) ([0-9]{2})\b").match
_FIRST_DISTRICT = {"Paris": 75101, "Lyon": 69381, "Marseille": 13201}


def mean(points: Iterable[Point]) -> Point:
    """The mean of some points, in degrees; at least one."""
    several = list(points)
    return (
        sum(lat for lat, _ in several) / len(several),
        sum(lon for _, lon in several) / len(several),
    )


def distance(one: Point, other: Point) -> float:
    """Kilometres between two points, on a plane that touches the earth between them."""
    east = (one[1] - other[1]) * cos(radians((one[0] + other[0]) / 2))
    return _KM * hypot(one[0] - other[0], east)


def fold(name: str) -> str:
    """A name without case, accents, punctuation and abbreviation of Saint."""
    plain = unicodedata.normalize("NFD", name.lower().replace("œ", "oe").replace("æ", "ae"))
    words = re.sub(r"[^a-z0-9]+", " ", "".join(c for c in plain if not unicodedata.combining(c)))
    words = re.sub(r"\bst\b", "saint", re.sub(r"\bste\b", "sainte", words))
    return words.strip()


def _area(row: Row) -> str:
    return row["departement"] if row["zone"] != "metro" else f"R{row['region']}"


def _places(cities: Row) -> dict[tuple[str, str], list[Point]]:
    places: dict[tuple[str, str], list[Point]] = defaultdict(list)
    for city in cities.values():
        country = city["countrycode"]
        area = f"R{city['admin1code']}" if country == "FR" else _OVERSEAS.get(country)
        if area:
            point = (city["latitude"], city["longitude"])
            for name in sorted({fold(city["name"])} | {fold(n) for n in city["alternatenames"]}):
                if name:
                    places[area, name].append(point)
    return places


def _middles(
    groups: dict[str, list[str]], points: dict[str, Point], least: int = 1
) -> dict[str, Point]:
    middles = {}
    for code, members in groups.items():
        known = [points[member] for member in members if member in points]
        if len(known) >= least:
            middles[code] = (median(lat for lat, _ in known), median(lon for _, lon in known))
    return middles
