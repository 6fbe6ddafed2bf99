"""Purchases: which records tell of something that will be bought, and when. Pure.

Needs and purchase programmes say it themselves. A contract that ends says it only for recurring
supplies and services: works (CPV 45) and studies (CPV 71) are not bought again when they are done.
"""

import re
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final, NamedTuple

from traverse_stream_processors.linking.words import fold
from traverse_stream_processors.matching.central_bodies import by_central_body

_NOT_AGAIN: Final = ("45", "71")
_STUDIES: Final = re.compile(
    r"\b(?:etudes?|maitrise d|moe\b|amo\b|assistance a (?:la )?maitrise|diagnostics?|missions?"
    r"|audits?|coordination sps|controle technique)"
)
_WORKS: Final = re.compile(
    r"\b(?:travaux|construction|rehabilitation|refection|renovation|restauration d[eu]"
    r"|extension|demolition|amenagement|restructuration|agrandissement)\b"
)
_RECURRING_MONTHS: Final = 12
# A formal procedure takes some six months from the first meeting to the notification, and a
# grouping has to be agreed before it.
_LEAD: Final = timedelta(days=270)
# What a purchase is worth: of a framework agreement, all that it may come to (CCP, art. R.2121-8).
# What is given to others, or what a whole project costs, is not.
_WORTH: Final = ("awarded", "estimate", "maximum")
_TAXES: Final = ("excluded", "unknown", "included")
FIRST_DAY, LAST_DAY = "0001-01-01", "9999-12-31"
"""Those of the calendar: a purchase without a beginning, or an end."""


class Sort(StrEnum):
    """What sort of thing is bought: different sorts are never bought together."""

    WORKS = "works"
    STUDIES = "studies"
    GOODS = "goods"  # supplies, and services but studies


class Purchase(NamedTuple):
    """When it is to be bought: days, both included, ISO; open ends are the first and last day of
    the calendar. `renewal` says that it is the end of a contract, so a guess; `tax` whether what it
    is worth is told without taxes ("excluded"), with ("included"), or neither ("unknown")."""

    start: str
    end: str
    renewal: bool
    sort: Sort = Sort.GOODS
    tax: str = "unknown"


class Worth(NamedTuple):
    """What a purchase is worth in euros, None where that is not told."""

    value: float | None
    tax: str


def purchase_of(content: Any, life: Any) -> Purchase | None:
    """The purchase that a record announces, or None; one by a central purchasing body is none that
    others could join.

    The end of a contract is a range, since `dureeMois` counts the renewals (arrêté du 22 décembre
    2022): from `end_min`, where that is said, to `end_max`; a purchase is prepared for nine months
    before the first.
    """
    kind, subtype = content["kind"], content["subtype"]
    active = life is None or life["state"] == "active"
    if (kind, subtype) in (("need", "purchase"), ("project", "purchase_programme")):
        if not active or content.get("joint"):
            return None
        if kind == "project" and not content.get("cpv"):
            return None  # a programme of everything is like everything
        if by_central_body(content, ()):
            return None
        window = content.get("window", {})
        return Purchase(
            window.get("from", FIRST_DAY),
            window.get("to", LAST_DAY),
            renewal=False,
            sort=sort_of(content),
            tax=worth_of(content).tax,
        )
    if kind == "call" and life is not None and life.get("outcome") == "awarded":
        holders = [*content.get("holders", ()), *life.get("holders", ())]
        return None if by_central_body(content, holders) else _renewal(content)
    return None


def _renewal(content: Any) -> Purchase | None:
    months, last = content.get("duration_months"), content.get("end_max")
    if not last or content["subtype"] != "contract" or content.get("nature") == "works":
        return None
    codes = content.get("cpv", ())
    if not codes or any(code.startswith(_NOT_AGAIN) for code in codes):
        return None
    title = fold(content["title"])
    if _STUDIES.match(title) or _WORKS.match(title):
        return None  # whatever its code says
    techniques = content.get("techniques", ())
    if (months or 0) < _RECURRING_MONTHS and "framework_agreement" not in techniques:
        return None
    end = date.fromisoformat(last)
    first = _first_end(content, end)
    lead = first - _LEAD if first > date.min + _LEAD else date.min
    tax = worth_of(content).tax
    return Purchase(lead.isoformat(), end.isoformat(), renewal=True, tax=tax)


def worth_of(content: Any) -> Worth:
    """What a record says that its purchase is worth, before taxes where it says both."""
    amounts = [one for one in content.get("amounts", ()) if one["kind"] in _WORTH]
    if amounts:
        first = min(amounts, key=_precision)
        return Worth(float(first["value"]), first.get("tax", "unknown"))
    if content.get("amounts"):
        return Worth(None, "unknown")
    return Worth(content.get("amount"), "unknown")


def _precision(amount: Any) -> tuple[int, int, float]:
    tax = _TAXES.index(amount.get("tax", "unknown"))
    return (_WORTH.index(amount["kind"]), tax, -float(amount["value"]))


def _first_end(content: Any, end: date) -> date:
    """The earliest end: the one that is said, else the last. How often it is renewed does not tell
    it: some sources count durations with renewals, others without."""
    if content.get("end_min"):
        return min(date.fromisoformat(content["end_min"]), end)
    return end


def sort_of(content: Any) -> Sort:
    """The sort of a purchase, by its codes and nature, else by the words of its title."""
    codes = content.get("cpv", ())
    if content.get("nature") == "works" or any(code.startswith("45") for code in codes):
        return Sort.WORKS
    if codes:
        return Sort.STUDIES if codes[0].startswith("71") else Sort.GOODS
    title = fold(content["title"])
    if _STUDIES.search(title):
        return Sort.STUDIES
    return Sort.WORKS if _WORKS.search(title) else Sort.GOODS


def overlap(left: Purchase, right: Purchase) -> tuple[str, str] | None:
    """The days that both have in common, first and last; None when they have none."""
    start, end = max(left.start, right.start), min(left.end, right.end)
    return (start, end) if start <= end else None
