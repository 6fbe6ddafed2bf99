"""Parameters are read as the contract says, and refused with a cause."""

import unicodedata

import pytest
from pydantic import ValidationError

from traverse_search_api.filters.parameter_filters import other_filters
from traverse_search_api.parameters import Facet, SearchParameters


def test_several_values_come_by_repetition_or_commas() -> None:
    """Both spellings of a list mean the same, and empty values are nothing."""
    comma = SearchParameters.model_validate({"kind": ["call,need"]})
    repeated = SearchParameters.model_validate({"kind": ["call", "need", ""]})
    assert comma == repeated
    assert [kind.value for kind in comma.kind] == ["call", "need"]


@pytest.mark.parametrize(
    ("typed", "code"), [("45", "45000000"), ("4523", "45230000"), ("45233140-2", "45233140")]
)
def test_a_cpv_code_may_be_short(typed: str, code: str) -> None:
    """A division or a group is asked for by its first digits."""
    assert SearchParameters.model_validate({"cpv": [typed]}).cpv == (code,)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("211300553", ("211300553",)),
        ("21130055300016", ("211300553",)),
        ("211.300.553", ("211300553",)),
        ("211 300 553 00016, 200-054-807", ("211300553", "200054807")),
        ("211300553,200054807", ("211300553", "200054807")),
        ("Lyon, métropole", ("Lyon, métropole",)),
    ],
)
def test_an_institution_is_a_siren_a_siret_or_a_name(typed: str, read: tuple[str, ...]) -> None:
    """A comma separates numbers, and belongs to names."""
    assert SearchParameters.model_validate({"institution": [typed]}).institution == read


def test_all_facets_come_by_default_and_none_on_demand() -> None:
    """The answer has facets; who wants speed says none, who draws a map asks for parts."""
    assert {*Facet} - {*SearchParameters().facets} == {Facet.PART}
    assert SearchParameters.model_validate({"facets": ["none"]}).facets == ()
    assert SearchParameters.model_validate({"facets": ["kind,cpv"]}).facets == (
        Facet.KIND,
        Facet.CPV,
    )


@pytest.mark.parametrize(
    "refused",
    [
        {"kind": ["tender"]},
        {"theme": ["nope"]},
        {"cpv": ["4"]},
        {"institution": ["1234"]},
        {"near": "Marseille"},
        {"near": "91,5"},
        {"near": "nan,5"},
        {"radius": "0"},
        {"as_of": "hier"},
        {"deadline_from": "2026-13-01"},
        {"deadline_from": "31/02/2026"},
        {"published_to": "0001-01-01"},
        {"amount_min": "-1"},
        {"amount_max": "inf"},
        {"size": "101"},
        {"sort": "price"},
        {"q": "x" * 1001},
        {"q": "x " * 101},
        {"q": "x-" * 101},
        {
            "institution": ["un deux trois quatre cinq six"]
            + [f"commune {n}" * 9 for n in range(199)]
        },
        {"territoire": "13"},
    ],
)
def test_what_cannot_be_meant_is_refused(refused: dict[str, object]) -> None:
    """Silence would give a result that looks right; an unknown name is refused too."""
    with pytest.raises(ValidationError):
        SearchParameters.model_validate(refused)


def test_dates_and_amounts_may_be_written_as_people_do() -> None:
    """A form's field takes what a letter would say; so do amounts with spaces that do not break."""
    asked = SearchParameters.model_validate(
        {"deadline_to": "30/06/2026", "amount_min": "40 000", "amount_max": "1\u202f500,50 €"}
    )
    assert (asked.amount_min, asked.amount_max) == (40_000, 1_500.5)
    iso = SearchParameters.model_validate({"deadline_to": "2026-06-30"})
    assert other_filters(asked)["deadline"] == other_filters(iso)["deadline"]


def test_the_empty_fields_of_a_form_are_absent() -> None:
    """A form without JavaScript sends every field."""
    empty = {"q": "", "kind": [""], "near": "", "as_of": "", "deadline_to": "", "amount_min": ""}
    assert SearchParameters.model_validate(empty) == SearchParameters()


def test_accents_that_stand_apart_are_the_same_letters() -> None:
    """A Mac copies them so: each would end a word, and no record has them."""
    typed = " ".join(["éèé"] * 90)
    apart = unicodedata.normalize("NFD", typed)
    asked = SearchParameters.model_validate(
        {"q": apart, "literal": [apart[:20]], "institution": [unicodedata.normalize("NFD", "Sète")]}
    )
    assert (asked.q, asked.institution) == (typed, ("Sète",))
    assert typed.startswith(asked.literal[0])
    assert SearchParameters.model_validate({"q": unicodedata.normalize("NFD", "é" * 600)}).q
