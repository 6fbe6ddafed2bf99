"""A document as the index holds it: with what only searches and facets need beside it.

It is computed as the document is written, and is not on the log: a rebuild has it anew.
"""

from collections.abc import Mapping
from string import ascii_lowercase, ascii_uppercase
from typing import Any, Final

from traverse_schemas.documents.counted import COUNTED, counted
from traverse_schemas.documents.other_languages import TEXTS, texts_of

OWNER_NAME: Final = "owner_name"
"""The field of the names of whose thing it is: `institutions.name` has those of its relays too."""

REFERENCE_KEYS: Final = "reference_keys"
"""The field of the references as they are looked for (`caseless`)."""

INDEX_FIELDS: Final = frozenset({COUNTED, TEXTS, OWNER_NAME, REFERENCE_KEYS})
"""The fields that nobody is shown."""


_CASELESS: Final = str.maketrans(ascii_uppercase, ascii_lowercase)


def caseless(reference: str) -> str:
    """A reference whatever its case, as a key: Elasticsearch would make an automaton of every text
    that is searched, and look through all references, to not look at the case."""
    return reference.translate(_CASELESS)


def indexed(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """A document (`document.Document`) or a stub, which stays as it is."""
    if document.get("stub"):
        return document
    named = document.get("institutions", ())
    owners = [one.get("name") for one in named if one.get("role") == "owner"]
    return {
        **document,
        **texts_of(document),
        COUNTED: counted(document),
        OWNER_NAME: owners,
        REFERENCE_KEYS: [caseless(one) for one in document.get("references", ())],
    }
