"""The French words for codes, as people see them; a code without words stands for itself."""

from typing import Final

from traverse_schemas.documents.status import STATUS_LABELS, Status
from traverse_schemas.records.codes import INSTITUTION_KIND_LABELS, SUBTYPE_LABELS, InstitutionKind
from traverse_schemas.reference import cpv
from traverse_schemas.reference.territories import Territories
from traverse_schemas.reference.themes import THEMES

_KINDS: Final = {"project": "Projet", "call": "Appel ou marché", "need": "Besoin"}
_SUBTYPES: Final[dict[str, str]] = {str(code): label for code, label in SUBTYPE_LABELS.items()}
RUNNING_CONTRACT: Final = "Contrat en cours"


def kind_label(kind: str) -> str:
    """`"call"` -> « Appel ou marché »."""
    return _KINDS.get(kind, kind)


def subtype_label(subtype: str) -> str:
    """`"contract"` -> « Marché public »."""
    return _SUBTYPES.get(subtype, subtype)


def shown_kind(subtype: str, status: Status) -> str:
    """The kind on screen (`docs/domain.md`): a contract that runs is a « Contrat en cours »."""
    return RUNNING_CONTRACT if status is Status.RUNNING else subtype_label(subtype)


def status_label(status: str) -> str:
    """`"closing_soon"` -> « Clôture imminente »."""
    return STATUS_LABELS[Status(status)]


def theme_label(slug: str) -> str:
    """`"eau"` -> « Eau et assainissement »."""
    return THEMES.get(slug, slug)


def institution_kind_label(kind: str) -> str:
    """`"epci"` -> « Intercommunalité »."""
    try:
        return INSTITUTION_KIND_LABELS[InstitutionKind(kind)]
    except ValueError:
        return kind


def cpv_label(code: str) -> str:
    """`"45000000"` -> « Travaux de construction »."""
    return cpv.cpv_label(code) or code


def territory_label(code: str, territories: Territories) -> str:
    """`"dep:13"` -> « Bouches-du-Rhône »."""
    chain = territories.chain(code)
    return chain.name if chain else code
