"""Euros: bounds, cents, and JSON numbers that keep their decimals."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from traverse_schemas.values.amount import Euros

adapter: TypeAdapter[Decimal] = TypeAdapter(Euros)
amounts = st.decimals(0, Decimal("999999999999.99"), places=2)


@given(amounts)
def test_an_amount_survives_json(amount: Decimal) -> None:
    assert adapter.validate_json(adapter.dump_json(amount)) == amount


def test_json_holds_a_number() -> None:
    assert json.loads(adapter.dump_json(Decimal("1234.50"))) == 1234.5
    assert json.loads(adapter.dump_json(Decimal(125000))) == 125000


@pytest.mark.parametrize("value", [-1, 1e12, float("nan"), float("inf"), Decimal("-0.01")])
def test_bounds(value: object) -> None:
    with pytest.raises(ValidationError, match="compris entre 0 et mille milliards"):
        adapter.validate_python(value)


def test_less_than_a_cent_is_refused() -> None:
    with pytest.raises(ValidationError, match="plus de deux décimales"):
        adapter.validate_python(0.001)


@pytest.mark.parametrize("value", ["12", True, None, [1]])
def test_only_numbers(value: object) -> None:
    with pytest.raises(ValidationError, match="sans symbole ni guillemets"):
        adapter.validate_python(value)


def test_it_works_in_strict_models() -> None:
    class Priced(BaseModel):
        model_config = ConfigDict(strict=True)
        amount: Euros

    assert Priced.model_validate_json('{"amount": 0.29}').amount == Decimal("0.29")
    assert Priced.model_validate({"amount": 12}).amount == 12
    assert Priced.model_json_schema()["properties"]["amount"]["type"] == "number"
