"""Builds the chain of a territory: itself, then every level above it, up to France."""

from typing import Protocol

from traverse_schemas.reference.rows import (
    Commune,
    Department,
    Epci,
    FormerCode,
    Region,
    TerritoryChain,
    TerritoryLevel,
)

FRANCE = TerritoryLevel("fr", "fr", "France")
_MIDDLE = (46.54, 2.43)  # IGN's geographic centre of mainland France (Vesdun, Cher), degrees


class Tables(Protocol):
    """What a chain is built from."""

    def commune(self, insee: str) -> Commune | None: ...
    def former(self, insee: str) -> FormerCode | None: ...
    def communes_of_postal(self, postal_code: str) -> tuple[Commune, ...]: ...
    def district_of_postal(self, postal_code: str) -> FormerCode | None: ...
    def epci(self, siren: str) -> Epci | None: ...
    def department(self, code: str) -> Department | None: ...
    def region(self, code: str) -> Region | None: ...


def build_chain(tables: Tables, code: str) -> TerritoryChain | None:
    """The chain of a typed code, or None when the tables do not know it."""
    level, _, value = code.partition(":")
    match level:
        case "com":
            return _of_commune(tables, value)
        case "cp":
            return _of_postal(tables, value)
        case "epci":
            epci = tables.epci(value)
            if epci is None:
                return None
            above = _above(tables, epci.departments, epci.regions)
            step = TerritoryLevel(epci.code, "epci", epci.name)
            if epci.type == "EPT" and (first := tables.commune(epci.members[0])):
                above = _groups(tables, first.epci) + above
            return TerritoryChain(epci.code, epci.name, epci.lat, epci.lon, (step, *above))
        case "dep":
            department = tables.department(value)
            if department is None:
                return None
            steps = _above(tables, (department.number,), (department.region,))
            return TerritoryChain(code, department.name, department.lat, department.lon, steps)
        case "reg":
            region = tables.region(value)
            if region is None:
                return None
            steps = _above(tables, (), (region.number,))
            return TerritoryChain(code, region.name, region.lat, region.lon, steps)
        case "fr" if code == "fr":
            return TerritoryChain("fr", FRANCE.name, *_MIDDLE, (FRANCE,))
        case _:
            return None


def _of_commune(tables: Tables, insee: str) -> TerritoryChain | None:
    commune = tables.commune(insee)
    if commune is None:
        return None
    steps = _steps(tables, commune)
    if insee != commune.insee:
        former = tables.former(insee)
        if former is not None and former.kind == "district":
            district = TerritoryLevel(f"com:{insee}", "com", former.name)
            return TerritoryChain(
                district.code, district.name, former.lat, former.lon, (district, *steps)
            )
    return TerritoryChain(commune.code, commune.name, commune.lat, commune.lon, steps)


def _of_postal(tables: Tables, postal_code: str) -> TerritoryChain | None:
    communes = tables.communes_of_postal(postal_code)
    if not communes:
        return None
    name = f"{postal_code} {communes[0].name}"
    own = TerritoryLevel(f"cp:{postal_code}", "cp", name)
    district = tables.district_of_postal(postal_code)
    if district is not None:
        step = TerritoryLevel(f"com:{district.insee}", "com", district.name)
        steps = (own, step, *_steps(tables, communes[0]))
        return TerritoryChain(own.code, name, district.lat, district.lon, steps)
    if len(communes) == 1:
        steps = _steps(tables, communes[0])
    else:
        shared = {(row.ept, row.epci) for row in communes}
        groups = _groups(tables, *shared.pop()) if len(shared) == 1 else ()
        departments = tuple(dict.fromkeys(row.department for row in communes))
        regions = tuple(dict.fromkeys(row.region for row in communes))
        steps = groups + _above(tables, departments, regions)
    lat = sum(row.lat for row in communes) / len(communes)
    lon = sum(row.lon for row in communes) / len(communes)
    return TerritoryChain(own.code, name, round(lat, 4), round(lon, 4), (own, *steps))


def _steps(tables: Tables, commune: Commune) -> tuple[TerritoryLevel, ...]:
    return (
        TerritoryLevel(commune.code, "com", commune.name),
        *_groups(tables, commune.ept, commune.epci),
        *_above(tables, (commune.department,), (commune.region,)),
    )


def _groups(tables: Tables, *sirens: str | None) -> tuple[TerritoryLevel, ...]:
    found = [tables.epci(siren) for siren in sirens if siren]
    return tuple(TerritoryLevel(row.code, "epci", row.name) for row in found if row)


def _above(
    tables: Tables, departments: tuple[str, ...], regions: tuple[str, ...]
) -> tuple[TerritoryLevel, ...]:
    below = [row for number in departments if (row := tables.department(number))]
    over = [region for number in regions if (region := tables.region(number))]
    return (
        *(TerritoryLevel(row.code, "dep", row.name) for row in below),
        *(TerritoryLevel(row.code, "reg", row.name) for row in over),
        FRANCE,
    )
