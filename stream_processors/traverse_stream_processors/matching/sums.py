"""Sums: what the members of a grouping will spend together, and which threshold that reaches. Pure.

The thresholds are before taxes and for a buyer's whole need. What is told with taxes, or without
saying, is brought before them at the full rate, the least that it can come to; that a threshold is
reached together is said only where that much reaches it, and that nobody reaches it alone only
where all of it does not.
"""

from collections.abc import Sequence
from datetime import date
from math import fsum
from typing import Final

from traverse_schemas.documents.grouping import CrossedThreshold, GroupingSums
from traverse_schemas.reference.thresholds import Threshold, crossed
from traverse_stream_processors.matching.facts import Facts
from traverse_stream_processors.matching.members import Member
from traverse_stream_processors.matching.purchases import Sort

_FULL_RATE: Final = 1.2  # VAT: Code général des impôts, art. 278
_BEFORE: Final = "excluded"
_STATE: Final = "state"


def sums_of(members: Sequence[Member], on: str) -> GroupingSums:
    """What the purchases that count come to, by the law of a day."""
    found = GroupingSums(unknown_amounts=sum(one.facts.amount is None for one in members))
    known = [one for one in members if one.facts.amount]
    if not known:
        return found
    taxes = [_tax(one.facts) for one in known]
    found["total"] = round(fsum(one.facts.amount or 0.0 for one in known), 2)
    found["total_tax"] = common_tax([one.facts for one in known])
    guessed = [one for one in known if one.guess]
    if guessed:
        found["guessed"] = round(fsum(one.facts.amount or 0.0 for one in guessed), 2)
    day = date.fromisoformat(on)
    row = _crossed(known, day)
    if row is not None:
        found["threshold"] = CrossedThreshold(
            code=row.code, amount=row.amount, label=row.label, source=row.source
        )
        if any(tax != _BEFORE for tax in taxes):
            found["threshold"]["taxed"] = True
        if _crossed([one for one in known if not one.guess], day) != row:
            found["threshold"]["guessed"] = True
    return found


def _crossed(members: Sequence[Member], on: date) -> Threshold | None:
    least: dict[str, list[float]] = {}
    most: dict[str, list[float]] = {}
    for one in members:
        amount = one.facts.amount or 0.0
        most.setdefault(one.facts.owner, []).append(amount)
        before = amount if _tax(one.facts) == _BEFORE else round(amount / _FULL_RATE, 2)
        least.setdefault(one.facts.owner, []).append(before)
    return crossed(
        [fsum(found) for found in least.values()],
        works=any(it.facts.purchase and it.facts.purchase.sort is Sort.WORKS for it in members),
        on=on,
        state=any(one.facts.owner_kind == _STATE for one in members),
        alone=max(map(fsum, most.values()), default=0.0),
    )


def common_tax(priced: Sequence[Facts]) -> str:
    """Whether what some purchases are worth is before taxes; "mixed" where they differ."""
    taxes = {_tax(one) for one in priced}
    return taxes.pop() if len(taxes) == 1 else "mixed"


def _tax(facts: Facts) -> str:
    return facts.purchase.tax if facts.purchase else "unknown"
