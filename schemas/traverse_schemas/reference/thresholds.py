"""The thresholds of public procurement, dated: what a sum obliges a buyer to.

Source of each row: the Code de la commande publique (CCP), articles named, and its annexe 2 (avis
relatif aux seuils de procédure, renewed every two years after the Commission's regulations). Sums
are euros before tax, for a whole need; those of formal procedures are for territorial bodies
(those of the State are lower).
"""

from datetime import date
from typing import Final, NamedTuple


class Threshold(NamedTuple):
    """From this sum on, `label` (French) holds; in force from `since` to `until`, both included."""

    code: str
    nature: str
    amount: int
    since: date
    until: date
    label: str
    source: str


_PERIOD: Final = (date(2026, 1, 1), date(2027, 12, 31))
_BEFORE: Final = (date(2024, 1, 1), date(2025, 12, 31))
_OPEN: Final = "mise en concurrence obligatoire"
_NOTICE: Final = "publicité au BOAMP ou dans un journal d'annonces légales"
_FORMAL: Final = "procédure formalisée, avis européen"

THRESHOLDS: Final = (
    Threshold("competition", "supplies", 60_000, *_PERIOD, _OPEN, "CCP, art. R.2122-8"),
    Threshold("competition", "works", 100_000, *_PERIOD, _OPEN, "CCP, art. R.2122-8"),
    Threshold("notice", "supplies", 90_000, *_PERIOD, _NOTICE, "CCP, art. R.2131-12"),
    Threshold("notice", "works", 90_000, *_PERIOD, _NOTICE, "CCP, art. R.2131-12"),
    Threshold("formal", "supplies", 216_000, *_PERIOD, _FORMAL, "CCP, art. L.2124-1, annexe 2"),
    Threshold("formal", "works", 5_404_000, *_PERIOD, _FORMAL, "CCP, art. L.2124-1, annexe 2"),
    Threshold("competition", "supplies", 40_000, *_BEFORE, _OPEN, "CCP, art. R.2122-8"),
    Threshold("competition", "works", 100_000, *_BEFORE, _OPEN, "décret 2022-1683, art. 6"),
    Threshold("notice", "supplies", 90_000, *_BEFORE, _NOTICE, "CCP, art. R.2131-12"),
    Threshold("notice", "works", 90_000, *_BEFORE, _NOTICE, "CCP, art. R.2131-12"),
    Threshold("formal", "supplies", 221_000, *_BEFORE, _FORMAL, "CCP, art. L.2124-1, annexe 2"),
    Threshold("formal", "works", 5_538_000, *_BEFORE, _FORMAL, "CCP, art. L.2124-1, annexe 2"),
)
"""`nature` is "works", or "supplies" for supplies and services alike."""


def crossed(amounts: list[float], *, works: bool, on: date) -> Threshold | None:
    """The highest threshold that these sums reach together and none of them alone, at the rates of
    that day (those of the nearest period where the day has none); None when there is none."""
    nature = "works" if works else "supplies"
    rows = [row for row in THRESHOLDS if row.nature == nature]
    current = [row for row in rows if row.since <= on <= row.until]
    if not current:
        last = max(row.until for row in rows) < on
        edge = max(row.since for row in rows) if last else min(row.since for row in rows)
        current = [row for row in rows if row.since == edge]
    total, largest = sum(amounts), max(amounts, default=0)
    reached = [row for row in current if largest < row.amount <= total]
    return max(reached, key=lambda row: row.amount, default=None)
