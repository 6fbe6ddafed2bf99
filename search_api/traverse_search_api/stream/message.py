"""What a stream says, in its two forms: Server-Sent Events (WHATWG HTML, 9.2) and NDJSON."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from operator import itemgetter
from typing import Any, Final

import orjson

from traverse_schemas.documents.document import PUBLIC_INDEX
from traverse_search_api.access.reader import ANYBODY, Reader
from traverse_search_api.answers.items import item_of
from traverse_search_api.changes.change_log import Change
from traverse_search_api.changes.errors import ExpiredStreamError
from traverse_search_api.changes.position import Position, encode
from traverse_search_api.errors import RefusedQueryError
from traverse_search_api.matching.looked import Seen


class Form(StrEnum):
    """The media types of a stream."""

    EVENTS = "text/event-stream"
    NDJSON = "application/x-ndjson"


HEARTBEAT: Final[dict[Form, bytes]] = {Form.EVENTS: b": battement\n\n", Form.NDJSON: b"\n"}
"""Says that the line is alive; readers of both forms pass over it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why the service ends a stream, said before it does. It has no position: who comes back goes
    on after the last message, or from the `oldest` position, where that is told."""

    detail: str
    oldest: str | None = None

    def octets(self, form: Form) -> bytes:
        """The event `refused` on the wire."""
        data = {"detail": self.detail} | ({"oldest": self.oldest} if self.oldest else {})
        if form is Form.EVENTS:
            return b"event: refused\ndata: %b\n\n" % orjson.dumps(data)
        line = {"event": "refused", "data": data}
        return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


NO_MORE_RIGHTS: Final = Refused(
    "Ce flux est clos : la clé ou la session qui l’a ouvert ne vaut plus, ou ses droits ont "
    "changé ; rouvrez-le avec une clé qui vaut."
)
TOO_SLOW: Final = Refused(
    "Ce flux est clos : ses messages ne sont pas lus assez vite ; rouvrez-le avec le Last-Event-ID "
    "du dernier message reçu, qui reprend sans manque."
)
REFUSED_SEARCH: Final = Refused(
    "Ce flux est clos : Elasticsearch refuse sa recherche ; corrigez ses dates et ses filtres, "
    "puis rouvrez-le."
)
OTHER_LOG: Final = Refused(
    "Ce flux est clos : le journal des changements a été recréé, et ses positions ne valent plus ; "
    "relisez la recherche entière, puis rouvrez le flux sans Last-Event-ID."
)
FAILED: Final = Refused(
    "Ce flux est clos : une erreur inattendue s’est produite, notée au journal du service ; "
    "rouvrez-le avec le Last-Event-ID du dernier message reçu, qui reprend sans manque."
)


def ended_by(error: RefusedQueryError | ExpiredStreamError) -> Refused:
    """What a stream that is open already says of an error that answers whoever opens one."""
    if isinstance(error, ExpiredStreamError):
        return Refused(f"Ce flux est clos. {error}", error.oldest)
    return REFUSED_SEARCH


class Message:
    """One message, made once for all the streams that it is for.

    `name` is `opportunity` (with the item, as a search shows it) or `gone` (with the id only: it
    was withdrawn, merged, or is for others now). `restricted`: it is of a document that names its
    readers.
    """

    restricted = False

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


class Telling:
    """What there is to say of one change, to each of those who may hear it."""

    def __init__(self, change: Change, seen: Seen, position: str, now: datetime) -> None:
        """`position` is that after the change, sealed."""
        self.change = change
        self._seen = seen
        self._position = position
        self._now = now
        self._made: dict[tuple[str, Reader], Message] = {}
        self._gone: Message | None = None

    def message(self, key: str, reader: Reader, named: Collection[str]) -> Message | None:
        """What a stream is told: `key` is its filter's, `named` the ids of the restricted documents
        that it was told of.

        What is gone is told to all who may read all of the index that it was in: whether a filter
        found it once can no longer be asked. Of restricted documents only a stream that was told of
        one hears that it is gone.
        """
        identity = self.change.id
        looks = [(name, self._seen[name]) for name in reader.indices if name in self._seen]
        for name, looked in looks:
            if identity in looked.matched.get(key, ()):
                return self._item(name, looked.hits.get(identity), reader)
        if not self.change.shown:
            return None
        held = [looked.hits[identity] for _, looked in looks if identity in looked.hits]
        if any(reader.reads_document(hit["_source"]) for hit in held):
            return None
        whole = [looked for name, looked in looks if name in reader.whole]
        if identity in named or any(identity in looked.gone for looked in whole):
            if self._gone is None:
                self._gone = Message(self.change, self._position, "gone", {"id": identity})
            return self._gone
        return None

    def _item(self, index: str, hit: dict[str, Any] | None, reader: Reader) -> Message | None:
        # It was there for the filter and is not for the reader, or was another's then: it is being
        # written, and its change comes.
        if hit is None or not reader.reads_document(hit["_source"]):
            return None
        # Of a public document everybody is told the same.
        place = (index, ANYBODY if index == PUBLIC_INDEX else reader)
        made = self._made.get(place)
        if made is None:
            item = item_of(hit, self._now, place[1])
            made = Message(self.change, self._position, "opportunity", item)
            made.restricted = index not in reader.whole
            self._made[place] = made
        return made


class Tellings:
    """What there is to say of a batch of changes.

    Of several changes of one document only the last is told. Each one's position counts what comes
    up to it in the order of the log: who breaks off there misses nothing and gets nothing twice.
    `end` is the position after all of them.
    """

    def __init__(
        self, changes: Sequence[Change], seen: Seen, start: Position, now: datetime, key: bytes
    ) -> None:
        """`changes` are ready, `start` is the position before them; `key` seals positions."""
        last = {change.id: change for change in changes}
        shown = {change.id for change in changes if change.shown}
        self._seen = seen
        self._told: dict[str, tuple[int, Telling]] = {}
        self.end = start
        for place, change in enumerate(changes):
            self.end = self.end.after(change.partition, change.offset)
            if last[change.id] is change:
                whole = change._replace(shown=change.id in shown)
                self._told[change.id] = place, Telling(whole, seen, encode(self.end, key), now)
        gone = {one for looked in seen.values() for one in looked.gone}
        self._gone = gone & shown & self._told.keys()
        self._found_by = {key for looked in seen.values() for key in looked.matched}

    def messages(self, key: str, reader: Reader, named: Collection[str]) -> list[Message]:
        """What a stream is told, in order (see `Telling.message`). Looks only at what its filter
        found and at what is gone: with thousands of streams most changes concern few of them."""
        if not (key in self._found_by or named or self._gone):
            return []
        ids = set(self._gone)
        for name in reader.indices:
            if name in self._seen:
                ids.update(self._seen[name].matched.get(key, ()))
        if named:
            ids.update(one for one in self._told if one in named)
        told = sorted((self._told[one] for one in ids if one in self._told), key=itemgetter(0))
        found = (one.message(key, reader, named) for _, one in told)
        return [message for message in found if message is not None]
