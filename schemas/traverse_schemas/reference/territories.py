"""The territories of France: communes, EPCI, départements, régions, and what lies in what.

Source: INSEE's Code officiel géographique and the DGCL's list of EPCI, as the npm package
@etalab/decoupage-administratif has them; coordinates from GeoNames (see `data/README.md`).
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from traverse_schemas.reference.chains import build_chain
from traverse_schemas.reference.names import name_variants
from traverse_schemas.reference.rows import (
    Commune,
    Department,
    Epci,
    FormerCode,
    Institution,
    Region,
    TerritoryChain,
)
from traverse_schemas.reference.tables import Columns, read

_DEGREE = 10_000
_CHAINS_KEPT = 50_000  # more than there are communes: a chain is built once


class Territories:
    """The tables, immutable once loaded. Rows are made when first asked for, and kept."""

    def __init__(self, tables: dict[str, Any]) -> None:
        """From the content of `territories.json.gz`; `load` is the way to get one."""
        self._columns: Columns = tables["communes"]
        self._positions = {code: n for n, code in enumerate(self._columns["insee"])}
        former: Columns = tables["former"]
        self._former = former
        self._former_positions = {code: n for n, code in enumerate(former["insee"])}
        self._communes: dict[str, Commune] = {}
        self._departments = {row.number: row for row in _departments(tables["departments"])}
        self._regions = {row.number: row for row in _regions(tables["regions"])}
        self._epci_columns: Columns = tables["epci"]
        self._epci_positions = {code: n for n, code in enumerate(self._epci_columns["siren"])}
        self._epci: dict[str, Epci] = {}
        self._by_siren: dict[str, str] = {}
        self._by_postal: dict[str, tuple[str, ...]] = {}
        self._districts: dict[str, str] = {}
        self._by_name: dict[str, dict[str, str]] = {}
        self._in_department: dict[str, list[int]] = {}
        self._chains: dict[str, TerritoryChain | None] = {}

    @staticmethod
    def load() -> "Territories":
        """The tables of this distribution, read once a process. Raises BrokenReferenceError."""
        return _load()

    def resolve(self, insee: str) -> str | None:
        """The INSEE code of the present commune for any commune's code, else None.

        An arrondissement of Paris, Lyon or Marseille gives the whole town (13201 -> 13055), a
        former, delegated or associated commune the one that it belongs to, an old code the new
        one (20004 -> 2A004).
        """
        if insee in self._positions:
            return insee
        position = self._former_positions.get(insee)
        return None if position is None else self._former["present"][position]

    def commune(self, insee: str) -> Commune | None:
        """The present commune of a code (see `resolve`), or None."""
        row = self._communes.get(insee)
        if row is None:
            present = self.resolve(insee)
            if present is None:
                return None
            row = self._communes.get(present) or self._make_commune(present)
            self._communes[insee] = self._communes[present] = row
        return row

    def former(self, insee: str) -> FormerCode | None:
        """The arrondissement municipal or former commune of this code, or None."""
        position = self._former_positions.get(insee)
        if position is None:
            return None
        of = self._former
        return FormerCode(
            insee=insee,
            name=of["name"][position],
            kind=of["kind"][position],
            present=of["present"][position],
            postal_codes=tuple(of["postal"][position].split()),
            population=of["population"][position],
            lat=of["lat"][position] / _DEGREE,
            lon=of["lon"][position] / _DEGREE,
        )

    def communes(self) -> tuple[Commune, ...]:
        """All present communes, in the order of their codes. Slow (0.1 s) the first time."""
        return tuple(row for code in self._positions if (row := self.commune(code)))

    def former_names(self) -> Iterator[tuple[str, Commune]]:
        """The names of communes that have merged, where the source gives them, each with the
        commune that it belongs to today."""
        of = self._former
        for name, kind, present in zip(of["name"], of["kind"], of["present"], strict=True):
            row = self.commune(present)
            if name and kind == "former" and row is not None:
                yield name, row

    def communes_of_postal(self, postal_code: str) -> tuple[Commune, ...]:
        """The communes that a postal code serves, the most peopled first; () when unknown."""
        if not self._by_postal:
            self._index_postal()
        codes = self._by_postal.get(postal_code, ())
        return tuple(row for code in codes if (row := self.commune(code)))

    def district_of_postal(self, postal_code: str) -> FormerCode | None:
        """The arrondissement municipal that a postal code serves (13001 -> 13201), or None."""
        if not self._by_postal:
            self._index_postal()
        insee = self._districts.get(postal_code)
        return None if insee is None else self.former(insee)

    def epci(self, siren: str) -> Epci | None:
        """The EPCI with own tax, or établissement public territorial, of this SIREN, or None."""
        row = self._epci.get(siren)
        if row is None and siren in self._epci_positions:
            row = self._epci[siren] = self._make_epci(siren)
        return row

    def department(self, code: str) -> Department | None:
        """The département (or overseas collectivity) of this code: "13", "2A", "974"; or None."""
        return self._departments.get(code)

    def region(self, code: str) -> Region | None:
        """The région (or overseas collectivity) of this INSEE code: "93", "04"; or None."""
        return self._regions.get(code)

    def departments(self) -> tuple[Department, ...]:
        """All départements, and overseas collectivities."""
        return tuple(self._departments.values())

    def regions(self) -> tuple[Region, ...]:
        """All régions, and overseas collectivities."""
        return tuple(self._regions.values())

    def by_siren(self, siren: str) -> Institution | None:
        """The commune, EPCI, département or région that has this SIREN, or None."""
        if not self._by_siren:
            self._index_sirens()
        code = self._by_siren.get(siren)
        if code is None:
            return None
        level, _, value = code.partition(":")
        if level == "com" and (commune := self.commune(value)):
            return Institution(siren, commune.name, "commune", code)
        if level == "epci" and (epci := self.epci(value)):
            return Institution(siren, epci.name, "epci", code)
        if level == "dep":
            return Institution(siren, self._departments[value].name, "department", code)
        return Institution(siren, self._regions[value].name, "region", code)

    def chain(self, code: str) -> TerritoryChain | None:
        """A territory with all levels above it (see `TerritoryChain`), from its typed code.

        `cp:` gives the communes it serves; a former commune's code gives the present one's chain,
        an arrondissement's its own step first. None when the tables do not know the code, and for
        `zone:`, which an operator loads.
        """
        try:
            return self._chains[code]
        except KeyError:
            pass
        if len(self._chains) >= _CHAINS_KEPT:
            self._chains.clear()
        chain = self._chains[code] = build_chain(self, code)
        return chain

    def knows(self, code: str) -> bool:
        """Whether a typed code has a chain; none is built."""
        level, _, value = code.partition(":")
        match level:
            case "com":
                return self.resolve(value) is not None
            case "cp":
                return bool(self.communes_of_postal(value))
            case "epci":
                return value in self._epci_positions
            case "dep":
                return value in self._departments
            case "reg":
                return value in self._regions
            case _:
                return code == "fr"

    def find_commune(self, name: str, department: str) -> Commune | None:
        """The commune of this name in a département, or None when there is none.

        Case, accents, hyphens, "St" for "Saint", a missing article, CEDEX and arrondissement
        numbers do not matter. Names of present communes win over those of former ones, which give
        the commune that they belong to.
        """
        names = self._by_name.get(department)
        if names is None:
            if department not in self._departments:
                return None
            names = self._by_name[department] = self._index_names(department)
        for form in name_variants(name):
            if (insee := names.get(form)) is not None:
                return self.commune(insee)
        return None

    def _make_commune(self, insee: str) -> Commune:
        at, of = self._positions[insee], self._columns
        return Commune(
            insee=insee,
            name=of["name"][at],
            department=of["department"][at],
            region=of["region"][at],
            epci=of["epci"][at] or None,
            ept=of["ept"][at] or None,
            siren=of["siren"][at] or None,
            postal_codes=tuple(of["postal"][at].split()),
            population=of["population"][at],
            lat=of["lat"][at] / _DEGREE,
            lon=of["lon"][at] / _DEGREE,
            exact=bool(of["exact"][at]),
        )

    def _make_epci(self, siren: str) -> Epci:
        at, of = self._epci_positions[siren], self._epci_columns
        members = tuple(of["members"][at].split())
        rows = [row for code in members if (row := self.commune(code))]
        return Epci(
            siren=siren,
            name=of["name"][at],
            type=of["type"][at],
            members=members,
            population=of["population"][at],
            lat=of["lat"][at] / _DEGREE,
            lon=of["lon"][at] / _DEGREE,
            departments=_by_population((row.department, row.population) for row in rows),
            regions=_by_population((row.region, row.population) for row in rows),
        )

    def _index_sirens(self) -> None:
        index = {f"{row.siren}": row.code for row in self._regions.values() if row.siren}
        index |= {f"{row.siren}": row.code for row in self._departments.values() if row.siren}
        index |= {siren: f"epci:{siren}" for siren in self._epci_positions}
        columns = zip(self._columns["siren"], self._columns["insee"], strict=True)
        index |= {siren: f"com:{insee}" for siren, insee in columns if siren}
        self._by_siren = index

    def _index_postal(self) -> None:
        columns = self._columns
        index: dict[str, list[tuple[int, str]]] = {}
        rows = zip(columns["postal"], columns["population"], columns["insee"], strict=True)
        for postal, population, insee in rows:
            for code in postal.split():
                index.setdefault(code, []).append((-population, insee))
        of = self._former
        for kind, postal, insee in zip(of["kind"], of["postal"], of["insee"], strict=True):
            if kind == "district":
                self._districts |= dict.fromkeys(postal.split(), insee)
        self._by_postal = {
            code: tuple(insee for _, insee in sorted(found)) for code, found in index.items()
        }

    def _index_names(self, department: str) -> dict[str, str]:
        if not self._in_department:
            for position, code in enumerate(self._columns["department"]):
                self._in_department.setdefault(code, []).append(position)
        insee, names = self._columns["insee"], self._columns["name"]
        present = [(names[at], insee[at]) for at in self._in_department.get(department, ())]
        former = [
            (name, commune)
            for name, commune in zip(self._former["name"], self._former["present"], strict=True)
            if name and commune in self._positions and self._department_of(commune) == department
        ]
        index: dict[str, str] = {}
        # First whole names, then shorter forms: "Le Mans" is "mans" only if nobody else is.
        for pairs in (present, former):
            variants = [(name_variants(name), code) for name, code in pairs]
            for rank in range(3):
                for forms, code in variants:
                    if rank < len(forms):
                        index.setdefault(forms[rank], code)
        return index

    def _department_of(self, insee: str) -> str:
        department: str = self._columns["department"][self._positions[insee]]
        return department


def _by_population(pairs: Iterable[tuple[str, int]]) -> tuple[str, ...]:
    """Codes by falling population of what they are paired with, then by code: no repeats."""
    totals: dict[str, int] = {}
    for code, population in pairs:
        totals[code] = totals.get(code, 0) + population
    return tuple(sorted(totals, key=lambda code: (-totals[code], code)))


@lru_cache(maxsize=1)
def _load() -> Territories:
    return Territories(read("territories.json.gz"))


def _departments(of: Columns) -> list[Department]:
    return [
        Department(code, name, region, siren or None, population, lat / _DEGREE, lon / _DEGREE)
        for code, name, region, siren, population, lat, lon in zip(
            of["code"],
            of["name"],
            of["region"],
            of["siren"],
            of["population"],
            of["lat"],
            of["lon"],
            strict=True,
        )
    ]


def _regions(of: Columns) -> list[Region]:
    return [
        Region(code, name, siren or None, population, lat / _DEGREE, lon / _DEGREE)
        for code, name, siren, population, lat, lon in zip(
            of["code"],
            of["name"],
            of["siren"],
            of["population"],
            of["lat"],
            of["lon"],
            strict=True,
        )
    ]
