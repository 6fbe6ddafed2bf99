"""SIREN and SIRET: the numbers of the French register of legal units and establishments (Sirene).

A SIREN is 9 digits, a SIRET is a SIREN and 5 more; both end with a check digit by the Luhn formula
(INSEE, « Numéro SIREN / SIRET », definitions; Code de commerce, art. R.123-220 and R.123-221).
"""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

LA_POSTE = "356000000"

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn_ok(digits: str) -> bool:
    """Whether ASCII digits satisfy the Luhn formula (ISO/IEC 7812-1, annex B). "" does not."""
    if not (digits.isascii() and digits.isdigit()):
        return False
    total = sum(map(int, digits[-1::-2]))
    total += sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return total % 10 == 0


def is_siren(text: str) -> bool:
    """Whether the text is exactly 9 digits with a right check digit."""
    return len(text) == 9 and text != "000000000" and luhn_ok(text)


def is_siret(text: str) -> bool:
    """Whether the text is exactly 14 digits that begin with a SIREN and have a right check digit.

    La Poste has more establishments than the Luhn formula leaves numbers for: those of
    SIREN 356000000 are right when the sum of their 14 digits is a multiple of 5 (INSEE, Sirene
    documentation, « Le cas particulier de La Poste »); its head office also satisfies Luhn.
    """
    if len(text) != 14 or not is_siren(text[:9]):
        return False
    if text.startswith(LA_POSTE) and text.isascii() and text.isdigit():
        return luhn_ok(text) or sum(map(int, text)) % 5 == 0
    return luhn_ok(text)


def normalise_siret(text: str) -> str | None:
    """A SIREN or SIRET as people type it, without its spaces, dots and hyphens; else None.

    9 or 14 digits come out. The check digit is not verified: the number of a relayed record's
    owner is flagged when it is wrong, not refused (see `is_siren`, `is_siret`).
    """
    digits = "".join(text.split()).translate(_SEPARATORS)
    if len(digits) in (9, 14) and digits.isascii() and digits.isdigit():
        return digits
    return None


_SEPARATORS = {ord(char): None for char in ".-\u2011\u200b\ufeff"}


def _check_siren(text: str) -> str:
    if not is_siren(text):
        raise PydanticCustomError(
            "siren",
            "« {value} » n’est pas un SIREN : donnez ses 9 chiffres, sans espace, "
            "et vérifiez le dernier (clé de Luhn).",
            {"value": text[:40]},
        )
    return text


Siren = Annotated[
    str,
    AfterValidator(_check_siren),
    Field(
        description="SIREN: 9 digits, the last a check (Luhn).",
        json_schema_extra={"pattern": "^[0-9]{9}$"},
        examples=["211300553"],
    ),
]
