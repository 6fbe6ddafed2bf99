"""The parameters of a request, read from its address into a model and described in the OpenAPI.

FastAPI can do both from the model itself, and takes a millisecond for it at each request: it looks
at every field's type anew. A search has few milliseconds to spend.
"""

from collections.abc import Collection
from functools import cache
from typing import Any, Final, TypeVar, get_origin

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)

_UNWANTED: Final = ("title", "default")


def read_query(request: Request, model: type[Model]) -> Model:
    """The address's parameters as the model. The last value of a repeated one counts, all of them
    where the model has a tuple. Raises RequestValidationError."""
    many = _many(model)
    given: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        if name in many:
            given.setdefault(name, []).append(value)
        else:
            given[name] = value
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise RequestValidationError(
            [{**found, "loc": ("query", *found["loc"])} for found in error.errors()]
        ) from None


def described(model: type[BaseModel], without: Collection[str] = ()) -> dict[str, Any]:
    """What `openapi_extra` of a route needs so that its description names the parameters.

    `without` are taken, and do nothing there: no reason to offer them.
    """
    many = _many(model)
    parameters = []
    for name, whole in whole_schema(model)["properties"].items():
        if name in without:
            continue
        parameter: dict[str, Any] = {
            "name": name,
            "in": "query",
            "required": False,
            "schema": {key: value for key, value in whole.items() if key not in _UNWANTED},
        }
        if "description" in whole:
            parameter["description"] = parameter["schema"].pop("description")
        if name in many:
            parameter |= {"style": "form", "explode": True}
        parameters.append(parameter)
    return {"parameters": parameters}


@cache
def _many(model: type[BaseModel]) -> frozenset[str]:
    fields = model.model_fields.items()
    return frozenset(name for name, field in fields if get_origin(field.annotation) is tuple)


def whole_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of a model as a description needs it: in one piece, without the docstrings
    of classes, which are for who reads the code."""
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})
    for each in (schema, *definitions.values()):
        each.pop("description", None)
    whole: dict[str, Any] = _inline(schema, definitions)
    return whole


def _inline(schema: Any, definitions: dict[str, Any]) -> Any:
    """A schema without references, and without null: what one cannot say one leaves out."""
    if isinstance(schema, list):
        return [_inline(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        named = definitions[schema["$ref"].rpartition("/")[2]]
        return _inline(named, definitions) | _inline(beside, definitions)
    whole = {key: _inline(value, definitions) for key, value in schema.items()}
    choices = [part for part in whole.get("anyOf", ()) if part != {"type": "null"}]
    if len(choices) == 1:
        del whole["anyOf"]
        whole |= choices[0]
    return whole
