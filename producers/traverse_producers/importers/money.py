"""Sums of money as feeds write them."""

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from traverse_schemas.values.amount import LIMIT

_CENT = Decimal("0.01")
_NUMBER = re.compile(r"-?[0-9]+(?:[.,][0-9]+)?")
_NOISE = re.compile(r"[\s€]|EUR", re.IGNORECASE)


def euros(value: object) -> int | float | None:
    """A sum in euros, to the cent, as JSON has it; None when it says nothing.

    Takes numbers, and text with French decimals and any spaces (`"21 667,00 €"`). 0 is how feeds
    say "unknown"; a negative sum, or one of a million millions, is a mistake.
    """
    if value is None or isinstance(value, bool):
        return None
    text = _NOISE.sub("", str(value))
    if not isinstance(value, Decimal | int | float) and _NUMBER.fullmatch(text) is None:
        return None
    try:
        amount = Decimal(text.replace(",", "."))
        if not amount.is_finite() or not 0 < amount < LIMIT:
            return None
        amount = amount.quantize(_CENT, ROUND_HALF_UP)
    except InvalidOperation:
        return None
    if not 0 < amount < LIMIT:
        return None
    return int(amount) if amount == amount.to_integral_value() else float(amount)
