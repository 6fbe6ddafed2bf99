"""SIREN and SIRET: the Luhn formula, La Poste, and what people type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from traverse_schemas.values.siren import (
    Siren,
    is_siren,
    is_siret,
    luhn_ok,
    normalise_siret,
)

digits = st.text("0123456789", min_size=1, max_size=20)


def with_check_digit(stem: str) -> str:
    return next(stem + digit for digit in "0123456789" if luhn_ok(stem + digit))


@given(digits)
def test_exactly_one_check_digit_is_right(stem: str) -> None:
    assert sum(luhn_ok(stem + digit) for digit in "0123456789") == 1


@given(st.text("0123456789", min_size=8, max_size=8), st.data())
def test_one_wrong_digit_is_always_seen(stem: str, data: st.DataObject) -> None:
    siren = with_check_digit(stem)
    place = data.draw(st.integers(0, 8))
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != siren[place]]))
    assert not is_siren(siren[:place] + other + siren[place + 1 :])


@given(st.text(max_size=16))
def test_any_text_is_answered_without_an_error(text: str) -> None:
    is_siren(text), is_siret(text), normalise_siret(text)


@pytest.mark.parametrize("text", ["211300553", "200054807", "356000000", "732829320"])
def test_real_siren(text: str) -> None:
    assert TypeAdapter(Siren).validate_python(text) == text


@pytest.mark.parametrize(
    "text", ["211300554", "000000000", "21130055", "211 300 553", "²11300553", "٢١١٣٠٠٥٥٣", ""]
)
def test_what_is_not_a_siren(text: str) -> None:
    with pytest.raises(ValidationError, match="n’est pas un SIREN"):
        TypeAdapter(Siren).validate_python(text)


def test_la_poste_counts_its_establishments_otherwise() -> None:
    assert is_siret("35600000000048")  # the head office: Luhn holds
    assert is_siret("35600000049837")  # the sum of the digits is 45
    assert not luhn_ok("35600000049837")
    assert not is_siret("35600000049838")


@pytest.mark.parametrize("text", ["73282932000074", "21130055300016"])
def test_real_siret(text: str) -> None:
    assert is_siret(text)


def test_a_siret_needs_a_right_siren_too() -> None:
    assert luhn_ok("73282932100007")
    assert not is_siret("73282932100007")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" 211 300 553 00016 ", "21130055300016"),
        ("211\u00a0300\u00a0553", "211300553"),
        ("211.300.553", "211300553"),
        ("211300554", "211300554"),  # wrong check digit: kept, to be flagged
        ("2113005", None),
        ("FR12211300553", None),
        ("", None),
    ],
)
def test_numbers_as_people_type_them(text: str, expected: str | None) -> None:
    assert normalise_siret(text) == expected


def test_the_json_schema_shows_the_form() -> None:
    schema = TypeAdapter(Siren).json_schema()
    assert schema["pattern"] == "^[0-9]{9}$"
    assert schema["type"] == "string"
