"""Judge one event: may this be said, and is it well said? Pure; for who receives events.

The gateway judges so that a publisher is told at once, the validate step because not everybody
comes by the gateway: one set of rules, here.
"""

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import orjson
from pydantic import BaseModel, TypeAdapter, ValidationError

from traverse_schemas.decisions import GroupingWord
from traverse_schemas.errors import InvalidSourceError, Reason, RejectedError
from traverse_schemas.events import EVENT_TYPES, Action, Event, EventType, event_adapter
from traverse_schemas.judging.sentences import explain
from traverse_schemas.judging.succession import Succession
from traverse_schemas.log.topics import MAX_EVENT_BYTES
from traverse_schemas.records.codes import ANSWER_BY
from traverse_schemas.records.models import Call, Need, Project, Record
from traverse_schemas.reference.territories import Territories
from traverse_schemas.reference.zones import zone_of_buyer
from traverse_schemas.signing.sources import Source, parse_source

FUTURE_TOLERANCE: Final = timedelta(minutes=5)
"""How far ahead of the broker's receipt an event may be dated (design, decision 4)."""

MAX_DEPTH: Final = 32
"""Nesting of the JSON; the deepest record has 7 levels."""

_MOST_PROBLEMS: Final = 2000
"""Telling a hundred thousand problems apart takes a second; one sentence says as much."""


class Judged(NamedTuple):
    """An event that may be said.

    `record` is the record it carries (None for a withdrawal, or a closing without one),
    `raw_record` that record's JSON. One that was sent in an older version of its type is the
    successor's here, `raw` its JSON as such; `succession` says so.
    """

    event: Event[BaseModel]
    type: EventType
    source: Source
    record: Project | Call | Need | None
    raw_record: dict[str, Any] | None
    raw: dict[str, Any]
    succession: Succession | None = None


_adapters: dict[str, TypeAdapter[Event[BaseModel]]] = {}


def check_size(octets: bytes) -> None:
    """Raises RejectedError when an event has more octets than the limit."""
    if len(octets) > MAX_EVENT_BYTES:
        raise RejectedError(
            Reason.TOO_LARGE,
            "",
            f"L'événement fait {len(octets) // 1024} Kio ; la limite est de "
            f"{MAX_EVENT_BYTES // 1024} Kio : donnez les pièces par leur adresse (url, actions).",
        )


def read_json(octets: bytes) -> object:
    """What the octets of an event say. Raises RejectedError."""
    try:
        return orjson.loads(octets)
    except orjson.JSONDecodeError as error:
        if "depth" in error.msg:  # orjson stops at 1024 levels
            raise _too_deep() from None
        raise RejectedError(
            Reason.NOT_JSON,
            "",
            f"Ce n'est pas du JSON en UTF-8 (ligne {error.lineno}, colonne {error.colno}) : "
            "envoyez un CloudEvent structuré.",
        ) from None


def check_object(octets: bytes, raw: object) -> dict[str, Any]:
    """The JSON of an event, if it is an object of bearable depth. Raises RejectedError."""
    if not isinstance(raw, dict):
        raise RejectedError(
            Reason.INVALID_ENVELOPE, "", "Le message doit être un objet JSON, un CloudEvent."
        )
    # Every level opens one bracket: few brackets prove it shallow without a walk.
    if octets.count(b"{") + octets.count(b"[") > MAX_DEPTH and _deeper_than(raw, MAX_DEPTH):
        raise _too_deep()
    return raw


def judge(
    octets: bytes, raw: dict[str, Any], received: datetime, territories: Territories
) -> Judged:
    """Check one event, of a bearable size and depth; `raw` is its JSON as read.

    `received` (aware) is when it came: the same message is judged the same when it is read again.
    Raises RejectedError with the reason, the JSON pointer and one French sentence.
    """
    judged, pointer = _understood(octets, raw)
    event, record = judged.event, judged.record
    if judged.succession is not None and received >= judged.succession.ends_at:
        raise RejectedError(
            Reason.UNKNOWN_VERSION, "/type", judged.succession.refusal(str(raw["type"]))
        )
    if event.time > received + FUTURE_TOLERANCE:
        raise RejectedError(
            Reason.IN_THE_FUTURE,
            "/time",
            f"L'événement est daté du {event.time.isoformat()}, plus de cinq minutes après sa "
            f"réception ({received.isoformat(timespec='seconds')}) : réglez l'horloge du système "
            "qui publie.",
        )
    if record is not None:
        _check_places(record, pointer, territories)
    if judged.type.action is Action.PUBLISHED and isinstance(record, Call):
        owner = record.owner.id if record.owner else judged.source.siren
        zone = zone_of_buyer(owner and owner[:9], record.place, territories)
        _check_deadlines(record, event.time, pointer, zone)
    return judged


def understand(octets: bytes, raw: dict[str, Any]) -> Judged:
    """Read an event that was judged before: by its schema, and by no rule that may have changed
    since (dates, places, who may speak). Raises RejectedError when even that fails."""
    return _understood(octets, raw)[0]


def _understood(octets: bytes, raw: dict[str, Any]) -> tuple[Judged, str]:
    """The event by its schema, and the pointer to its record."""
    known = _known_type(raw.get("type"))
    succession = known.succession
    try:
        event = _adapter(known).validate_json(octets)
    except ValidationError as error:
        if error.error_count() > _MOST_PROBLEMS:
            raise _too_many_problems(error.error_count()) from None
        problem = explain(error)[0]
        in_data = problem.pointer == "/data" or problem.pointer.startswith("/data/")
        reason = Reason.INVALID_DATA if in_data else Reason.INVALID_ENVELOPE
        raise RejectedError(reason, problem.pointer, problem.sentence) from None
    try:
        source = parse_source(event.source)
    except InvalidSourceError as error:
        raise RejectedError(Reason.INVALID_SOURCE, "/source", str(error)) from None
    while known.succession is not None:
        # Ours, and not the publisher's, if this fails: the old version was valid.
        data = known.succession.modernise(raw["data"])
        known = EVENT_TYPES[known.succession.by]
        raw = {**raw, "type": known.name, "data": data}
        event = _adapter(known).validate_json(orjson.dumps(raw))
    record, raw_record, pointer = _record_of(event.data, raw["data"])
    return Judged(event, known, source, record, raw_record, raw, succession), pointer


def _too_deep() -> RejectedError:
    return RejectedError(
        Reason.TOO_DEEP,
        "",
        f"Le JSON est imbriqué sur plus de {MAX_DEPTH} niveaux ; un enregistrement en a au "
        "plus sept : vérifiez le système qui le produit.",
    )


def _deeper_than(raw: dict[str, Any], limit: int) -> bool:
    """Whether containers nest on more than `limit` levels; walks level by level."""
    level: list[Any] = [raw]
    for _ in range(limit):
        level = [
            inner
            for container in level
            for inner in (container.values() if isinstance(container, dict) else container)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _too_many_problems(count: int) -> RejectedError:
    return RejectedError(
        Reason.INVALID_DATA,
        "",
        f"L'événement a {count} fautes, trop pour les dire une à une : vérifiez le système qui "
        "le produit contre le schéma publié.",
    )


def _known_type(name: object) -> EventType:
    if not isinstance(name, str):
        raise RejectedError(
            Reason.INVALID_ENVELOPE,
            "/type",
            "Le champ type est obligatoire, par exemple fr.traverse.call.published.v1.",
        )
    known = EVENT_TYPES.get(name)
    if known is not None:
        return known
    stem, _, version = name.rpartition(".")
    versions = [each.version for each in EVENT_TYPES.values() if each.name.startswith(f"{stem}.")]
    if versions:
        raise RejectedError(
            Reason.UNKNOWN_VERSION,
            "/type",
            f"La version « {version[:20]} » de {stem} n'existe pas ; il y a "
            f"{', '.join(sorted(versions))}.",
        )
    raise RejectedError(
        Reason.UNKNOWN_TYPE,
        "/type",
        f"Le type « {name[:80]} » n'existe pas ; les types sont "
        "fr.traverse.{project|call|need}.{published|updated|closed|withdrawn}.v1, "
        "fr.traverse.link.{same_as|not_same|confirmed|dismissed|withdrawn}.v1 et "
        "fr.traverse.grouping.{interested|not_interested|convention|deliberated|constituted|"
        "withdrawn}.v1.",
    )


def _adapter(known: EventType) -> TypeAdapter[Event[BaseModel]]:
    adapter = _adapters.get(known.name)
    if adapter is None:
        adapter = _adapters[known.name] = event_adapter(known)
    return adapter


def _record_of(
    data: BaseModel, raw: dict[str, Any]
) -> tuple[Project | Call | Need | None, dict[str, Any] | None, str]:
    """The record an event carries, its JSON, and the pointer to it."""
    if isinstance(data, Project | Call | Need):
        return data, raw, "/data"
    if isinstance(data, GroupingWord):
        return None, None, ""  # it names a record, and carries none
    return getattr(data, "record", None), raw.get("record"), "/data/record"


def _check_places(record: Record, pointer: str, territories: Territories) -> None:
    for name, codes in (("place", record.place), ("eligible_area", record.eligible_area)):
        for index, code in enumerate(codes):
            if not code.startswith("zone:") and not territories.knows(code):
                raise RejectedError(
                    Reason.UNKNOWN_PLACE,
                    f"{pointer}/{name}/{index}",
                    f"Le territoire {code} n'existe pas dans le découpage administratif en "
                    "vigueur : vérifiez le code (com:INSEE, cp:POSTAL, epci:SIREN, dep:NN, "
                    "reg:NN, fr).",
                )


def _check_deadlines(call: Call, published: datetime, pointer: str, zone: str) -> None:
    for index, deadline in enumerate(call.deadlines):
        if deadline.kind not in ANSWER_BY:
            continue
        if deadline.in_zone_of(zone).opens_until <= published:
            raise RejectedError(
                Reason.DEADLINE_BEFORE_PUBLICATION,
                f"{pointer}/deadlines/{index}/at",
                f"La date limite ({deadline.at}) précède la publication "
                f"({published.isoformat()}) : corrigez l'une des deux, ou publiez un appel "
                "terminé par un événement closed.",
            )
