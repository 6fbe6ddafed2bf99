"""Named zones that the operator loads: a CCI's perimeter, a QPV, an employment zone.

A zone is a list of communes. The file is JSON:

    {"cci-aix-marseille-provence": {"name": "CCI Aix-Marseille-Provence", "communes": ["13001", …]}}
"""

import json
import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

from traverse_schemas.reference.rows import TerritoryChain, TerritoryLevel
from traverse_schemas.reference.tables import read
from traverse_schemas.reference.territories import Territories
from traverse_search_api.errors import SearchError

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?", re.ASCII)
_MOST_COMMUNES: Final = 10_000  # Elasticsearch takes 65,536 terms


class ZonesError(SearchError):
    """The file of zones cannot be used; the sentence says why."""


class Zone(NamedTuple):
    """A zone's words and its communes, as typed codes."""

    name: str
    communes: tuple[str, ...]


class Atlas(Territories):
    """The territories of France, and the operator's zones."""

    def __init__(self, tables: dict[str, Any], zones: dict[str, Zone]) -> None:
        super().__init__(tables)
        self._zones = zones
        self._holding: dict[str, set[str]] = {}
        for name, zone in zones.items():
            for commune in zone.communes:
                self._holding.setdefault(commune, set()).add(f"zone:{name}")

    def chain(self, code: str) -> TerritoryChain | None:
        """As the tables have it; a zone lies in France."""
        zone = self.zone(code)
        if zone is None:
            return super().chain(code)
        rows = [row for one in zone.communes if (row := self.commune(one[4:]))]
        middle = (
            sum(row.lat for row in rows) / len(rows),
            sum(row.lon for row in rows) / len(rows),
        )
        levels = (TerritoryLevel(code, "zone", zone.name), TerritoryLevel("fr", "fr", "France"))
        return TerritoryChain(code, zone.name, *middle, levels)

    def zone(self, code: str) -> Zone | None:
        """The zone of a typed code (`zone:NAME`), or None."""
        return self._zones.get(code.removeprefix("zone:")) if code.startswith("zone:") else None

    def holding(self, communes: Iterable[str]) -> tuple[str, ...]:
        """The zones that hold all of these present communes, all as typed codes; of none, none."""
        held = [self._holding.get(commune, set()) for commune in communes]
        return tuple(sorted(set.intersection(*held))) if held else ()

    def inside(self, code: str) -> tuple[str, ...]:
        """The zones that lie wholly in a territory (typed code): all of their communes do."""
        return self._inside.get(code, ())

    @cached_property
    def _inside(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for name, zone in self._zones.items():
            chains = (self.chain(commune) for commune in zone.communes)
            around = [set(chain.codes) for chain in chains if chain]
            areas = [*set.intersection(*around), *self.holding(zone.communes)]
            for code in areas:
                if code != f"zone:{name}":
                    found.setdefault(code, []).append(f"zone:{name}")
        return {code: tuple(sorted(names)) for code, names in found.items()}


def load_territories(path: Path | None) -> Territories:
    """The tables, with the zones of the file where there is one. Raises ZonesError."""
    if path is None:
        return Territories.load()
    atlas = Atlas(read("territories.json.gz"), {})
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ZonesError(
            f"Le fichier de zones {path} est illisible ({error}) : vérifiez TRAVERSE_ZONES."
        ) from error
    if not isinstance(content, dict):
        raise ZonesError(f"Le fichier de zones {path} doit être un objet JSON, un nom par zone.")
    return Atlas(
        read("territories.json.gz"),
        {name: _zone(path, name, value, atlas) for name, value in content.items()},
    )


def _zone(path: Path, name: str, value: Any, territories: Territories) -> Zone:
    where = f"Dans le fichier de zones {path}, la zone « {name[:64]} »"
    if _NAME.fullmatch(name) is None:
        raise ZonesError(f"{where} doit s’appeler de minuscules, chiffres, points et tirets.")
    codes = value.get("communes") if isinstance(value, dict) else None
    if not isinstance(codes, list) or not 0 < len(codes) <= _MOST_COMMUNES:
        raise ZonesError(
            f"{where} doit avoir une liste « communes » de 1 à {_MOST_COMMUNES} codes."
        )
    communes = []
    for code in codes:
        present = territories.resolve(str(code))
        if present is None:
            raise ZonesError(f"{where} nomme la commune {str(code)[:20]}, qui n’existe pas.")
        communes.append(f"com:{present}")
    return Zone(str(value.get("name") or name), tuple(dict.fromkeys(communes)))
