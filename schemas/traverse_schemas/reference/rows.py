"""What the tables of territories hold, one immutable row each."""

from typing import Literal, NamedTuple

Kind = Literal["commune", "epci", "department", "region"]


class Commune(NamedTuple):
    """A present commune. `siren` is None for the overseas collectivities that are not in the table.

    `epci` is the SIREN of its EPCI with own tax, `ept` that of its établissement public
    territorial (Grand Paris only). `lat` and `lon` are degrees (WGS 84); when `exact` is false
    they are the mean of its EPCI or département, good enough for a distance in tens of km.
    """

    insee: str
    name: str
    department: str
    region: str
    epci: str | None
    ept: str | None
    siren: str | None
    postal_codes: tuple[str, ...]
    population: int
    lat: float
    lon: float
    exact: bool

    @property
    def code(self) -> str:
        """Its territory code: `com:13055`."""
        return f"com:{self.insee}"


class FormerCode(NamedTuple):
    """A code that leads to a present commune: an arrondissement municipal, or a former commune.

    `name` is "" where the source gives only the code. An arrondissement has its own coordinates
    (degrees, WGS 84), a former commune those of the present one.
    """

    insee: str
    name: str
    kind: Literal["district", "former"]
    present: str
    postal_codes: tuple[str, ...]
    population: int
    lat: float
    lon: float


class Epci(NamedTuple):
    """An EPCI with own tax, or an établissement public territorial of the Grand Paris.

    `type`: CC, CA, CU, METRO, MET69 (Lyon, which is a collectivity of its own) or EPT. `members`
    are INSEE codes; `departments` and `regions` those of its members, the most peopled first.
    """

    siren: str
    name: str
    type: str
    members: tuple[str, ...]
    population: int
    lat: float
    lon: float
    departments: tuple[str, ...]
    regions: tuple[str, ...]

    @property
    def code(self) -> str:
        """Its territory code: `epci:200054807`."""
        return f"epci:{self.siren}"


class Department(NamedTuple):
    """A département or, overseas, a collectivity. `siren` is None where no source gave it."""

    number: str
    name: str
    region: str
    siren: str | None
    population: int
    lat: float
    lon: float

    @property
    def code(self) -> str:
        """Its territory code: `dep:13`."""
        return f"dep:{self.number}"


class Region(NamedTuple):
    """A région or, overseas, a collectivity. `siren` is None where no source gave it."""

    number: str
    name: str
    siren: str | None
    population: int
    lat: float
    lon: float

    @property
    def code(self) -> str:
        """Its territory code: `reg:93`."""
        return f"reg:{self.number}"


class Institution(NamedTuple):
    """A public body known by its SIREN, and the territory that it governs (a typed code)."""

    siren: str
    name: str
    kind: Kind
    territory: str


class TerritoryLevel(NamedTuple):
    """One step of a chain. `level`: com, cp, epci, dep, reg or fr; `code` is a typed code."""

    code: str
    level: str
    name: str


class TerritoryChain(NamedTuple):
    """A territory and all that lies above it.

    `levels` begins with the territory itself and ends with France: commune, EPT, EPCI,
    départements, régions. What lies across several départements or régions has them all, the most
    peopled first; of several communes (a postal code), it has the EPCI that they share.
    """

    code: str
    name: str
    lat: float
    lon: float
    levels: tuple[TerritoryLevel, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """The typed codes of all levels, from the territory itself to `fr`."""
        return tuple(level.code for level in self.levels)

    def first(self, level: str) -> TerritoryLevel | None:
        """The first step of that level (`"com"`, `"epci"`, `"dep"`, `"reg"`), or None."""
        return next((step for step in self.levels if step.level == level), None)
