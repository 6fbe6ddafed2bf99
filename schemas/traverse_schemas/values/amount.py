"""Amounts of money in euros."""

from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer
from pydantic_core import PydanticCustomError

LIMIT = Decimal(10) ** 12
"""No amount reaches a million millions of euros: one that does is a mistake of unit."""

_CENT = Decimal("0.01")


def _check_euros(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise PydanticCustomError(
            "euros_type", "Un montant est un nombre d’euros, sans symbole ni guillemets : 1234.56."
        )
    # By way of text: a JSON number read as a binary float keeps the decimals that were written.
    amount = value if isinstance(value, Decimal) else Decimal(str(value))
    if not amount.is_finite() or amount < 0 or amount >= LIMIT:
        raise PydanticCustomError(
            "euros_range",
            "Le montant « {value} » doit être compris entre 0 et mille milliards d’euros : "
            "vérifiez le signe et l’unité.",
            {"value": str(value)[:40]},
        )
    if amount != amount.quantize(_CENT):
        raise PydanticCustomError(
            "euros_decimals",
            "Le montant « {value} » a plus de deux décimales : arrondissez-le au centime.",
            {"value": str(value)[:40]},
        )
    return amount


Euros = Annotated[
    Decimal,
    BeforeValidator(_check_euros, json_schema_input_type=float),
    # Below 10^12 with two decimals, a binary64 float prints the very decimals it was given.
    PlainSerializer(float, return_type=float, when_used="json"),
    Field(
        description="Euros, from 0 to less than 10^12, to the cent.",
        json_schema_extra={"minimum": 0, "exclusiveMaximum": 1_000_000_000_000},
        examples=[125000, 1234.56],
    ),
]
"""A Decimal of euros, 0 <= amount < 10^12, at most two decimals; a number in JSON."""
