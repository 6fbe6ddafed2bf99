"""Typed territory codes: forms, round trips, and the codes that could be two things."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from traverse_schemas.values.place import (
    TerritoryCode,
    ZoneName,
    format_territory,
    is_territory,
    parse_territory,
    territory_guesses,
)

codes = st.one_of(
    st.just("fr"),
    st.from_regex(r"com:(?:0[1-9]|[1-9][0-4])[0-9]{3}", fullmatch=True),
    st.from_regex(r"com:2[AB][0-9]{3}", fullmatch=True),
    st.from_regex(r"cp:(?:0[1-9]|[1-8][0-9])[0-9]{3}", fullmatch=True),
    st.sampled_from(["epci:200054807", "dep:13", "dep:2A", "dep:974", "reg:93", "reg:01"]),
    st.from_regex(r"zone:[a-z0-9][a-z0-9-]{0,30}[a-z0-9]", fullmatch=True),
)


@given(codes)
def test_parse_and_format_undo_each_other(code: str) -> None:
    level, value = parse_territory(code)
    assert format_territory(level, value) == code


@given(st.one_of(codes, st.text(max_size=20)))
def test_the_json_schema_accepts_what_the_type_accepts(text: str) -> None:
    pattern = TypeAdapter(TerritoryCode).json_schema()["pattern"]
    if is_territory(text):
        assert re.search(pattern, text)


def test_13001_is_both_aix_for_insee_and_marseille_for_the_post() -> None:
    assert territory_guesses("13001") == ("com:13001", "cp:13001")


@pytest.mark.parametrize(
    ("bare", "expected"),
    [
        ("2a004", ("com:2A004",)),
        ("20000", ("com:20000", "cp:20000")),  # Corsica was 20 before 1976
        ("200054807", ("epci:200054807",)),
        ("93", ("dep:93", "reg:93")),
        ("974", ("dep:974",)),
        ("Marseille", ()),
    ],
)
def test_what_a_bare_code_could_be(bare: str, expected: tuple[str, ...]) -> None:
    assert territory_guesses(bare) == expected


@pytest.mark.parametrize(
    "code",
    [
        *(
            f"com:{code}"
            for code in ["13055", "2A004", "2B033", "97411", "97502", "98735", "13201"]
        ),
        *("cp:98714", "dep:2B", "dep:976", "reg:06"),
    ],
)
def test_codes_of_every_part_of_france(code: str) -> None:
    assert is_territory(code)


@pytest.mark.parametrize(
    "code",
    [
        *("com:1004", "com:2C004", "com:2a004", "com:96001", "com:00001", "com:130550"),
        *("cp:00100", "dep:20", "dep:96", "reg:05"),
    ],
)
def test_codes_that_france_does_not_have(code: str) -> None:
    assert not is_territory(code)


def test_the_name_of_a_zone() -> None:
    names = TypeAdapter(ZoneName)
    assert names.validate_python("qpv.qn01301") == "qpv.qn01301"
    with pytest.raises(ValidationError, match="n’est pas un nom de zone"):
        names.validate_python("Zone 1")


@pytest.mark.parametrize(
    "code", ["", "13055", "com:", "com:13055 ", "COM:13055", "epci:200054808", "fr:", "zone:-"]
)
def test_what_is_not_a_territory(code: str) -> None:
    with pytest.raises(ValidationError, match="écrivez com:CODE_INSEE"):
        TypeAdapter(TerritoryCode).validate_python(code)
