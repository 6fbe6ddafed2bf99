"""What people wrote about records when they spoke of their links and groupings. Pure.

A word itself stays on the log when a record that it names is erased: it names it by its source and
reference, as the erasure does, and what it decided goes on to hold between the others. What was
written with it (`reason`) goes.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from traverse_schemas.decisions import DecisionKind
from traverse_schemas.log.identity import record_key

Event = Mapping[str, Any]

_TYPES: Final = tuple(f"fr.traverse.{kind}." for kind in DecisionKind)
_MARKS: Final = tuple(f'"{one}'.encode() for one in _TYPES)


def word_in(octets: bytes | None) -> Event | None:
    """The event of a message, if it is a word of people; no other is decoded."""
    if octets is None or not any(mark in octets for mark in _MARKS):
        return None
    try:
        event = orjson.loads(octets)
    except ValueError:
        return None
    if not isinstance(event, dict) or not isinstance(event.get("data"), dict):
        return None
    # A record may quote such a type in its text.
    return event if str(event.get("type")).startswith(_TYPES) else None


def named_in(event: Event) -> Iterator[str]:
    """The keys of the records that a word is about, whatever it is that somebody sent."""
    records = event["data"].get("records")
    for one in [*(records if isinstance(records, list) else ()), event["data"].get("record")]:
        try:
            yield record_key(one["source"], one["subject"])
        except (TypeError, KeyError):
            continue  # refused, and what it names is nothing


def word_tells(event: Event, until: str) -> bool:
    """Whether a word that was dated up to `until` (UTC text) has a text beside it; one without a
    date is taken for it."""
    if not event["data"].get("reason"):
        return False
    try:
        return datetime.fromisoformat(event["time"]).astimezone(UTC) <= datetime.fromisoformat(
            until
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return True


def silenced(event: Event) -> bytes:
    """The same word without its text."""
    data = {name: value for name, value in event["data"].items() if name != "reason"}
    return orjson.dumps({**event, "data": data})
