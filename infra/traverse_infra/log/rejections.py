"""The rejected events, as an operator reads them."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from rich.table import Table
from rich.text import Text

from traverse_infra.log.reading import read_topic
from traverse_schemas.log.message import LogMessage
from traverse_schemas.log.topics import REJECTED
from traverse_schemas.signing.signatures import SIGNATURE_HEADER

_UNREADABLE = "(illisible)"
_LONGEST = 500


class Rejection(NamedTuple):
    """A rejected event: its place on the log, why, what was received, and when (UTC)."""

    place: str
    source: str
    reference: str
    reason: str
    pointer: str
    sentence: str
    octets: bytes | None
    at: datetime
    signature: bytes | None = None


def read_rejections(bootstrap: str) -> list[Rejection]:
    """Every rejection that is kept, newest first; one that was written twice counts once."""
    found = {}
    for message in read_topic(bootstrap, REJECTED):
        rejection = _rejection(message)
        found[rejection.place] = rejection
    return sorted(found.values(), key=lambda one: one.at, reverse=True)


def rejections_table(rejections: Sequence[Rejection]) -> Table:
    """One line a rejection."""
    table = Table(show_lines=True)
    for name in ("Place", "Source et référence", "Motif", "Phrase"):
        table.add_column(name, overflow="fold")
    for one in rejections:
        source, reference, pointer, sentence = map(
            _shown, (one.source, one.reference, one.pointer, one.sentence)
        )
        table.add_row(
            Text(one.place.removeprefix("traverse.")),
            Text(f"{source.removeprefix('urn:siren:')}\n{reference}"),
            Text(f"{one.reason}\n{pointer}"),
            Text(sentence),
        )
    return table


def _shown(text: str) -> str:
    """What a stranger wrote, as a terminal may have it: no escape sequence, nothing that cannot
    be encoded, and not half a mebibyte of it."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text[:_LONGEST])


def _rejection(message: LogMessage) -> Rejection:
    headers = {name: value.decode(errors="replace") for name, value in message.headers.items()}
    source, reference = _who(message.value or b"")
    return Rejection(
        place=headers.get("origin", f"{message.topic}/{message.partition}@{message.offset}"),
        source=source,
        reference=reference,
        reason=headers.get("reason", ""),
        pointer=headers.get("pointer", ""),
        sentence=headers.get("sentence", ""),
        octets=message.value,
        at=datetime.fromtimestamp(message.time / 1000, UTC),
        signature=message.headers.get(SIGNATURE_HEADER),
    )


def _who(octets: bytes) -> tuple[str, str]:
    try:
        event = json.loads(octets)
        return str(event["source"]), str(event["subject"])
    except (ValueError, RecursionError, TypeError, KeyError):
        return _UNREADABLE, ""
