"""Places as typed text: com:INSEE, cp:POSTAL, epci:SIREN, dep:NN, reg:NN, zone:NAME or fr.

Postal and INSEE codes collide (13001 is Aix-en-Provence for INSEE, Marseille 1er for the post), so
a code always carries its type. These types check a code's form; whether the place exists is for
`traverse_schemas.reference.territories` to say.
"""

import re
from typing import Annotated, Literal, NamedTuple, cast

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from traverse_schemas.values.siren import is_siren

# INSEE, Code officiel géographique: metropolitan départements 01-95 (20 became 2A and 2B in 1976),
# overseas départements 971-974 and 976, other overseas territories 975, 977, 978, 984, 986-989.
_DEPARTMENT = r"(?:0[1-9]|1[0-9]|2[1-9AB]|[3-8][0-9]|9[0-5]|97[1-8]|98[46789])"
# Communes of Corsica had codes in 20 before that; old data has them, and the tables resolve them.
_COMMUNE = r"(?:(?:0[1-9]|[1-8][0-9]|9[0-5]|2[AB])[0-9]{3}|97[1-8][0-9]{2}|98[46789][0-9]{2})"
_POSTAL = r"(?:0[1-9]|[1-8][0-9]|9[0-8])[0-9]{3}"
_REGION = r"(?:0[1-46]|11|2[478]|32|44|5[23]|7[56]|84|9[34]|97[578]|98[46789])"
_ZONE = r"[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?"
_TERRITORY = (
    rf"fr|com:{_COMMUNE}|cp:{_POSTAL}|epci:[0-9]{{9}}|dep:{_DEPARTMENT}|reg:{_REGION}|zone:{_ZONE}"
)

Level = Literal["com", "cp", "epci", "dep", "reg", "zone", "fr"]


class Territory(NamedTuple):
    """A territory code taken apart: its level, and its value ("" for France)."""

    level: Level
    value: str


def parse_territory(code: str) -> Territory:
    """`"com:13055"` -> `Territory("com", "13055")`. Raises ValueError when the form is wrong."""
    _check_territory(code)
    level, _, value = code.partition(":")
    return Territory(cast(Level, level), value)


def format_territory(level: Level, value: str = "") -> str:
    """The inverse of `parse_territory`. Raises ValueError when the value does not fit the level."""
    code = level if level == "fr" and not value else f"{level}:{value}"
    _check_territory(code)
    return code


def territory_guesses(bare: str) -> tuple[str, ...]:
    """What a bare code could mean, as typed codes: `"13001"` -> `("com:13001", "cp:13001")`.

    Only the form is looked at; a caller keeps those that exist, and asks when several are left.
    """
    text = bare.strip().upper()
    guesses = [f"{level}:{text}" for level in ("com", "cp", "epci", "dep", "reg")]
    return tuple(code for code in guesses if is_territory(code))


def is_territory(code: str) -> bool:
    """Whether the text has the form of a territory code (an EPCI's SIREN has a right check digit).

    `zone:` names are lower-case letters, digits, dots and hyphens, 64 at most.
    """
    if _TERRITORY_RE(code) is None:
        return False
    return not code.startswith("epci:") or is_siren(code[5:])


_TERRITORY_RE = re.compile(_TERRITORY, re.ASCII).fullmatch


def _check_territory(code: str) -> str:
    if not is_territory(code):
        raise PydanticCustomError(
            "territory",
            "« {value} » n’est pas un territoire : écrivez com:CODE_INSEE, cp:CODE_POSTAL, "
            "epci:SIREN, dep:NN, reg:NN, zone:NOM ou fr.",
            {"value": code[:80]},
        )
    return code


def _check_zone(name: str) -> str:
    if _ZONE_RE(name) is None:
        raise PydanticCustomError(
            "zone",
            "« {value} » n’est pas un nom de zone : minuscules, chiffres, points et tirets, 64 au "
            "plus.",
            {"value": name[:40]},
        )
    return name


_ZONE_RE = re.compile(_ZONE, re.ASCII).fullmatch


ZoneName = Annotated[
    str,
    AfterValidator(_check_zone),
    Field(
        description="Name of a zone that the operator loaded: lower-case letters, digits, dots and "
        "hyphens.",
        json_schema_extra={"pattern": f"^{_ZONE}$"},
        examples=["cci-aix-marseille-provence"],
    ),
]

TerritoryCode = Annotated[
    str,
    AfterValidator(_check_territory),
    Field(
        description="Territory with its type: com:INSEE, cp:POSTAL, epci:SIREN, dep:NN, reg:NN, "
        "zone:NAME or fr.",
        json_schema_extra={"pattern": f"^(?:{_TERRITORY})$"},
        examples=["com:13055", "epci:200054807", "fr"],
    ),
]
