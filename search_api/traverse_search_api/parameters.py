"""What a search may ask for, as the HTTP query says it (contract: `GET /v1/opportunities`)."""

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from traverse_schemas.documents.status import Status
from traverse_schemas.records.codes import (
    CallSubtype,
    InstitutionKind,
    Kind,
    NeedSubtype,
    ProjectSubtype,
)
from traverse_schemas.reference.themes import THEMES
from traverse_search_api.moments import read_moment


class Sort(StrEnum):
    """Orders of the answer; each ends with the id, so that it is total."""

    RELEVANCE = "relevance"
    PUBLISHED = "published"
    DEADLINE = "deadline"
    AMOUNT = "amount"
    DISTANCE = "distance"


class Facet(StrEnum):
    """What the answer counts."""

    KIND = "kind"
    SUBTYPE = "subtype"
    STATUS = "status"
    THEME = "theme"
    INSTITUTION_KIND = "institution_kind"
    TERRITORY = "territory"
    CPV = "cpv"
    PART = "part"


USUAL_FACETS: Final = tuple(facet for facet in Facet if facet is not Facet.PART)
"""What is counted when nothing else is said: `part` is for who draws a map."""


MOST_WORDS: Final = 100
"""Words of a text at most: a long sentence, pasted."""


class Near(BaseModel):
    """A point, in degrees (WGS 84)."""

    model_config = ConfigDict(frozen=True)

    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]


def _split(value: object) -> object:
    """Several values come by repetition, by commas, or both; empty ones are passed over."""
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, Iterable):
        return value
    parts = [part.strip() for text in value for part in str(text).split(",")]
    return tuple(dict.fromkeys(part for part in parts if part))


def composed(value: object) -> object:
    """Letters with their accents as one character (NFC), as records have them: what a Mac copies
    may hold the two apart, and each accent would end a word."""
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value


def _split_texts(value: object) -> object:
    """Several values by repetition only: a text may hold commas."""
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, Iterable):
        return value
    texts = (str(composed(one)).strip() for one in value)
    return tuple(dict.fromkeys(filter(None, texts)))


def _split_numbers(value: object) -> object:
    """Like `_split`, but the name of an institution may hold commas."""
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, Iterable):
        return value
    found: list[str] = []
    for text in value:
        typed = str(composed(text)).strip()
        compact = _compact(typed)
        numbers = compact.replace(",", "").isdigit()
        found += [part for part in compact.split(",") if part] if numbers else [typed]
    return tuple(dict.fromkeys(text for text in found if text))


def _compact(number: str) -> str:
    """A SIREN or SIRET as people write it (`211.300.553`, `211 300 553`) in one piece."""
    return "".join(char for char in number if not char.isspace() and char not in ".-")


def _theme(slug: str) -> str:
    if slug not in THEMES:
        raise PydanticCustomError(
            "theme",
            "« {value} » n’est pas un thème : choisissez parmi {themes}",
            {"value": slug[:40], "themes": ", ".join(THEMES)},
        )
    return slug


def _cpv(code: str) -> str:
    """`45`, `452`, `45200000` or `45200000-9` -> 8 digits."""
    digits = code.partition("-")[0].strip()
    if not (digits.isascii() and digits.isdigit() and 2 <= len(digits) <= 8):
        raise PydanticCustomError(
            "cpv",
            "« {value} » n’est pas un code CPV : donnez de 2 à 8 chiffres (45, 45233140)",
            {"value": code[:40]},
        )
    return digits.ljust(8, "0")


def _institution(text: str) -> str:
    """A SIREN (a SIRET is cut to it), or a name."""
    compact = _compact(text)
    if not compact.isdigit():
        return text
    if len(compact) not in (9, 14):
        raise PydanticCustomError(
            "institution",
            "« {value} » n’est ni un SIREN (9 chiffres) ni un SIRET (14 chiffres) ni un nom",
            {"value": text[:40]},
        )
    return compact[:9]


def _counted(text: str) -> str:
    """A text that Elasticsearch takes: each word becomes some tens of clauses of a query, whose
    number it bounds by its memory."""
    if sum(1 for _ in _WORD.finditer(text)) > MOST_WORDS:
        raise PydanticCustomError(
            "words",
            "plus de {most} mots ; gardez ceux qui comptent, tous sont cherchés",
            {"most": MOST_WORDS},
        )
    return text


def _named(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Names of institutions, likewise."""
    if sum(1 for text in texts for _ in _WORD.finditer(text)) > _MOST_NAMED:
        raise PydanticCustomError(
            "words",
            "plus de {most} mots dans ces noms ; donnez-en moins, ou des SIREN",
            {"most": _MOST_NAMED},
        )
    return texts


def _near(value: object) -> object:
    if not isinstance(value, str):
        return value
    lat, comma, lon = value.partition(",")
    if not comma:
        raise PydanticCustomError(
            "near",
            "« {value} » n’est pas un point : écrivez latitude,longitude (43.2965,5.3698)",
            {"value": value[:40]},
        )
    return {"lat": lat.strip(), "lon": lon.strip()}


def _moment(text: str) -> str:
    try:
        read_moment(text)
    except ValueError as error:
        raise PydanticCustomError("moment", "{sentence}", {"sentence": str(error)}) from None
    return text


def _known_facets(value: object) -> object:
    parts = _split(value)
    return () if parts == ("none",) else parts


def _blank_is_absent(value: object) -> object:
    """A form sends its empty fields too."""
    return None if isinstance(value, str) and not value.strip() else value


def _euros(value: object) -> object:
    """`40 000`, `40000 €` and `1 500,50` are numbers as well."""
    if not isinstance(value, str):
        return value
    plain = "".join(value.split()).removesuffix("€").removesuffix("euros").replace(",", ".")
    return plain or None


_MANY = 200
_MOST_NAMED: Final = 1000
_WORD: Final = re.compile(r"\w+")
Subtype = CallSubtype | NeedSubtype | ProjectSubtype
Moment = Annotated[
    Annotated[str, Field(max_length=40), AfterValidator(_moment)] | None,
    BeforeValidator(_blank_is_absent),
]
Euros = Annotated[
    Annotated[float, Field(ge=0, allow_inf_nan=False)] | None, BeforeValidator(_euros)
]


def _list(description: str, *examples: str) -> Any:
    """A parameter that may be given several times, or with commas between."""
    shown = [[one] for one in examples] or None
    return Field(default=(), max_length=_MANY, description=description, examples=shown)


def _day(description: str) -> Any:
    """A day, or an instant (`moments.read_moment`)."""
    return Field(default=None, description=description, examples=["2026-03-12"])


class SearchParameters(BaseModel):
    """The parameters of a search; several values of one parameter widen it, parameters narrow."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    q: Annotated[str, BeforeValidator(composed), AfterValidator(_counted)] = Field(
        default="",
        max_length=1000,
        description="Texte tel qu’on l’écrit, de 100 mots au plus : tous comptent ; "
        "« expression exacte » entre guillemets, -mot pour exclure, mot* pour un début de mot.",
    )
    literal: Annotated[
        tuple[Annotated[str, Field(max_length=200)], ...],
        BeforeValidator(_split_texts),
        Field(
            max_length=_MANY,
            description="Expressions de q à prendre au mot : ce qui en avait été compris "
            "(`understood`) est retiré. `*` pour toutes.",
        ),
    ] = ()
    as_typed: bool = Field(
        default=False,
        description="Chercher exactement ce qui est écrit : ni correction, ni relâchement.",
    )
    explain: bool = Field(default=False, description="Dire de chaque résultat d’où vient son rang.")
    kind: Annotated[tuple[Kind, ...], BeforeValidator(_split)] = _list(
        "Projets, appels ou besoins."
    )
    status: Annotated[tuple[Status, ...], BeforeValidator(_split)] = _list(
        "Où en est la publication, à la date de `as_of`."
    )
    theme: Annotated[
        tuple[Annotated[str, AfterValidator(_theme)], ...], BeforeValidator(_split)
    ] = _list("Thèmes, par leur nom court ; la facette `theme` les montre.")
    cpv: Annotated[tuple[Annotated[str, AfterValidator(_cpv)], ...], BeforeValidator(_split)] = (
        _list("Codes CPV, ou leurs 2 à 7 premiers chiffres.", "45", "45233140")
    )
    subtype: Annotated[tuple[Subtype, ...], BeforeValidator(_split)] = _list(
        "Sortes de projets, d’appels ou de besoins."
    )
    institution: Annotated[
        tuple[Annotated[str, Field(max_length=200), AfterValidator(_institution)], ...],
        BeforeValidator(_split_numbers),
        AfterValidator(_named),
    ] = _list("À qui est la chose : SIREN, SIRET, ou nom.", "211300553")
    institution_kind: Annotated[tuple[InstitutionKind, ...], BeforeValidator(_split)] = _list(
        "Nature de l’institution à qui est la chose."
    )
    territory: Annotated[
        tuple[Annotated[str, Field(max_length=80)], ...], BeforeValidator(_split)
    ] = _list(
        "Territoires : com:INSEE, cp:POSTAL, epci:SIREN, dep:NN, reg:NN, zone:NOM ou fr ; un code "
        "seul qui peut en désigner plusieurs est refusé, avec les choix (`choices`).",
        "dep:13",
        "com:13055",
    )
    reach: Literal["within", "applies"] = Field(
        default="applies",
        description="`within` : ce qui est situé dans le territoire ; `applies` : aussi ce qui le "
        "couvre d’en haut, ou nomme un code postal qu’il partage.",
    )
    as_of: Moment = _day(
        "Date à laquelle on juge ce qui est ouvert ou clos ; maintenant, si elle n’est pas dite."
    )
    near: Annotated[
        Near | None,
        BeforeValidator(_near),
        BeforeValidator(_blank_is_absent),
        WithJsonSchema(
            {
                "type": "string",
                "description": "Un point : latitude,longitude en degrés (WGS 84).",
                "examples": ["43.2965,5.3698"],
            }
        ),
    ] = None
    radius: float = Field(default=20, gt=0, le=20_000, description="En kilomètres.")
    deadline_from: Moment = _day("Échéance au plus tôt : un jour chez l’acheteur, ou un instant.")
    deadline_to: Moment = _day("Échéance au plus tard, ce jour compris.")
    published_from: Moment = _day("Publié au plus tôt : un jour (heure de Paris), ou un instant.")
    published_to: Moment = _day("Publié au plus tard, ce jour compris.")
    amount_min: Euros = Field(default=None, description="Montant au moins, en euros.")
    amount_max: Euros = Field(default=None, description="Montant au plus, en euros.")
    sort: Sort = Field(
        default=Sort.RELEVANCE,
        description="Ordre : pertinence, publication la plus récente, échéance la plus proche, "
        "montant le plus grand, ou distance à `near`, qu’il faut alors donner.",
    )
    size: int = Field(default=20, ge=1, le=100, description="Résultats par page.")
    cursor: Annotated[
        Annotated[str, Field(max_length=20_000)] | None, BeforeValidator(_blank_is_absent)
    ] = Field(
        default=None,
        description="La suite : `next` de la réponse précédente, avec les mêmes paramètres.",
    )
    facets: Annotated[
        tuple[Facet, ...],
        BeforeValidator(_known_facets),
        Field(
            description="Les décomptes voulus ; `none` pour aucun. Par défaut, tous, sauf `part` : "
            "les parties du territoire demandé."
        ),
    ] = USUAL_FACETS
