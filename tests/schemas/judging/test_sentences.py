"""What is wrong with an event is said in French, with its place, whatever pydantic found."""

import json
from typing import Any, get_args

import pytest
from pydantic import ValidationError
from pydantic_core.core_schema import ErrorType

from tests.schemas.samples import FULL_EVENTS, spoilt
from traverse_schemas.events import EVENT_TYPES, event_adapter
from traverse_schemas.judging.sentences import _SENTENCES, Problem, explain

_NUMBERS = (
    "gt ge lt le multiple_of min_length max_length actual_length max_digits decimal_places "
    "whole_digits tz_expected tz_actual expected_version"
)
_TEXTS = (
    "field_type pattern class class_name expected_plural method_name attribute function_name "
    "discriminator tag expected_tags expected_schemes encoding encoding_error mapping_type name"
)
# What pydantic's messages need, all of them at once: each takes its own and leaves the others.
CONTEXT: dict[str, Any] = {
    **dict.fromkeys(_NUMBERS.split(), 3),
    **dict.fromkeys(_TEXTS.split(), "x"),
    "expected": "'a' or 'b'",
    "error": "mauvais",
}


def problem(type_: str, *place: str | int, **context: Any) -> Problem:
    """The one problem of an error of this type at this place."""
    given = {**CONTEXT, **context}
    if type_ in ("value_error", "assertion_error"):
        given["error"] = ValueError("ni espace ni rien.")
    error = ValidationError.from_exception_data(
        "essai", [{"type": type_, "loc": place, "input": 1, "ctx": given}]
    )
    (only,) = explain(error)
    return only


@pytest.mark.parametrize("type_", sorted(get_args(ErrorType)))
def test_every_error_of_pydantic_gives_a_french_sentence(type_: str) -> None:
    """Also those that our models cannot produce today: a new field must not speak English."""
    sentence = problem(type_, "data", "title").sentence
    assert sentence.endswith(".")
    assert sentence.startswith(("Le champ title ", "La liste title ", "Ce n'est pas du JSON"))
    assert not {"should", "Input", "must", "Field", "Value", "valid"} & set(sentence.split())


def test_every_error_that_our_models_give_has_a_sentence_of_its_own() -> None:
    """The fallback is for what nobody foresaw; what an event with one wrong place does was."""
    types: set[str] = set()
    problems: set[Problem] = set()
    for name, whole in FULL_EVENTS.items():
        adapter = event_adapter(EVENT_TYPES[name])
        for text in ("{", *map(json.dumps, spoilt(whole))):
            try:
                adapter.validate_json(text)
            except ValidationError as error:
                types.update(one["type"] for one in error.errors(include_url=False))
                problems.update(explain(error))
    assert types & set(get_args(ErrorType)) <= _SENTENCES.keys()
    assert {"missing", "extra_forbidden", "enum", "json_invalid", "value_error", "siren"} <= types
    assert [one for one in problems if not one.sentence.endswith(".")] == []


def test_what_is_wrong_inside_says_more_than_what_is_wrong_around_it() -> None:
    """A list of which every item is refused counts as too short too; that is not told twice."""
    whole = {**FULL_EVENTS["fr.traverse.project.published.v1"]}
    whole["data"] = {**whole["data"], "place": ["x", "y"], "themes": ["t"] * 21}
    with pytest.raises(ValidationError) as caught:
        event_adapter(EVENT_TYPES[whole["type"]]).validate_json(json.dumps(whole))
    assert [pointer for pointer, _ in explain(caught.value)] == [
        "/data/themes",
        "/data/place/0",
        "/data/place/1",
    ]


def test_a_hundred_thousand_problems_are_told_in_one_pass() -> None:
    """One event must not hold the platform up: compared pair by pair this would take an hour."""
    whole = {**FULL_EVENTS["fr.traverse.project.published.v1"]}
    whole["data"] = {**whole["data"], "references": [1] * 100_000}
    with pytest.raises(ValidationError) as caught:
        event_adapter(EVENT_TYPES[whole["type"]]).validate_json(json.dumps(whole))
    assert len(explain(caught.value)) == 100_000


@pytest.mark.parametrize(
    ("place", "pointer"),
    [
        ((), ""),
        (("data", "lots", 0, "title"), "/data/lots/0/title"),
        (("data", "a/b~c"), "/data/a~1b~0c"),
    ],
)
def test_pointers_are_those_of_rfc_6901(place: tuple[str | int, ...], pointer: str) -> None:
    """Programs find the place by it."""
    assert problem("missing", *place).pointer == pointer


def test_the_element_of_a_list_is_named_with_its_list() -> None:
    """« Le champ 0 » would say nothing."""
    assert "lots/0" in problem("model_type", "data", "lots", 0).sentence


def test_the_whole_event_is_called_the_event() -> None:
    """It is no field."""
    assert problem("model_type").sentence == (
        "L'événement doit être un objet JSON, entre accolades."
    )


def test_our_own_validators_speak_for_themselves() -> None:
    """Their French text comes through, with one full stop."""
    assert problem("value_error", "id").sentence == "Le champ id est refusé : ni espace ni rien."
