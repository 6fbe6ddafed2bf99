"""An operator erases a record: says so on the log, waits until it is done, takes what people wrote
about it, clears the segments."""

from collections.abc import Callable

import orjson
from elasticsearch import Elasticsearch, TransportError

from traverse_infra.engines.waiting import wait_until
from traverse_infra.errors import EngineAwayError, InfraError
from traverse_infra.log.reading import read_topic
from traverse_infra.privacy.silence import silence
from traverse_schemas.clock import Clock
from traverse_schemas.documents.index_mapping import ALIASES
from traverse_schemas.events import CONTENT_TYPE, Action, event_type
from traverse_schemas.log.engine_access import elasticsearch_client
from traverse_schemas.log.identity import opportunity_id, record_key, utc_text
from traverse_schemas.log.record_state import RecordState
from traverse_schemas.log.topics import RECORDS

Send = Callable[[str, bytes, tuple[tuple[str, bytes], ...]], None]
"""Puts an event on `traverse.inbound` under its record's key, and returns when it is there."""


class UnknownRecordError(InfraError):
    """Nothing was ever accepted of this record."""


class PurgeNotDoneError(InfraError):
    """The steps did not erase it in time."""


def purge(
    bootstrap: str,
    elasticsearch: str,
    source: str,
    subject: str,
    *,
    send: Send,
    clock: Clock,
    timeout: float = 120,
) -> str:
    """Erase a record; gives the time (UTC text) up to which all that was said of it is gone.

    Doing it again finishes what was begun. Raises UnknownRecordError, PurgeNotDoneError,
    EngineAwayError.
    """
    state = _state(bootstrap, source, subject)
    if state is None:
        raise UnknownRecordError(
            f"Rien n'a été accepté du dossier {subject} de {source} : vérifiez-les avec « traverse "
            "privacy find » ; un événement refusé part avec sa conservation (30 jours)."
        )
    now = clock.now()
    event = {
        "specversion": "1.0",
        "id": f"effacement-{now:%Y%m%dT%H%M%S%fZ}",
        "source": source,
        "type": event_type(state["kind"], Action.WITHDRAWN),
        "subject": subject,
        "time": now.isoformat(),
        "datacontenttype": "application/json",
        "data": {"reason": "erasure"},
    }
    headers = (("content-type", CONTENT_TYPE.encode()),)
    send(record_key(source, subject), orjson.dumps(event), headers)
    until = utc_text(now)
    _await(bootstrap, elasticsearch, (source, subject), until, timeout)
    silence(bootstrap)
    expunge(elasticsearch)
    return until


def _state(bootstrap: str, source: str, subject: str) -> RecordState | None:
    key = record_key(source, subject).encode()
    found: RecordState | None = None
    for message in read_topic(bootstrap, RECORDS):
        if message.key == key and message.value is not None:
            found = orjson.loads(message.value)
    return found


def _await(
    bootstrap: str, elasticsearch: str, record: tuple[str, str], until: str, timeout: float
) -> None:
    source, subject = record
    identity = opportunity_id(source, subject)

    def done() -> bool:
        state = _state(bootstrap, source, subject)
        if state is None or state.get("purged", "") < until:
            return False
        with Elasticsearch(**elasticsearch_client(elasticsearch)) as client:
            answers = [
                client.options(ignore_status=404).get(index=alias, id=identity)
                for alias in ALIASES.values()
            ]
        return not any(each.get("found") and not each["_source"]["stub"] for each in answers)

    try:
        finished = wait_until(done, timeout=timeout)
    except TransportError as error:
        raise EngineAwayError("Elasticsearch", elasticsearch, type(error).__name__) from error
    if not finished:
        raise PurgeNotDoneError(
            f"L'effacement du dossier {subject} est demandé, mais les traitements ne l'ont pas "
            f"achevé en {timeout:.0f} s : vérifiez qu'ils tournent (traverse work) et qu'il n'est "
            "pas refusé (traverse rejected list) ; ils le finiront, puis « traverse check "
            "--purged » le prouvera."
        )


def expunge(elasticsearch: str) -> None:
    """Ask to rewrite the segments that hold documents which were replaced.

    What Elasticsearch keeps for its own history (soft deletes) leaves with a later merge. By
    default it leaves alone the segments with less than a tenth of such documents.
    """
    setting = "index.merge.policy.expunge_deletes_allowed"
    with Elasticsearch(**elasticsearch_client(elasticsearch), request_timeout=600) as client:
        try:
            for alias in ALIASES.values():
                client.indices.put_settings(index=alias, settings={setting: 0})
                try:
                    client.indices.flush(index=alias, wait_if_ongoing=True)
                    client.indices.forcemerge(index=alias, only_expunge_deletes=True)
                    # A searcher that is still open keeps the files of the old segments.
                    client.indices.refresh(index=alias)
                finally:
                    client.indices.put_settings(index=alias, settings={setting: None})
        except TransportError as error:
            raise EngineAwayError("Elasticsearch", elasticsearch, type(error).__name__) from error
