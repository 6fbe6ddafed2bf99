"""Numbers and sums as French writes them: the one place that says so. Pure."""

from typing import Final

_THIN: Final = "\u202f"  # between thousands
_NO_BREAK: Final = "\u00a0"


def number(value: float) -> str:
    """`1204` -> « 1 204 », to the unit."""
    return f"{round(value):,}".replace(",", _THIN)


def euros(value: float, *, cents: bool = False) -> str:
    """`1204000` -> « 1 204 000 € », to the euro; with the cents that there are, where these are
    asked for and of less than one euro."""
    part = value != int(value) if cents else 0 < value < 1
    digits = f"{value:,.2f}".replace(",", _THIN).replace(".", ",") if part else number(value)
    return f"{digits}{_NO_BREAK}€"
