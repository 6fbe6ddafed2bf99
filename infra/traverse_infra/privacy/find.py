"""Where a person's data is: every topic, the index and our own files, read for a term.

Bounded memory: what does not hold the term is forgotten at once.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import orjson
from elasticsearch import Elasticsearch, TransportError
from elasticsearch.helpers import scan

from traverse_infra.errors import EngineAwayError
from traverse_infra.log.reading import read_topic
from traverse_infra.privacy.local_files import LocalFile
from traverse_schemas.documents.index_mapping import ALIASES
from traverse_schemas.log.engine_access import elasticsearch_client
from traverse_schemas.log.message import LogMessage
from traverse_schemas.log.topics import TOPICS

_PARIS = ZoneInfo("Europe/Paris")


class Found(NamedTuple):
    """A place that holds the term: where exactly, about which record (where it says so), since
    when. `current` is False for a copy that waits for compaction."""

    place: str
    where: str
    source: str
    subject: str
    at: datetime | None
    current: bool = True


class Term:
    """A word or words, looked for whatever the accents and capitals."""

    def __init__(self, text: str) -> None:
        self._wanted = _plain(text)

    def within(self, octets: bytes) -> bool:
        text = octets.decode(errors="replace")
        if "\\" in text:
            # An escape may hide a letter.
            try:
                text = orjson.dumps(orjson.loads(octets)).decode()
            except ValueError:
                text = text.replace("\\/", "/")
        return self._wanted in _plain(text)


def _plain(text: str) -> str:
    if text.isascii():
        return text.casefold()
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char)).casefold()


def find(
    text: str, bootstrap: str, elasticsearch: str, files: Iterable[LocalFile]
) -> Iterator[Found]:
    """Every place that holds the text. Raises EngineAwayError, OutboxError."""
    term = Term(text)
    for topic in TOPICS:
        compacted = topic.config["cleanup.policy"] == "compact"
        yield from in_messages(read_topic(bootstrap, topic.name), term, compacted=compacted)
    yield from _in_index(elasticsearch, term)
    for file in files:
        yield from in_file(file, term)


def in_messages(messages: Iterable[LogMessage], term: Term, *, compacted: bool) -> Iterator[Found]:
    """The messages of one topic that hold the term, headers and keys included."""
    held: dict[bytes, list[LogMessage]] = {}
    last: dict[bytes, int] = {}
    for message in messages:
        octets = [message.value or b"", message.key, *message.headers.values()]
        holds = any(term.within(each) for each in octets)
        if holds and not compacted:
            yield _found(message, current=True)
        elif holds:
            held.setdefault(message.key, []).append(message)
        if message.key in held:
            last[message.key] = message.offset
    for key, those in held.items():
        for message in those:
            yield _found(message, current=message.offset == last[key])


def _found(message: LogMessage, *, current: bool) -> Found:
    source, subject = _record_of(message)
    return Found(
        message.topic,
        f"{message.partition}@{message.offset}",
        source,
        subject,
        datetime.fromtimestamp(message.time / 1000, UTC).astimezone(_PARIS),
        current,
    )


def _record_of(message: LogMessage) -> tuple[str, str]:
    try:
        said: dict[str, Any] = orjson.loads(message.value or b"{}")
        if "document" in said:
            said = next(iter(said["document"].get("sources", ())), {})
        return str(said.get("source", "")), str(said.get("subject", ""))
    except (ValueError, TypeError, AttributeError):
        return "", ""


def _in_index(elasticsearch: str, term: Term) -> Iterator[Found]:
    with Elasticsearch(**elasticsearch_client(elasticsearch), request_timeout=60) as client:
        try:
            for alias in ALIASES.values():
                for hit in scan(client, index=alias, size=500):
                    if term.within(orjson.dumps(hit["_source"])):
                        sources: list[dict[str, str]] = hit["_source"].get("sources", [])
                        one = sources[0] if sources else {}
                        yield Found(
                            f"index {alias}",
                            hit["_id"],
                            one.get("source", ""),
                            one.get("subject", ""),
                            None,
                        )
        except TransportError as error:
            raise EngineAwayError("Elasticsearch", elasticsearch, type(error).__name__) from error


def in_file(file: LocalFile, term: Term) -> Iterator[Found]:
    """What a file of ours holds. Raises OutboxError."""
    for held in file.held():
        if term.within(held.octets):
            yield Found(f"{file.what} {file.path}", held.where, held.source, held.subject, None)
