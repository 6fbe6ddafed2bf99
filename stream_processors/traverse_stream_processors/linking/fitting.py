"""Fitting: what many records say together fits into one message, whatever they say. Pure."""

from typing import Any, Final

import orjson

from traverse_schemas.log.topics import MAX_EVENT_BYTES
from traverse_stream_processors.linking.ended import Document

MOST_OCTETS: Final = 3 * MAX_EVENT_BYTES
"""JSON of a merged document at most: the topic takes 4 events' worth, and a message has more than
its document."""

SHORTENED: Final = "shortened"
"""The flag of a document that does not show all: the records themselves do."""

_FIRST_BUDGET: Final = MAX_EVENT_BYTES // 2


def fitting(document: Document) -> Document:
    """The document as it is when it fits (`MOST_OCTETS`). Else without the claims of those who say
    otherwise; then with the ends of its longest lists cut off, all by one measure, as much as it
    takes. Does not change its argument."""
    if _size(document) <= MOST_OCTETS:
        return document
    found = dict(document)
    found["flags"] = [*found.get("flags", ()), SHORTENED]
    if "provenance" in found:
        found["provenance"] = {
            field: {name: value for name, value in said.items() if name != "claims"}
            for field, said in found["provenance"].items()
        }
    budget = _FIRST_BUDGET
    while _size(found) > MOST_OCTETS and budget:
        found = {name: _within(value, budget) for name, value in found.items()}
        budget //= 2
    return found


def _within(value: Any, budget: int) -> Any:
    if not isinstance(value, list):
        return value
    left = budget
    for count, item in enumerate(value):
        left -= _size(item)
        if left < 0:
            return value[:count]
    return value


def _size(value: Any) -> int:
    return len(orjson.dumps(value))
