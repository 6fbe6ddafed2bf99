"""What a stream says, in its two forms: Server-Sent Events (WHATWG HTML, 9.2) and NDJSON."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

import orjson

from traverse_search_api.items import item_of
from traverse_search_api.stream.change_log import Change
from traverse_search_api.stream.matching import Looked
from traverse_search_api.stream.position import Position, encode


class Form(StrEnum):
    """The media types of a stream."""

    EVENTS = "text/event-stream"
    NDJSON = "application/x-ndjson"


HEARTBEAT: Final[dict[Form, bytes]] = {Form.EVENTS: b": battement\n\n", Form.NDJSON: b"\n"}
"""Says that the line is alive; readers of both forms pass over it."""


class Message:
    """One message, made once for all the streams that it is for.

    `name` is `opportunity` (with the item, as a search shows it) or `gone` (with the id only: it
    was withdrawn, merged, or is public no more).
    """

    def __init__(self, change: Change, position: str, name: str, data: dict[str, Any]) -> None:
        self.change = change
        self._position = position
        self.name = name
        self._data = data

    def octets(self, form: Form) -> bytes:
        """The message on the wire."""
        return self._event if form is Form.EVENTS else self._line

    @cached_property
    def _event(self) -> bytes:
        data = orjson.dumps(self._data)  # on one line: JSON escapes line breaks
        return b"id: %b\nevent: %b\ndata: %b\n\n" % (
            self._position.encode(),
            self.name.encode(),
            data,
        )

    @cached_property
    def _line(self) -> bytes:
        return orjson.dumps(
            {"position": self._position, "event": self.name, "data": self._data},
            option=orjson.OPT_APPEND_NEWLINE,
        )


def messages(
    changes: Sequence[Change], looked: Looked, start: Position, now: datetime, key: bytes
) -> tuple[list[Message], Position]:
    """What there is to say of some changes that are ready, and the position after them.

    Of several changes of one document only the last is told. Each message's position counts what
    comes up to it in the order of the log: who breaks off there misses nothing and gets nothing
    twice.
    """
    last = {change.id: change for change in changes}
    position, told = start, []
    for change in changes:
        position = position.after(change.partition, change.offset)
        if last[change.id] is not change:
            continue
        if change.id in looked.gone:
            told.append(Message(change, encode(position, key), "gone", {"id": change.id}))
        elif change.id in looked.hits:
            item = item_of(looked.hits[change.id], now)
            told.append(Message(change, encode(position, key), "opportunity", item))
    return told, position
