"""What is wrong is told by the names that the pages give to fields and filters."""

import json
from typing import get_args

import pytest
from pydantic import ValidationError
from pydantic_core.core_schema import ErrorType

from tests.schemas.judging.test_sentences import problem
from tests.schemas.samples import FULL_EVENTS, spoilt
from traverse_schemas.events import EVENT_TYPES, event_adapter
from traverse_schemas.judging.sentences import Problem, explain
from traverse_schemas.records.models import MODELS
from traverse_search_api.pages.institution.field_names import (
    FIELDS,
    FILTERS,
    NEED_FIELDS,
    fault_of,
    field_of,
    need_faults,
)
from traverse_search_api.pages.need.outcome import outcome_of
from traverse_search_api.pages.search_parameters import first_fault
from traverse_search_api.parameters import SearchParameters


@pytest.mark.parametrize(
    ("pointer", "name"),
    [
        ("/data/place/0", "Lieu"),
        ("/data/place/1", "Lieu (n° 2)"),
        ("/data/amounts/0/value", "Montant"),
        ("/data/deadlines/1/at", "Échéance (n° 2)"),
        ("/data/lots/0/deadline/at", "Lots (n° 1), échéance"),
        ("/data/record/owner/id", "Porteur, identifiant"),
        ("/id", "Identifiant de l’événement"),
        ("/data/a~1b", "A/b"),
        ("/data", ""),
        ("", ""),
    ],
)
def test_a_field_is_called_as_on_its_page(pointer: str, name: str) -> None:
    assert field_of(pointer) == name


def test_every_field_of_a_record_has_a_french_name() -> None:
    for model in MODELS.values():
        assert set(model.model_fields) <= FIELDS.keys()
        assert all(FIELDS[name] for name in model.model_fields)


def test_every_parameter_of_a_search_has_a_french_name() -> None:
    assert SearchParameters.model_fields.keys() == FILTERS.keys()


@pytest.mark.parametrize("type_", sorted(get_args(ErrorType)))
def test_no_fault_of_a_field_names_it_as_the_schema_does(type_: str) -> None:
    told = problem(type_, "data", "title")
    sentence = fault_of(told.pointer, told.sentence)
    assert " title " not in sentence and "_" not in sentence and sentence.endswith(".")
    assert "« Titre »" in sentence or "JSON" in sentence


def test_what_is_wrong_with_an_event_is_said_without_a_pointer_or_a_pattern() -> None:
    problems: set[Problem] = set()
    for name, whole in FULL_EVENTS.items():
        adapter = event_adapter(EVENT_TYPES[name])
        for text in map(json.dumps, spoilt(whole)):
            try:
                adapter.validate_json(text)
            except ValidationError as error:
                problems.update(explain(error))
    assert problems
    for pointer, sentence in sorted(problems):  # those of one field share its pattern
        said = fault_of(pointer, sentence)
        assert "/0" not in said and "^" not in said, said


def test_what_the_gateway_refuses_of_a_need_is_said_beside_its_field() -> None:
    long = problem("string_too_long", "data", "title", max_length=500)
    place = problem("string_pattern_mismatch", "data", "place", 0, pattern="^[a-z]+$")
    assert need_faults([long, place]) == {
        "titre": "Le champ « De quoi a-t-on besoin ? » a plus de 500 caractères : "
        "raccourcissez-le.",
        "lieu": "Le champ « Où ? » n'a pas la forme attendue.",
    }
    assert need_faults([long, problem("missing", "id")]) == {}
    assert need_faults([]) == {}
    assert len({field for field, _ in NEED_FIELDS.values()}) == len(NEED_FIELDS)


def test_why_a_need_is_refused_later_is_said_by_the_names_of_its_form() -> None:
    sentence = "Le champ title est refusé : il nomme quelqu'un."
    trace = {"end": "rejected", "pointer": "/data/title", "sentence": sentence}
    told = outcome_of(trace, "besoin-x", "x").sentence
    assert told.endswith("Le champ « De quoi a-t-on besoin ? » est refusé : il nomme quelqu'un.")
    assert "La raison n’est pas connue." in outcome_of({"end": "rejected"}, "b", "x").sentence


@pytest.mark.parametrize(
    ("asked", "name", "said"),
    [
        ({"kind": ["chose"]}, "kind", "Le filtre « Nature » n’admet pas « chose »"),
        ({"theme": ["chose"]}, "theme", "Le filtre « Thème » n’admet pas « chose »"),
        ({"reach": "loin"}, "reach", "Le filtre « Territoire » n’admet pas « loin »"),
        ({"amount_min": "beaucoup"}, "amount_min", "« Au moins » ne peut pas être lu : « beaucoup"),
        ({"deadline_to": "demain"}, "deadline_to", "« demain » n’est pas une date"),
        ({"chose": "x"}, "chose", "Le filtre « chose » n’existe pas"),
    ],
)
def test_a_filter_is_called_as_on_the_search_page(
    asked: dict[str, object], name: str, said: str
) -> None:
    with pytest.raises(ValidationError) as raised:
        SearchParameters.model_validate(asked)
    fault = first_fault(raised.value)
    assert fault[0] == name
    assert said in fault[1] and fault[1].endswith(".")
    assert "'" not in fault[1] and "need" not in fault[1]
