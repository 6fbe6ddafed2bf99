"""CPV: the Common Procurement Vocabulary (Regulation (EC) No 2195/2002, amended by 213/2008).

Eight digits, each non-zero one narrowing the subject: division (2), group (3), class (4),
category (5), then three finer levels. A ninth, after a hyphen, "serves to verify the previous
digits" (Regulation, annex I).
"""

from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

# The regulation gives the check digits, not the formula. The weighted sum below gives 8,922 of its
# 9,454 digits. The other 532 sit in branches that the 2008 revision renumbered without
# recomputing them: there the published digit is the sum plus a constant, told by the longest
# prefix that is listed. Sum and table together give all 9,454 published digits.
_WEIGHTS = (3, 7, 1, 3, 7, 1, 3, 7)
_SHIFTS = {
    "033": 8, "0333": 0, "0334": 0, "034": 9, "09": 6, "090": 0,
    "31711154": 3, "31711155": 3, "33141113": 9, "342111": 9, "342112": 8, "342113": 7,
    "34421": 3, "34422": 6, "3511311": 7, "351253": 3, "353313": 7, "35642": 1,
    "374421": 9, "374422": 8, "3744230": 7, "374424": 6, "374425": 5, "374426": 4,
    "374427": 3, "3744280": 2, "374429": 1, "38941": 4, "38942": 7, "38944": 3,
    "38945": 6, "38946": 9, "38947": 2, "421": 3, "45233139": 1, "48628": 3, "510": 7,
    "65122": 6, "65123": 2, "7135192": 4, "71351921": 7, "71351922": 0, "71351923": 3,
    "71351924": 6, "72": 5, "720": 0, "721": 0, "7220": 0, "72210": 0, "72211": 0,
    "722120": 0, "7222": 0, "7223": 0, "7224": 0, "7225": 0, "7226": 0, "72267": 5,
    "722670": 0, "723": 0, "7233": 5, "725": 0, "7934241": 4, "8521": 9, "922251": 2,
}  # fmt: skip


def cpv_check_digit(code: str) -> int:
    """The published check digit (0-9) of an 8-digit code of the 2008 nomenclature.

    For 8 digits that are no code of the nomenclature, the result means nothing.
    """
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, code, strict=True))
    shift = next((_SHIFTS[code[:n]] for n in range(8, 1, -1) if code[:n] in _SHIFTS), 0)
    return (total + shift) % 10


def normalise_cpv(text: str) -> str | None:
    """The 8 digits of a CPV code as feeds write it (`45233140`, `45233140-2`, spaces), else None.

    Lenient, for importers: a wrong check digit is dropped (2 % of those in French open data are
    wrong, mostly 0 or 1 typed by hand).
    """
    code, hyphen, check = text.strip().partition("-")
    code = code.strip()
    if not _is_code(code):
        return None
    check = check.strip()
    if hyphen and check and not (len(check) == 1 and check.isascii() and check.isdigit()):
        return None
    return code


def cpv_ancestors(code: str) -> tuple[str, ...]:
    """The code and all above it, up to the division.

    `"45233140"` -> `("45233140", "45233100", "45233000", "45230000", "45200000", "45000000")`.
    A level that adds no digit is not repeated. Some of them may not be in the nomenclature.
    """
    chain = [code]
    for length in range(7, 1, -1):
        parent = code[:length].ljust(8, "0")
        if parent != chain[-1]:
            chain.append(parent)
    return tuple(chain)


def cpv_division(code: str) -> str:
    """The division, 8 digits: `"45233140"` -> `"45000000"`."""
    return code[:2] + "000000"


def cpv_group(code: str) -> str:
    """The group, 8 digits: `"45233140"` -> `"45200000"`."""
    return code[:3] + "00000"


def cpv_class(code: str) -> str:
    """The class, 8 digits: `"45233140"` -> `"45230000"`."""
    return code[:4] + "0000"


def cpv_category(code: str) -> str:
    """The category, 8 digits: `"45233140"` -> `"45233000"`."""
    return code[:5] + "000"


def _is_code(text: str) -> bool:
    return len(text) == 8 and text.isascii() and text.isdigit() and text[:2] != "00"


def _check_cpv(value: object) -> object:
    if not isinstance(value, str):
        return value
    code, hyphen, check = value.partition("-")
    if not _is_code(code) or (
        hyphen and not (len(check) == 1 and check.isascii() and check.isdigit())
    ):
        raise PydanticCustomError(
            "cpv",
            "« {value} » n’est pas un code CPV : donnez ses 8 chiffres, zéro initial compris, "
            "et s’il y en a une, sa clé après un tiret (45233140-2).",
            {"value": value[:40]},
        )
    if hyphen and int(check) != cpv_check_digit(code):
        raise PydanticCustomError(
            "cpv_check_digit",
            "La clé du code CPV « {value} » devrait être {right} : corrigez le code, "
            "ou donnez ses 8 chiffres sans la clé.",
            {"value": value[:40], "right": str(cpv_check_digit(code))},
        )
    return code


Cpv = Annotated[
    str,
    BeforeValidator(_check_cpv, json_schema_input_type=str),
    Field(
        description="CPV code of 2008: 8 digits, with its check digit (`-N`) or without.",
        json_schema_extra={"pattern": "^[0-9]{8}(?:-[0-9])?$"},
        examples=["45233140", "45233140-2"],
    ),
]
