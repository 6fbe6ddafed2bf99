"""Text, sums, dates and octets of feeds."""

from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traverse_producers.importers.days import add_months, read_day, start_of_day
from traverse_producers.importers.money import euros
from traverse_producers.importers.octets import Utf8Reader, lines, texts
from traverse_producers.importers.text import (
    clean,
    cut,
    title_and_description,
    web_address,
)
from traverse_schemas.judging.contacts import without_contacts


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("écrire à jean.dupre+pro@mairie-essai.fr avant midi", "écrire à … avant midi"),
        ("tél. : 04 91 00 00 00.", "tél. : …."),
        ("au 0491000000", "au …"),
        ("au +33 (0)4 91 00 00 00", "au …"),
        ("au +33 400000000", "au …"),
        ("au +32 71 23 45 67", "au …"),
        ("Contact : M. Jean Dupré, service achats", "Contact : …, service achats"),
        ("auprès de Jeanne Dupré <j@essai.fr>", "auprès de <…>"),
        (
            "la directrice, Mme Jeanne Dupré (courriel : j@essai.fr)",
            "la directrice, … (courriel : …)",
        ),
    ],
)
def test_contacts_are_removed(text: str, left: str) -> None:
    """E-mails, phones and named contacts in free text leave « … »."""
    assert without_contacts(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "SIRET 21130055300016",
        "lot 0102 : 1 250 000,00 EUR",
        "M@nche services",
        "rue Monsieur le Prince",
        "école Madame de Sévigné",
        "de +10 000 000 EUR",
        "2021/S 020-043929",
    ],
)
def test_what_is_no_contact_stays(text: str) -> None:
    """Numbers of firms, sums, streets and trade names are not taken for contacts."""
    assert without_contacts(text) == text


@given(st.text(max_size=200), st.integers(min_value=20, max_value=80))
def test_cut_text_is_never_too_long(text: str, limit: int) -> None:
    """Cutting keeps a beginning of the text within the limit, and what is short untouched."""
    short = cut(text, limit)
    assert len(short) <= limit
    assert short == text or (short.endswith(" …") and text.startswith(short[:-2]))


def test_a_long_title_is_kept_whole_in_the_description() -> None:
    """A title beyond 500 characters is cut at a word; the description begins with all of it."""
    long = " ".join(["réfection"] * 80)
    title, description = title_and_description(long, "Autre.", "Autre.")
    assert len(title) <= 500 and title.endswith("réfection …")
    assert description == f"{long}\nAutre."


def test_a_description_that_repeats_the_title_is_left_out() -> None:
    """A paragraph equal to the title, but for case and the full stop, adds nothing."""
    assert title_and_description("Voirie", "VOIRIE.") == ("Voirie", None)


def test_null_in_words_is_nothing() -> None:
    """« NULL », as database exports write it, and white space of any kind are nothing."""
    assert clean("NULL") == clean(" \u00a0\u200b\n") == clean(None) == ""


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("www.essai.fr", "http://www.essai.fr"),
        ("HTTPS://essai.fr/a?b=1", "https://essai.fr/a?b=1"),
        ("essai.fr", None),
        ("mailto:a@essai.fr", None),
        ("https://essai.fr/?m=a@essai.fr", None),
        ("javascript:alert(1)", None),
        ("https://essai.fr/a b", None),
    ],
)
def test_addresses_of_pages(written: str, address: str | None) -> None:
    """Only http(s) addresses without an e-mail in them are kept."""
    assert web_address(written) == address


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("21 667,00 €", 21667),
        ("1\u202f026\u00a0800,50 €", 1026800.5),
        (Decimal("10.005"), 10.01),
        ("212000.00", 212000),
        (0, None),
        (-5, None),
        (Decimal("0.001"), None),
        (10**12, None),
        (Decimal("NaN"), None),
        ("environ 5", None),
        ("", None),
        (True, None),
    ],
)
def test_sums(written: object, value: float | None) -> None:
    """French and English decimals with any spaces; nothing, mistakes and symbols are None."""
    assert euros(written) == value


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2018-12-17+01:00", date(2018, 12, 17)),
        ("20210129", date(2021, 1, 29)),
        ("2024-05-15T10:00:00Z", date(2024, 5, 15)),
        ("0218-10-29", None),
        ("2021-02-30", None),
        ("", None),
        (None, None),
    ],
)
def test_days(written: object, day: date | None) -> None:
    """A day is read with or without offset; a year that is a typing mistake is not guessed at."""
    assert read_day(written) == day


def test_a_day_begins_where_the_thing_is() -> None:
    """A bare date begins at midnight of its zone, overseas ones included."""
    assert start_of_day(date(2021, 1, 29)).isoformat() == "2021-01-29T00:00:00+01:00"
    assert start_of_day(date(2021, 1, 29), "Indian/Reunion").isoformat().endswith("+04:00")


def test_months_end_with_their_last_day() -> None:
    """A month after 31 January is the end of February, and no date is beyond 2200."""
    assert add_months(date(2023, 1, 31), 1) == date(2023, 2, 28)
    assert add_months(date(2023, 12, 1), 12) == date(2024, 12, 1)
    assert add_months(date(2023, 12, 1), 12_000) is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_any_encoding_is_read(encoding: str) -> None:
    """UTF-8 with or without mark, UTF-16 and Windows-1252 give the same lines."""
    octets = "Étude;10 €\r\nForêt\n".encode(encoding)
    assert list(lines(BytesIO(octets))) == ["Étude;10 €\r\n", "Forêt\n"]


def test_a_file_of_two_encodings_is_read() -> None:
    """Rows pasted from another system do not spoil the others."""
    assert "".join(texts(BytesIO("é".encode() + b"\xe9" + "é".encode()))) == "ééé"


@given(st.lists(st.text(alphabet="aé€\n", max_size=8), max_size=5))
def test_lines_are_the_text(parts: list[str]) -> None:
    """Lines put together again are what was read, whatever the pieces."""
    text = "".join(parts)
    assert "".join(lines(BytesIO(text.encode()))) == text
    assert Utf8Reader(BytesIO(text.encode())).read() == text.encode()
