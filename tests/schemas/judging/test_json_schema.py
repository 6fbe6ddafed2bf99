"""The JSON Schemas that come with the package: up to date, compatible, and of one mind with the
models."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.schemas.samples import FULL_EVENTS, spoilt
from tests.schemas.validators import Validator, check_schema
from traverse_schemas.events import EVENT_TYPES, EventType, event_adapter
from traverse_schemas.judging.export_json_schema import (
    CURRENT,
    RELEASED,
    IncompatibleSchemaError,
    export,
    json_schema,
    json_schemas,
    main,
    text_of,
)
from traverse_schemas.judging.schema_compatibility import incompatibilities

# Values of which both must think the same.
MISFITS: tuple[Any, ...] = (None, True, -1, 1.5, "", "x" * 60_000, [], ["x"] * 1001, {}, {"a": 1})

ADAPTERS = {name: event_adapter(known) for name, known in EVENT_TYPES.items()}


def paths_in(folder: Path) -> set[str]:
    """The schemas of a folder by their paths, as the export names them."""
    return {file.relative_to(folder).as_posix() for file in folder.glob("v*/*.json")}


def released(path: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((RELEASED / path).read_text(encoding="utf-8"))
    return schema


def test_the_schemas_of_the_package_are_those_of_the_models() -> None:
    """After a change of the models: python -m traverse_schemas.judging.export_json_schema."""
    assert paths_in(CURRENT) == set(json_schemas())
    stale = [
        path
        for path, schema in json_schemas().items()
        if (CURRENT / path).read_text(encoding="utf-8") != text_of(schema)
    ]
    assert stale == []


def test_no_released_type_is_gone() -> None:
    """A publisher may go on with any type that was released."""
    assert paths_in(RELEASED)
    assert paths_in(RELEASED) <= set(json_schemas())


@pytest.mark.parametrize("path", sorted(paths_in(RELEASED)))
def test_the_models_take_what_the_released_schemas_took(path: str) -> None:
    """An incompatible change asks for a new version of the type; exporting anew is no way out."""
    assert incompatibilities(released(path), json_schemas()[path]) == []


def test_a_model_that_takes_less_is_incompatible_with_what_was_released() -> None:
    """The comparison above would tell: here with a field of a record that became required."""
    path = "v1/need.published.json"
    schema = json_schemas()[path]
    schema["$defs"]["Need"]["required"].append("cpv")
    assert incompatibilities(released(path), schema) == ["/data/cpv: is now required"]


def test_the_export_replaces_no_schema_by_one_that_takes_less(tmp_path: Path) -> None:
    """It names the file and the reason, and writes nothing."""
    export(tmp_path)
    file = tmp_path / "v1" / "call.withdrawn.json"
    wider = json.loads(file.read_text(encoding="utf-8"))
    wider["$defs"]["WithdrawalReason"]["enum"].append("mood")
    file.write_text(json.dumps(wider), encoding="utf-8")
    with pytest.raises(IncompatibleSchemaError, match=r"call\.withdrawn.*mood"):
        export(tmp_path)
    assert json.loads(file.read_text(encoding="utf-8")) == wider


def test_the_export_is_a_command(tmp_path: Path) -> None:
    """Its folder is named, or it is the package's."""
    main([str(tmp_path)])
    assert len(list(tmp_path.rglob("*.json"))) == len(EVENT_TYPES)
    with pytest.raises(SystemExit, match="un seul dossier"):
        main(["a", "b"])


@pytest.mark.parametrize("name", sorted(EVENT_TYPES))
def test_a_schema_is_one_of_its_dialect_and_names_itself(name: str) -> None:
    """JSON Schema 2020-12, with an id, a title and a description."""
    schema = json_schema(EVENT_TYPES[name])
    check_schema(schema)
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["$id"].startswith("urn:traverse:schema:")
    assert schema["title"]
    assert schema["description"]


def test_every_schema_has_an_id_of_its_own() -> None:
    """They can be kept in one registry."""
    assert len({schema["$id"] for schema in json_schemas().values()}) == len(EVENT_TYPES)


@pytest.mark.parametrize("name", sorted(EVENT_TYPES))
def test_schema_and_model_agree(name: str) -> None:
    """The full event is valid for both; with one place spoilt both say the same, place by place."""
    known = EVENT_TYPES[name]
    validator = Validator(json_schema(known))
    assert validator.takes(FULL_EVENTS[name])
    assert model_errors(FULL_EVENTS[name], known) == set()
    refused = 0
    apart = []
    for event in spoilt(FULL_EVENTS[name], MISFITS):
        errors = model_errors(event, known)
        taken = validator.takes(event)
        refused += not taken
        # The model may be stricter, by what a schema cannot say; never the other way round.
        if taken == bool(errors) and not (taken and errors <= BEYOND_SCHEMAS):
            apart.append((event, errors))
    assert refused > 20
    assert apart == []


BEYOND_SCHEMAS = {"value_error", "zone", "datetime_parsing"}
"""Sums of several fields; forms of texts that code checks."""


def model_errors(event: Any, known: EventType) -> set[str]:
    """The types of what the model finds wrong; the type of an event is looked up before."""
    if isinstance(event, dict) and event.get("type") != known.name:
        return {"type"}
    try:
        ADAPTERS[known.name].validate_json(json.dumps(event))
    except ValidationError as error:
        return {one["type"] for one in error.errors(include_url=False)}
    return set()
