"""Reads the packed tables. The only module that knows how the data files are laid out."""

import gzip
import json
from importlib.resources import files
from typing import Any

from traverse_schemas.errors import TraverseError

Columns = dict[str, list[Any]]
"""A table by columns of equal length: texts or integers.

An absent value is "", several are apart by spaces, and degrees are in ten-thousandths."""


class BrokenReferenceError(TraverseError):
    """A reference table of the distribution is missing or damaged."""


def read(name: str) -> dict[str, Any]:
    """The content of one data file. Raises BrokenReferenceError when it cannot be read."""
    try:
        packed = files("traverse_schemas.reference").joinpath("data", name).read_bytes()
        content: dict[str, Any] = json.loads(gzip.decompress(packed))
    except (OSError, EOFError, ValueError) as error:
        raise BrokenReferenceError(
            f"La table de référence {name} est absente ou abîmée : réinstallez traverse."
        ) from error
    return content
