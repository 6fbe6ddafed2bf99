"""Rows of compacted tables that are models: from octets, without saying what they hold."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

Row = TypeVar("Row", bound=BaseModel)


def read_row(model: type[Row], octets: bytes) -> Row:
    """A row of a topic. Raises ValueError for octets that are none."""
    try:
        return model.model_validate_json(octets)
    except ValidationError as error:
        # Without the input: a row may hold an address, a hash, or what a stranger wrote.
        raise ValueError(f"{error.error_count()} fautes : {error.errors()[0]['type']}") from None
