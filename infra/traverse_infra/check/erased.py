"""Proves that what was erased is gone: reads every topic and the index, and finds no content.

Kafka's disks keep an old message until compaction or retention takes it: what still lies there is
counted, and the proof names the date by which the last copy has left (decision 5).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from elasticsearch import Elasticsearch, TransportError

from traverse_infra.check.words import named_in, word_in, word_tells
from traverse_infra.errors import EngineAwayError
from traverse_infra.log.reading import read_topic
from traverse_schemas.documents.grouping import records_of
from traverse_schemas.documents.index_mapping import ALIASES
from traverse_schemas.log.engine_access import elasticsearch_client
from traverse_schemas.log.identity import opportunity_id, record_key
from traverse_schemas.log.message import LogMessage
from traverse_schemas.log.topics import (
    ACCEPTED,
    EVENTS,
    GROUPINGS,
    INBOUND,
    LINKS,
    OPPORTUNITIES,
    RECORDS,
    REJECTED,
)
from traverse_schemas.log.topics import TOPICS as DECLARED

_PARIS = ZoneInfo("Europe/Paris")
_MINUTE_MS = 60_000
_CONFIGS = {topic.name: topic.config for topic in DECLARED}
_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Erased:
    """A purged record: what was said up to `until` (UTC text) is to be gone. `back` when it was
    published again since."""

    source: str
    subject: str
    until: str
    back: bool = False

    @property
    def key(self) -> str:
        return record_key(self.source, self.subject)


@dataclass(slots=True)
class Proof:
    """What was found.

    `found` names content that nothing will take away (an error: the proof fails), `waiting`
    counts by topic the copies that compaction or retention is still to take, `gone_by` is when the
    last of them has left the disks (None: nothing is left already).
    """

    records: int
    found: list[str] = field(default_factory=list)
    waiting: dict[str, int] = field(default_factory=dict)
    gone_by: datetime | None = None

    @property
    def sound(self) -> bool:
        return not self.found

    def wait_for(self, topic: str, milliseconds: int) -> None:
        """A copy on this topic leaves at this instant at the latest."""
        self.waiting[topic] = self.waiting.get(topic, 0) + 1
        at = datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone(_PARIS)
        self.gone_by = at if self.gone_by is None else max(self.gone_by, at)

    def lines(self) -> Iterator[str]:
        """The proof in French."""
        yield f"{self.records} dossier(s) effacé(s)."
        for line in self.found[:_SHOWN]:
            yield f"Contenu trouvé : {line}"
        if self.found:
            yield (
                f"L'effacement n'est pas complet ({len(self.found)} trouvaille(s)) : relancez les "
                "traitements (traverse work), puis traverse privacy purge pour ces dossiers, ou "
                "traverse check --purged --repair pour ce que d'autres en ont écrit."
            )
            return
        yield (
            "Aucun contenu effacé ne peut être retrouvé : ni sur le journal, ni dans l'index, ni "
            "dans nos files d'envoi, ni dans le registre des alertes."
        )
        if self.gone_by is None:
            yield "Aucune copie ne reste sur les disques de Kafka."
            return
        for topic, count in sorted(self.waiting.items()):
            yield f"  {topic} : {count} copie(s) attendent le compactage ou la fin de conservation"
        yield (
            "La dernière copie aura quitté les disques de Kafka au plus tard le "
            f"{self.gone_by:%d/%m/%Y à %H:%M} (Paris)."
        )


def _none(_: Iterable[Erased]) -> Iterable[str]:
    return ()


def prove(
    bootstrap: str, elasticsearch: str, beside: Callable[[Iterable[Erased]], Iterable[str]] = _none
) -> Proof:
    """Read everything. `beside` names what other places still hold of erased records. Raises
    EngineAwayError."""
    erased = erased_records(read_topic(bootstrap, RECORDS))
    proof = Proof(len(erased))
    if not erased:
        return proof
    for topic in (ACCEPTED, RECORDS, LINKS, GROUPINGS, OPPORTUNITIES, *EVENTS.values()):
        examine_compacted(topic, read_topic(bootstrap, topic), erased, proof)
    for topic in (INBOUND, REJECTED):
        examine_kept(topic, read_topic(bootstrap, topic), erased, proof)
    _examine_index(elasticsearch, erased, proof)
    proof.found.extend(beside(erased.values()))
    return proof


def erased_records(records: Iterable[LogMessage]) -> dict[str, Erased]:
    """The purged records, by key. A message that says so is small: no other is decoded."""
    found: dict[str, Erased] = {}
    for message in records:
        key = message.key.decode()
        if message.value is None or b'"purged":' not in message.value:
            continue
        state = orjson.loads(message.value)
        if "purged" in state:
            back = state["content"] is not None
            found[key] = Erased(state["source"], state["subject"], state["purged"], back)
    return found


def examine_compacted(
    topic: str, messages: Iterable[LogMessage], erased: Mapping[str, Erased], proof: Proof
) -> None:
    """Of each key the last message must hold nothing that was erased. An older one that does waits
    for compaction, which begins `max.compaction.lag.ms` after it at the latest."""
    lag = int(_CONFIGS[topic]["max.compaction.lag.ms"])
    ids = {opportunity_id(one.source, one.subject): one for one in erased.values()}
    # Only what concerns erased records is held: key to the times of copies, and whether the last
    # message of the key is one.
    copies: dict[bytes, list[int]] = {}
    last: dict[bytes, tuple[bool, int]] = {}
    for message in messages:
        one = _concerned(topic, message, erased, ids)
        if one is None:
            if message.key in copies:  # it told of an erased record once, and tells of it no more
                last[message.key] = (False, message.time)
            continue
        holds = _holds(topic, message, one)
        last[message.key] = (holds, message.time)
        if holds:
            copies.setdefault(message.key, []).append(message.time)
    for key, times in copies.items():
        holds, at = last[key]
        if holds:
            proof.found.append(f"{topic}, clé {key.decode(errors='replace')[:120]}")
        for _ in times:
            # Superseded by a later message, at `at`: the segment of both is cleaned within the lag.
            proof.wait_for(topic, at + lag + _MINUTE_MS)


def _concerned(
    topic: str, message: LogMessage, erased: Mapping[str, Erased], ids: Mapping[str, Erased]
) -> Erased | None:
    key = message.key.decode(errors="replace")
    if topic == RECORDS:
        return erased.get(key)
    if topic == LINKS:
        return next((ids[each] for each in key.split(" ") if each in ids), None)
    if topic == OPPORTUNITIES:
        if key in ids:
            return ids[key]
        # Or it was merged into the opportunity of another record.
        for source in _sources(message):
            one = erased.get(record_key(source["source"], source["subject"]))
            if one is not None:
                return one
        # Or another record's opportunity shows it beside itself.
        return _shown(message, ids, b'"links":[{', _links)
    if topic == GROUPINGS:
        return _shown(message, ids, b'"grouping":', _members)
    if (word := word_in(message.value)) is not None:
        return named_erased(word, erased)
    try:
        source, subject, _ = orjson.loads(message.key)
    except ValueError:
        return None
    return erased.get(record_key(source, subject))


def named_erased(word: Mapping[str, Any], erased: Mapping[str, Erased]) -> Erased | None:
    """The erased record that people's word is about, if it is about one; of two, the one that was
    erased last."""
    named = [erased[key] for key in named_in(word) if key in erased]
    return max(named, key=lambda one: one.until, default=None)


def _shown(
    message: LogMessage,
    ids: Mapping[str, Erased],
    mark: bytes,
    records: Callable[[Any], Iterable[str]],
) -> Erased | None:
    """The first erased record, by the id of its opportunity, of which a message shows the title and
    the owner; only what bears the mark is decoded. One that is back may be shown."""
    if message.value is None or mark not in message.value:
        return None
    found = (ids[one] for one in records(orjson.loads(message.value)) if one in ids)
    return next((one for one in found if not one.back), None)


def _links(said: Any) -> list[str]:
    return [link["id"] for link in said["document"].get("links", ())]


def _members(said: Any) -> list[str]:
    return records_of(said["grouping"])


def _holds(topic: str, message: LogMessage, one: Erased) -> bool:
    """Whether the message has content that was said up to the erasure."""
    if message.value is None:
        return False
    if topic in (LINKS, GROUPINGS):
        return not one.back  # a reason may repeat words of the record, a member has its title
    if (word := word_in(message.value)) is not None and topic == ACCEPTED:
        return word_tells(word, one.until)
    said = orjson.loads(message.value)
    if topic == RECORDS:
        content, life = said["content"], said["life"]
        old = content is not None and content["version"][1] <= one.until
        ended = life is not None and life["state"] == "closed" and life["version"][1] <= one.until
        return bool(old or ended)
    if topic == OPPORTUNITIES:
        return any(
            (source["source"], source["subject"]) == (one.source, one.subject)
            and source["updated_at"] <= one.until
            for source in _sources(message)
        ) or bool(_shown(message, {opportunity_id(one.source, one.subject): one}, b"[{", _links))
    return event_holds(said, one.until)


def event_holds(event: dict[str, Any], until: str) -> bool:
    """Whether an event that was dated up to `until` (UTC text) says more than that its record is
    withdrawn; what has no date is taken for one."""
    if str(event.get("type", "")).split(".")[-2:-1] in (["withdrawn"], ["hidden"]):
        return False
    try:
        at = datetime.fromisoformat(event["time"]).astimezone(UTC)
    except (KeyError, TypeError, ValueError, OverflowError):
        return True
    return at <= datetime.fromisoformat(until)


def _sources(message: LogMessage) -> list[dict[str, Any]]:
    if message.value is None:
        return []
    found: list[dict[str, Any]] = orjson.loads(message.value)["document"].get("sources", [])
    return found


def examine_kept(
    topic: str, messages: Iterable[LogMessage], erased: Mapping[str, Erased], proof: Proof
) -> None:
    """What publishers sent, as it came: it goes with its segment, when the last message of that is
    older than the topic keeps."""
    config = _CONFIGS[topic]
    kept = int(config["retention.ms"]) + int(config["segment.ms"])
    for message in messages:
        word = word_in(message.value)
        if word is not None:
            told = named_erased(word, erased)
            if told is not None and word_tells(word, told.until):
                proof.wait_for(topic, message.time + kept + _MINUTE_MS)
            continue
        try:
            event = orjson.loads(message.value or b"")
            one = erased.get(record_key(event["source"], event["subject"]))
        except (ValueError, TypeError, KeyError):
            continue
        if one is not None and event_holds(event, one.until):
            proof.wait_for(topic, message.time + kept + _MINUTE_MS)


def _examine_index(elasticsearch: str, erased: Mapping[str, Erased], proof: Proof) -> None:
    with Elasticsearch(**elasticsearch_client(elasticsearch), request_timeout=60) as client:
        try:
            client.indices.refresh(index=list(ALIASES.values()))
            for one in erased.values():
                answer = client.search(
                    index=list(ALIASES.values()),
                    size=10,
                    source_includes=["id", "sources"],
                    query={
                        "bool": {
                            "filter": [
                                {"term": {"sources.source": one.source}},
                                {"term": {"sources.subject": one.subject}},
                            ]
                        }
                    },
                )
                for hit in answer["hits"]["hits"]:
                    for source in hit["_source"].get("sources", ()):
                        same = (source["source"], source["subject"]) == (one.source, one.subject)
                        if same and source["updated_at"] <= one.until:
                            proof.found.append(f"index {hit['_index']}, document {hit['_id']}")
        except TransportError as error:
            raise EngineAwayError("Elasticsearch", elasticsearch, type(error).__name__) from error
