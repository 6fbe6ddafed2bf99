"""The JSON Schema validator that tests compare the models with."""

from typing import Any

# This one dependency of the tests alone ships no types.
from jsonschema import (  # type: ignore[import-untyped]
    Draft202012Validator,
    FormatChecker,
)


def check_schema(schema: dict[str, Any]) -> None:
    """Raises when the schema is none of JSON Schema 2020-12."""
    Draft202012Validator.check_schema(schema)


class Validator:
    """Judges values by one schema; dates must exist."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._validator = Draft202012Validator(schema, format_checker=FormatChecker())

    def takes(self, value: object) -> bool:
        return bool(self._validator.is_valid(value))
