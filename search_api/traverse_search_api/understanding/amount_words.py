"""Amounts in the words of a search: `< 40000`, `moins de 40 000 €`, `budget 1,5 M€`.

A number alone is no amount: it takes its currency, or a word that compares.
"""

import re
import unicodedata
from typing import Any, Final, NamedTuple

from traverse_schemas.french.numbers import euros
from traverse_search_api.understanding.code_words import is_counted

Query = dict[str, Any]

_NUMBER: Final = r"\d{1,3}(?:[ .\u00a0\u202f]\d{3})+(?!\d)(?:,\d{1,2})?|\d+(?:[.,]\d{1,2})?"
_CURRENCY: Final = (
    r"(?:k€|ke|k ?euros?|m€|k|€|eur|euros?|millions?(?: d['’ ]?euros?)?|mille euros?)(?!\w)"
)
_TAX: Final = r"(?: (?:ht|ttc))?"
_LESS: Final = (
    r"(?:<=?|≤|moins de|inferieure?s? a|en[- ]dessous de|jusqu'?a|max(?:imum)?(?: de)?|au plus"
    r"|plafonnee?s? a)"
)
_MORE: Final = (
    r"(?:>=?|≥|plus de|superieure?s? a|au[- ]dessus de|au moins|min(?:imum)?(?: de)?"
    r"|a partir de)"
)
_ABOUT: Final = r"(?:(?:d'un )?(?:budget|montant|enveloppe)(?: (?:de|d'environ|estime a|estime))*)"
_FORM: Final = re.compile(
    rf"^(?:(?P<about>{_ABOUT}) ?)?"
    rf"(?:(?P<less>{_LESS})|(?P<more>{_MORE})|(?P<range>entre|de))? ?"
    rf"(?P<number>{_NUMBER}) ?(?P<currency>{_CURRENCY})?{_TAX}"
    rf"(?: (?:et|a) (?P<upper>{_NUMBER}) ?(?P<upper_currency>{_CURRENCY})?{_TAX})?"
    rf"(?: (?P<most>max(?:imum)?|au plus)| (?P<least>min(?:imum)?|au moins))?$"
)
_GROUPED: Final = r"\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?![\d])"
# Spaces within an amount, and what is more than a sign beside it, would be lost word by word.
_SPACED: Final = re.compile(
    rf"(?P<sign>[<>≤≥]=?)\s*(?=\d)|(?P<digits>{_GROUPED})(?=\s?(?:€|euros?\b|eur\b|[kKmM]€))"
    r"|(?<=\d)\s(?P<unit>[kKmM]?€)",
)
_COMPARED: Final = re.compile(
    rf"(?<=[<>≤≥=]){_GROUPED}|(?<=moins de ){_GROUPED}|(?<=plus de ){_GROUPED}"
    rf"|(?<=budget ){_GROUPED}|(?<=montant ){_GROUPED}|{_GROUPED}(?= (?:et|à|a) \d)",
    re.IGNORECASE,
)
# Most expressions of a text begin with nothing of the kind.
_BEGINNING: Final = re.compile(
    r"[<>≤≥]|\d+(?:[.,]\d+)* ?(?:[€km]|eur|max|min|au)"
    r"|moins|plus|inf|sup|en[- ]|jusqu|max|min|au[- ]|plaf|à |entre |de |d.un |budget|montant"
    r"|enveloppe",
    re.IGNORECASE,
)
_LEAST: Final = 1_000  # euros from which a number without currency is an amount
_THOUSANDFOLD: Final = 1_000
_AROUND: Final = 0.1
_LONGEST: Final = 60  # letters


class Amount(NamedTuple):
    """The parameter that would say it, in words, and the query. What is not `clear` may as well be
    words: "20000 euros" without a word that compares."""

    parameter: str
    value: str
    label: str
    query: Query
    clear: bool


def joined_amounts(text: str) -> str:
    """Amounts in one piece: `< 40 000 €` -> `<40000€`; other numbers as they are."""
    if not any(char.isdigit() for char in text):
        return text
    text = _SPACED.sub(_one_piece, text)
    return _COMPARED.sub(lambda found: re.sub(r"\s", "", found[0]), text)


def _one_piece(found: re.Match[str]) -> str:
    return found["sign"] or found["unit"] or re.sub(r"\s", "", found["digits"])


def amount_words(text: str, after: str) -> Amount | None:
    """What exactly these words say of an amount, in euros, or None; `after` is the word behind."""
    if len(text) > _LONGEST or not _BEGINNING.match(text):
        return None
    said = _FORM.match(_plain(text))
    if said is None:
        return None
    if said["range"] or said["upper"]:
        return _range(said)
    currency = said["currency"]
    low = _euros(said["number"], currency)
    less, more = said["less"] or said["most"], said["more"] or said["least"]
    if not currency:
        # "Plus de 20 ans", "jusqu'à 2027"; a sign, or a large number, speaks of money.
        compared = less or more or said["about"]
        if not compared or not _may_be_euros(low) or is_counted(after):
            return None
    if less:
        return _amount(None, low, clear=True)
    if more:
        return _amount(low, None, clear=True)
    return _amount(round(low * (1 - _AROUND), 2), round(low * (1 + _AROUND), 2), about=low)


def _range(said: re.Match[str]) -> Amount | None:
    """From an amount to a higher one: `entre 500 k€ et 1 M€`, `budget de 100 000 à 200 000 €`."""
    if not said["upper"] or said["less"] or said["more"] or not (said["range"] or said["about"]):
        return None
    currency, upper_currency = said["currency"], said["upper_currency"]
    low, high = _euros(said["number"], None), _euros(said["upper"], None)
    bare = said["about"] and _may_be_euros(low) and _may_be_euros(high)
    if not (currency or upper_currency or bare):
        return None
    # "Entre 1 et 2 M€" says one unit for both; "entre 500 000 et 1 M€" and "entre 500 k€ et
    # 1 000 000" do not.
    low_unit = currency or (upper_currency if low < high else None)
    high_unit = upper_currency or (currency if high < _THOUSANDFOLD * low else None)
    low, high = _euros(said["number"], low_unit), _euros(said["upper"], high_unit)
    return _amount(low, high, clear=True) if low <= high else None


def _may_be_euros(number: float) -> bool:
    """Whether it may be an amount without its currency: no year, and no small number."""
    return number >= _LEAST and not 1900 <= number <= 2200


def _amount(
    low: float | None, high: float | None, *, clear: bool = False, about: float = 0
) -> Amount:
    given = {
        name: value
        for name, value in (("amount_min", low), ("amount_max", high))
        if value is not None
    }
    bounds = {"gte": low, "lte": high}
    if about:
        label = f"montant de {euros(about)} environ"
    elif low is None:
        label = f"montant jusqu’à {euros(high or 0)}"
    else:
        label = f"montant à partir de {euros(low)}" + (f" jusqu’à {euros(high)}" if high else "")
    return Amount(
        ",".join(given),
        ",".join(_digits(value) for value in given.values()),
        label,
        {"range": {"amount": {name: value for name, value in bounds.items() if value is not None}}},
        clear,
    )


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.lower().replace("’", "'"))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _euros(number: str, currency: str | None) -> float:
    grouped = re.fullmatch(r"\d{1,3}(?:[ .\u00a0\u202f]\d{3})+(?:,\d{1,2})?", number)
    if grouped:
        number = re.sub(r"[ .\u00a0\u202f]", "", number)
    value = float(number.replace(",", "."))
    unit = (currency or "").lower()
    if unit.startswith(("million", "m€")):
        return value * 1_000_000
    if unit.startswith(("k", "mille")):
        return value * 1_000
    return value


def _digits(value: float) -> str:
    return f"{value:.2f}".removesuffix(".00")
