"""What a notice is about: words, CPV, lots, values, duration."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from lxml.etree import _Element as Element

from traverse_producers.importers.days import read_day
from traverse_producers.importers.emit import without_empty
from traverse_producers.importers.money import euros
from traverse_producers.importers.ted.notice import published_parts, text_of, words
from traverse_producers.importers.text import clean, cut
from traverse_schemas.values.cpv import normalise_cpv

_LOT_NUMBER_LIMIT = 40
_LOT_TEXT_LIMIT = 5_000
_MAX_LOTS = 1000
_MAX_CPV = 100
_SYMBOLIC = 1  # "1 EUR" is how forms that require a sum say nothing
_DAYS_A_MONTH = 365.25 / 12


def title_of(form: Element) -> str:
    """The title: of the contract, or of the first of several (prior information)."""
    return text_of(form, "OBJECT_CONTRACT/TITLE") or text_of(form, ".//TITLE_CONTRACT")


def descriptions(form: Element, with_lots: bool) -> Iterator[str]:
    """The paragraphs that describe the whole; those of lots are with the lots."""
    for name in ("OBJECT_CONTRACT/SHORT_DESCR", ".//SHORT_CONTRACT_DESCRIPTION"):
        yield text_of(form, name)
    if not with_lots:
        for part in form.iterfind("OBJECT_CONTRACT/OBJECT_DESCR"):
            yield text_of(part, "SHORT_DESCR")
            yield text_of(part, "INFO_ADD")


def cpv_of(element: Element) -> list[str]:
    """The CPV codes in an element, the main one first."""
    main = [code for parent in element.iter("CPV_MAIN") for code in parent.iter("CPV_CODE")]
    codes = (normalise_cpv(code.get("CODE", "")) for code in [*main, *element.iter("CPV_CODE")])
    return list(dict.fromkeys(code for code in codes if code))[:_MAX_CPV]


def lots_of(form: Element) -> list[dict[str, Any]]:
    """The lots: numbered ones, else the several objects of one notice; [] when it has no parts."""
    objects = form.findall("OBJECT_CONTRACT")
    parts = form.findall("OBJECT_CONTRACT/OBJECT_DESCR")
    if len(objects) > 1:
        parts = objects
    elif len(parts) < 2 and not any(text_of(part, "LOT_NO") for part in parts):
        parts = []
    lots = [_lot(part, number) for number, part in enumerate(parts, start=1)]
    lots += [_defence_lot(part) for part in form.iter("F17_ANNEX_B")]
    return _renumbered(lots)[:_MAX_LOTS]


def values(element: Element, *names: str) -> list[float]:
    """The sums in euros of elements of these names; symbolic and withheld ones left out."""
    found = []
    for part in published_parts(element, *names):
        currency = part.get("CURRENCY") or (
            parent.get("CURRENCY") if (parent := part.getparent()) is not None else None
        )
        value = euros(part.get("FMTVAL") or words(part))
        if currency in ("EUR", None) and value is not None and value > _SYMBOLIC:
            found.append(value)
    return found


def highest(element: Element) -> list[float]:
    """The upper ends of ranges of values."""
    return [
        value
        for part in published_parts(element, "VAL_RANGE_TOTAL")
        if part.get("CURRENCY") in ("EUR", None)
        for value in values(part, "HIGH")
    ]


def estimates(form: Element, lots: bool) -> list[dict[str, Any]]:
    """The estimated value of the whole, and the upper end of its range."""
    objects = form.findall("OBJECT_CONTRACT")
    direct = [
        v for part in objects for child in part for v in _direct(child, "VAL_ESTIMATED_TOTAL")
    ]
    if not direct and not lots:
        direct = [value for part in objects for value in values(part, "VAL_OBJECT")]
    if not direct:
        direct = [
            value
            for name in ("TOTAL_ESTIMATED", "NATURE_QUANTITY_SCOPE")
            for part in form.iter(name)
            for value in values(part, "VALUE_COST")
        ]
    ranges = [v for part in objects for child in part for v in _range(child)]
    return [
        *({"value": value, "kind": "estimate", "tax": "excluded"} for value in direct[:1]),
        *({"value": value, "kind": "maximum", "tax": "excluded"} for value in ranges[:1]),
    ]


def months_of(elements: Iterable[Element]) -> int | None:
    """The longest duration, in months, of elements with a DURATION (or R2.0.8's MONTHS)."""
    found = []
    for element in elements:
        for part in element.iter("DURATION", "MONTHS", "DAYS"):
            digits = words(part).strip()
            unit = part.get("TYPE", "DAY" if part.tag == "DAYS" else "MONTH")
            if digits.isdecimal() and 0 < int(digits) < 100_000:
                found.append(_months(int(digits), unit))
    return max((months for months in found if 0 < months <= 1200), default=None)


def last_day(element: Element, *names: str) -> date | None:
    """The latest of the days in elements of these names."""
    days = (read_day(part.text) for part in element.iter(*names))
    return max((day for day in days if day), default=None)


def awarded(value: float) -> dict[str, Any]:
    """A value of an award: TED's are without VAT."""
    return {"value": value, "kind": "awarded", "tax": "excluded"}


def _months(number: int, unit: str) -> int:
    if unit == "YEAR":
        return number * 12
    return number if unit == "MONTH" else max(1, round(number / _DAYS_A_MONTH))


def _direct(child: Element, name: str) -> list[float]:
    return values(child, name) if child.tag == name else []


def _range(child: Element) -> list[float]:
    return highest(child) if child.tag == "VAL_RANGE_TOTAL" else []


def _lot(part: Element, order: int) -> dict[str, Any]:
    estimate = values(part, "VAL_OBJECT", "VAL_ESTIMATED_TOTAL")[:1]
    # One paragraph only: complements repeat conditions that hold for all.
    said = text_of(part, "SHORT_DESCR") or text_of(part, "OBJECT_DESCR/SHORT_DESCR")
    return without_empty(
        {
            "number": cut(text_of(part, "LOT_NO"), _LOT_NUMBER_LIMIT) or str(order),
            "title": cut(text_of(part, "TITLE"), 500),
            "description": cut(said, _LOT_TEXT_LIMIT),
            "cpv": cpv_of(part),
            "amount": {"value": estimate[0], "kind": "estimate", "tax": "excluded"}
            if estimate
            else None,
        }
    )


def _defence_lot(part: Element) -> dict[str, Any]:
    estimate = values(part, "VALUE_COST")[:1]
    return without_empty(
        {
            "number": cut(clean(part.findtext("LOT_NUMBER")), _LOT_NUMBER_LIMIT) or "1",
            "title": cut(text_of(part, "LOT_TITLE"), 500),
            "description": cut(text_of(part, "LOT_DESCRIPTION"), _LOT_TEXT_LIMIT),
            "cpv": cpv_of(part),
            "amount": {"value": estimate[0], "kind": "estimate", "tax": "excluded"}
            if estimate
            else None,
        }
    )


def _renumbered(lots: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lots with numbers that tell them apart: `1`, `1 (2)`."""
    times: dict[str, int] = {}
    for lot in lots:
        number = lot["number"]
        times[number] = times.get(number, 0) + 1
        if times[number] > 1:
            lot["number"] = f"{number[: _LOT_NUMBER_LIMIT - 6]} ({times[number]})"
    return lots
