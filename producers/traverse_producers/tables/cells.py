"""Reads the cells of a spreadsheet as French people fill them: dates, amounts, lists, codes.

Each reader takes the text of a cell (not empty, without spaces around it) and gives the value as
the record has it, or raises UnreadableCellError with the sentence. Nothing is guessed: what could
be two things is asked.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from traverse_producers.errors import PublishError
from traverse_schemas.values.instant import PARIS
from traverse_schemas.values.place import is_territory, territory_guesses
from traverse_schemas.values.siren import normalise_siret

Reader: TypeAlias = Callable[[str], Any]

_FRENCH_DATE = re.compile(
    r"(\d{1,2})/(\d{1,2})/(\d{4})(?:,?\s+(?:à\s+)?(\d{1,2})\s?[h:]\s?(\d{2})?(?::(\d{2}))?)?",
    re.ASCII,
)
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)*", re.ASCII)


class UnreadableCellError(PublishError):
    """The content of a cell is not what its column holds."""


def plain(text: str) -> str:
    """How words are compared: without case, accents and signs (`Date limite *`: date_limite)."""
    letters = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "oe")).casefold()
    kept = "".join(char for char in letters if not unicodedata.combining(char))
    return re.sub(r"[^a-z0-9]+", "_", kept).strip("_")


def read_text(text: str) -> str:
    return text


def read_texts(text: str) -> list[str]:
    """Several texts, apart by | or by a line end within the cell."""
    return [part.strip() for part in re.split(r"[|\n]", text) if part.strip()]


def read_codes(text: str) -> list[str]:
    """Several codes, apart by spaces, commas, semicolons or |."""
    return [part for part in re.split(r"[\s,;|]+", text) if part]


def read_number(text: str) -> str:
    """A SIREN or SIRET, with or without spaces. What is none is told by the schema."""
    return normalise_siret(text) or text


def read_numbers(text: str) -> list[str]:
    """Several SIREN, apart by commas, semicolons, | or line ends."""
    return [read_number(part.strip()) for part in re.split(r"[,;|\n]", text) if part.strip()]


def read_integer(text: str) -> int:
    digits = "".join(text.split())
    if re.fullmatch(r"-?\d{1,18}", digits, re.ASCII) is None:
        raise UnreadableCellError(f"« {text[:40]} » n'est pas un nombre entier : écrivez 24.")
    return int(digits)


def read_decimal(text: str) -> Decimal:
    """`1 234,56 €`, `1234.56`, `1.234,56`; one separator before three digits could be either."""
    number = "".join(text.split()).removesuffix("€").removesuffix("EUR")
    if _NUMBER.fullmatch(number) is None:
        raise UnreadableCellError(f"« {text[:40]} » n'est pas un nombre : écrivez 1234,56.")
    signs = [char for char in number if char in ".,"]
    if not signs:
        return Decimal(number)
    whole, _, end = number.rpartition(signs[-1])
    if len(set(signs)) == 1:
        if len(signs) > 1:  # 1.234.567: thousands only
            whole, end = number, ""
        elif len(end) == 3:
            raise UnreadableCellError(
                f"« {text[:40]} » peut se lire de deux façons : écrivez {whole}{end} ou "
                f"{whole},{end[:2]}."
            )
    elif signs.count(signs[-1]) > 1:
        raise UnreadableCellError(f"« {text[:40]} » n'est pas un nombre : écrivez 1234,56.")
    return Decimal(whole.replace(".", "").replace(",", "") + ("." + end if end else ""))


def read_degrees(text: str) -> float:
    """Degrees as a decimal number, with a point or a comma."""
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise UnreadableCellError(
            f"« {text[:40]} » n'est pas un nombre de degrés : écrivez 43,2965."
        ) from None


def read_date(text: str) -> str:
    """`12/03/2026` or `2026-03-12`, as `2026-03-12`."""
    moment = read_moment(text)
    if _ISO_DATE.fullmatch(moment) is None:
        raise UnreadableCellError(f"« {text[:40]} » n'est pas une date : écrivez 12/03/2026.")
    return moment


def read_moment(text: str) -> str:
    """`12/03/2026`, `12/03/2026 12:00`, `12/03/2026 à 12h` or ISO 8601, as ISO 8601."""
    found = _FRENCH_DATE.fullmatch(text)
    try:
        if found is None:
            datetime.fromisoformat(text)
            return text
        day, month, year, hour, minute, second = (int(part or 0) for part in found.groups())
        if found[4] is None:
            return date(year, month, day).isoformat()
        at = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - its zone is told apart
        return at.isoformat(timespec="seconds" if found[6] else "minutes")
    except ValueError:
        raise UnreadableCellError(
            f"« {text[:40]} » n'est pas une date qui existe : écrivez 12/03/2026, ou "
            "12/03/2026 12:00."
        ) from None


def read_instant(text: str) -> datetime:
    """A moment as an aware instant; without an offset it is in Paris, a date is its beginning."""
    at = datetime.fromisoformat(read_moment(text))
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(PARIS))


def read_territories(text: str) -> list[str]:
    """Typed territory codes; a bare code is taken when it can only be one thing."""
    return [_territory(code) for code in read_codes(text)]


def _territory(code: str) -> str:
    typed = code.casefold() if code.casefold() in ("fr", "france") else code
    if typed == "france":
        return "fr"
    if ":" in typed or is_territory(typed):
        return typed
    guesses = territory_guesses(typed)
    if len(guesses) == 1:
        return guesses[0]
    if guesses:
        raise UnreadableCellError(
            f"« {code[:40]} » peut désigner plusieurs territoires : écrivez {' ou '.join(guesses)}."
        )
    raise UnreadableCellError(
        f"« {code[:40]} » n'est pas un territoire : écrivez com:CODE_INSEE, cp:CODE_POSTAL, "
        "epci:SIREN, dep:NN, reg:NN, zone:NOM ou fr."
    )


def territories_of(level: str, digits: int) -> Reader:
    """Reads bare codes of one level; spreadsheets eat the leading zero, which is put back."""

    def read(text: str) -> list[str]:
        return [f"{level}:{code.upper().zfill(digits)}" for code in read_codes(text)]

    return read


def one_of(table: Mapping[str, Any]) -> Reader:
    """Reads one word of a closed list (keys as `plain` gives them)."""

    def read(text: str) -> Any:
        value = table.get(plain(text))
        if value is None:
            raise UnreadableCellError(
                f"« {text[:40]} » n'est pas dans la liste : {', '.join(table)}."
            )
        return value

    return read


def some_of(table: Mapping[str, Any]) -> Reader:
    """Reads several words of a closed list."""
    read = one_of(table)
    return lambda text: [read(word) for word in re.split(r"[,;|\n]", text) if word.strip()]
