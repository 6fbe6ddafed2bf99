"""Who an institution is: its name and kind by SIREN.

Registered institutions come from the registry, live; territorial ones from the reference tables
too; others (chambers, federations, feeds) from a file of institutions, where the operator has one.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from traverse_schemas.errors import TraverseError
from traverse_schemas.records.codes import InstitutionKind
from traverse_schemas.reference.territories import Territories


class Institution(NamedTuple):
    """A known institution; `territory` is the typed code of its own territory, where it has one."""

    siren: str
    name: str
    kind: InstitutionKind
    territory: str | None = None


class Named(Protocol):
    """An institution as the registry has it."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> InstitutionKind: ...

    @property
    def territory(self) -> str | None: ...


Registered = Callable[[str], Named | None]
"""Finds a registered institution by SIREN."""


def _nobody(_: str) -> Named | None:
    return None


class InstitutionsFileError(TraverseError):
    """The file of institutions cannot be read."""


# The first two digits of a public body's SIREN tell its family (INSEE, répertoire Sirene:
# numbers 1 and 2 are reserved to public bodies; 21 communes, 22 départements, 23 régions,
# 24 and 20 intercommunal bodies, 11 and 12 central administrations, 18 chambers).
_FAMILIES: Mapping[str, InstitutionKind] = {
    "11": InstitutionKind.STATE,
    "12": InstitutionKind.STATE,
    "17": InstitutionKind.STATE,
    "18": InstitutionKind.CHAMBER,
    "20": InstitutionKind.EPCI,
    "21": InstitutionKind.COMMUNE,
    "22": InstitutionKind.DEPARTMENT,
    "23": InstitutionKind.REGION,
    "24": InstitutionKind.EPCI,
}


def kind_by_number(siren: str) -> InstitutionKind:
    """The likely kind, from the SIREN's family alone."""
    return _FAMILIES.get(siren[:2], InstitutionKind.OTHER)


class Institutions:
    """Finds an institution by SIREN."""

    def __init__(
        self,
        territories: Territories,
        others: Mapping[str, Institution],
        registered: Registered = _nobody,
    ) -> None:
        self._territories = territories
        self._others = others
        self._registered = registered

    @classmethod
    def load(
        cls, path: Path | None, territories: Territories, registered: Registered = _nobody
    ) -> "Institutions":
        """Read the file, a JSON list of {siren, name, kind, territory}; none is no error.

        Raises InstitutionsFileError when it is there and cannot be used.
        """
        if path is None or not path.is_file():
            return cls(territories, {}, registered)
        try:
            rows = json.loads(path.read_text(encoding="utf-8"))
            others = {
                row["siren"]: Institution(
                    row["siren"],
                    row["name"],
                    InstitutionKind(row["kind"]),
                    row.get("territory"),
                )
                for row in rows
            }
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InstitutionsFileError(
                f"Le fichier d'institutions {path} est illisible ({error}) : il doit être une "
                "liste JSON d'objets siren, name, kind."
            ) from error
        return cls(territories, others, registered)

    def find(self, siren: str) -> Institution | None:
        """The institution of this SIREN; None when nothing is known of it."""
        member = self._registered(siren)
        if member is not None:
            return Institution(siren, member.name, member.kind, member.territory)
        known = self._others.get(siren)
        if known is not None:
            return known
        found = self._territories.by_siren(siren)
        if found is None:
            return None
        return Institution(siren, found.name, InstitutionKind(found.kind), found.territory)
