"""A document as the index holds it: with what only searches and facets need beside it.

It is computed as the document is written, and is not on the log: a rebuild has it anew.
"""

from collections.abc import Mapping
from typing import Any, Final

from traverse_schemas.documents.counted import COUNTED, counted
from traverse_schemas.documents.other_languages import TEXTS, texts_of

OWNER_NAME: Final = "owner_name"
"""The field of the names of whose thing it is: `institutions.name` has those of its relays too."""

INDEX_FIELDS: Final = frozenset({COUNTED, TEXTS, OWNER_NAME})
"""The fields that nobody is shown."""


def indexed(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """A document (`document.Document`) or a stub, which stays as it is."""
    if document.get("stub"):
        return document
    named = document.get("institutions", ())
    owners = [one.get("name") for one in named if one.get("role") == "owner"]
    return {
        **document, **texts_of(document), COUNTED: counted(document), OWNER_NAME: owners,
    }  # fmt: skip
