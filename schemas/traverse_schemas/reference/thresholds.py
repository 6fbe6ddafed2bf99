"""The thresholds of public procurement, dated: what a sum obliges a buyer to.

Sums are euros before tax, for a whole need. Sources: the Code de la commande publique (CCP), the
articles that each row names, and its annexe 2 (avis relatif aux seuils de procédure, renewed every
two years after the Commission's regulations); and décret n° 2025-1386 du 29 décembre 2025, whose
last articles say from when its sums hold: 100 000 € for works since 1 January 2026 (until then by
décret n° 2022-1683), 60 000 € for supplies and services since 1 April 2026. Works below the sum of
art. R.2122-8 are bought without a notice too, so that the 90 000 € of art. R.2131-12 is theirs
nowhere.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple


class Threshold(NamedTuple):
    """From this sum on, `label` (French) holds; in force from `since` to `until`, both included.
    `state`: as soon as one of the buyers is of the State, whose formal threshold is the lower;
    where that is False, when none is; None is for all."""

    code: str
    nature: str
    amount: int
    since: date
    until: date
    label: str
    source: str
    state: bool | None = None


_TO_MARCH: Final = (date(2024, 1, 1), date(2026, 3, 31))
_FROM_APRIL: Final = (date(2026, 4, 1), date(2027, 12, 31))
_FOUR_YEARS: Final = (date(2024, 1, 1), date(2027, 12, 31))
_BEFORE: Final = (date(2024, 1, 1), date(2025, 12, 31))
_PERIOD: Final = (date(2026, 1, 1), date(2027, 12, 31))
_OPEN: Final = "mise en concurrence obligatoire"
_NOTICE: Final = "mise en concurrence et publicité au BOAMP ou dans un journal d'annonces légales"
_FORMAL: Final = "procédure formalisée, avis européen"
_OF_STATE: Final = "procédure formalisée, avis européen (seuil de l'État)"
_SMALL: Final = "CCP, art. R.2122-8"
_ANNEX: Final = "CCP, art. L.2124-1, annexe 2"
_WORKS: Final = "CCP, art. R.2122-8 et R.2131-12"
_WORKS_BEFORE: Final = "décret 2022-1683, art. 6 ; CCP, art. R.2131-12"

THRESHOLDS: Final = (
    Threshold("competition", "supplies", 40_000, *_TO_MARCH, _OPEN, _SMALL),
    Threshold("competition", "supplies", 60_000, *_FROM_APRIL, _OPEN, _SMALL),
    Threshold("notice", "supplies", 90_000, *_FOUR_YEARS, _NOTICE, "CCP, art. R.2131-12"),
    Threshold("notice", "works", 100_000, *_BEFORE, _NOTICE, _WORKS_BEFORE),
    Threshold("notice", "works", 100_000, *_PERIOD, _NOTICE, _WORKS),
    Threshold("formal", "supplies", 221_000, *_BEFORE, _FORMAL, _ANNEX, state=False),
    Threshold("formal", "supplies", 216_000, *_PERIOD, _FORMAL, _ANNEX, state=False),
    Threshold("formal", "supplies", 143_000, *_BEFORE, _OF_STATE, _ANNEX, state=True),
    Threshold("formal", "supplies", 140_000, *_PERIOD, _OF_STATE, _ANNEX, state=True),
    Threshold("formal", "works", 5_538_000, *_BEFORE, _FORMAL, _ANNEX),
    Threshold("formal", "works", 5_404_000, *_PERIOD, _FORMAL, _ANNEX),
)
"""`nature` is "works", or "supplies" for supplies and services alike. The rows of one code, nature
and buyer leave no day between them out."""


def crossed(
    amounts: Sequence[float],
    *,
    works: bool,
    on: date,
    state: bool = False,
    alone: float | None = None,
) -> Threshold | None:
    """The highest threshold that these sums reach together and none of them alone, at the rates of
    that day (those of the nearest period where the day has none); None when there is none.

    `state`: one of the buyers is of the State. `alone` is the most that one of them may come to by
    itself, where that is not known to be the largest of the sums."""
    nature = "works" if works else "supplies"
    total = sum(amounts)
    largest = max(amounts, default=0.0) if alone is None else alone
    held: dict[str, Threshold] = {}
    for row in THRESHOLDS:
        if row.nature == nature and row.state in (None, state):
            known = held.get(row.code)
            if known is None or _away(row, on) < _away(known, on):
                held[row.code] = row
    reached = [row for row in held.values() if largest < row.amount <= total]
    return max(reached, key=lambda row: row.amount, default=None)


def _away(row: Threshold, on: date) -> int:
    """How many days lie between a day and those at which a row holds."""
    return max(0, (row.since - on).days, (on - row.until).days)
