"""`PUT` and `DELETE /v1/records/{kind}/{reference}`: for a system that can call a URL, no more."""

import asyncio
import json
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from traverse_producers.errors import InvalidEventError
from traverse_producers.event_builder import build_event, octets_of
from traverse_producers.gateway.access import Caller
from traverse_producers.gateway.answers import Item, RecordReceipt
from traverse_producers.gateway.errors import RefusedRecordError
from traverse_producers.gateway.http_binding import Piece
from traverse_producers.gateway.intake import Intake
from traverse_producers.gateway.metrics import Metrics
from traverse_producers.gateway.openapi import (
    ON_BEHALF,
    RECORD_BODY,
    SECURITY,
    answer,
    problems,
)
from traverse_producers.gateway.problems import as_json, none_accepted
from traverse_producers.gateway.publish_events import SHORT, Entrance, count
from traverse_producers.gateway.record_body import MOST_OCTETS, Content, content_of
from traverse_producers.gateway.record_book import RecordBook
from traverse_schemas.clock import Clock
from traverse_schemas.errors import InvalidSourceError
from traverse_schemas.events import Action
from traverse_schemas.log.identity import record_key
from traverse_schemas.records.codes import Kind, WithdrawalReason
from traverse_schemas.signing.sources import parse_source

_Kind = Annotated[Kind, Path(description="Appel, besoin ou projet.")]
_Reference = Annotated[
    str, Path(description="Votre propre référence du dossier, la même tant qu'il vit.")
]


class _Said(BaseModel):
    """What the address of a record says beside it. A name that is mistyped is no other source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    system: str = Field(
        default="", max_length=64, description="Le système qui parle : urn:siren:SIREN:system."
    )


class _Withdrawn(_Said):
    reason: WithdrawalReason = Field(
        default=WithdrawalReason.ERROR,
        description="`error` : n'aurait pas dû paraître ; `erasure` : à effacer pour toujours.",
    )


_RESPONSES = {
    200: answer("RecordReceipt", "Déjà dit ainsi : rien ne change."),
    202: answer("RecordReceipt", "Reçu, durablement."),
    # 404: a reference with a line break in it is no address of ours.
    **problems(400, 401, 403, 404, 408, 413, 415, 422, 429, 503),
}


def router(
    entrance: Entrance, intake: Intake, metrics: Metrics, book: RecordBook, clock: Clock
) -> APIRouter:
    """The routes for records."""
    routes = APIRouter(tags=["publier"])
    records = _Records(entrance, intake, metrics, book, clock)

    @routes.put(
        "/v1/records/{kind}/{reference:path}",
        status_code=202,
        openapi_extra={**RECORD_BODY, **SECURITY},
        responses=_RESPONSES,
    )
    async def put(
        request: Request, kind: _Kind, reference: _Reference, said: Annotated[_Said, Query()]
    ) -> Response:
        """Dit un dossier en entier, en JSON ou comme un formulaire (les colonnes des tableaux).

        La première fois il est publié ; changé, il est mis à jour ; avec une issue (`outcome`), il
        est clos ; le même contenu une seconde fois ne change rien.
        """
        caller = await entrance.caller(request)
        source = _source(caller, said.system)
        with entrance.reader.room(MOST_OCTETS) as body:
            octets = await body.read(request)
            entrance.rates.count(caller.siren, caller.rate, 1)
            is_open = await asyncio.to_thread(book.is_open, record_key(source, reference))
            read = partial(content_of, request.headers, octets, kind, reference, is_open=is_open)
            if len(octets) <= SHORT:
                content = await read()
            else:
                content = await entrance.work(len(octets), lambda: asyncio.run(read()))
            return await records.say(caller, source, kind, reference, content)

    @routes.delete(
        "/v1/records/{kind}/{reference:path}",
        status_code=202,
        openapi_extra={"parameters": [ON_BEHALF], **SECURITY},
        responses=_RESPONSES,
    )
    async def delete(
        request: Request, kind: _Kind, reference: _Reference, said: Annotated[_Withdrawn, Query()]
    ) -> Response:
        """Retire un dossier qui n'aurait pas dû paraître ; ce qui est fini se dit par un PUT avec
        son issue."""
        caller = await entrance.caller(request)
        source = _source(caller, said.system)
        entrance.rates.count(caller.siren, caller.rate, 1)
        content = Content(Action.WITHDRAWN, {"reason": said.reason.value})
        return await records.say(caller, source, kind, reference, content)

    return routes


class _Records:
    """Makes events of records, and gives them to the intake."""

    def __init__(
        self,
        entrance: Entrance,
        intake: Intake,
        metrics: Metrics,
        book: RecordBook,
        clock: Clock,
    ) -> None:
        self._entrance = entrance
        self._intake = intake
        self._metrics = metrics
        self._book = book
        self._clock = clock

    async def say(
        self, caller: Caller, source: str, kind: Kind, reference: str, content: Content
    ) -> Response:
        """One event about one record, and the answer."""
        record = record_key(source, reference)
        ends = content.action in (Action.CLOSED, Action.WITHDRAWN)
        action = "" if content.action in (Action.PUBLISHED, Action.UPDATED) else content.action
        said_of = [kind, action, content.sequence, content.data]
        hashed = json.dumps(said_of, sort_keys=True, default=str).encode()
        said = await asyncio.to_thread(
            self._book.plan, record, hashed, content.action, self._clock.now
        )
        event = build_event(
            source=source,
            kind=kind,
            action=said.action,
            reference=reference,
            data=content.data,
            event_id=said.id,
            time=said.time,
            sequence=content.sequence,
        )
        try:
            octets = octets_of(event)
        except InvalidEventError as error:
            raise RefusedRecordError(str(error)) from None
        judged = await self._entrance.work(
            len(octets), lambda: self._intake.judge([Piece(octets)], caller)
        )
        if not any(isinstance(each, Item) for each in judged):
            await asyncio.to_thread(self._book.keep, record, hashed, said, ends=ends)
        with self._metrics.write_seconds.time():
            items = await self._intake.write(judged, caller)
        count(items, self._metrics)
        if items[0].code != 202:
            return none_accepted(items[0].code, items)
        await asyncio.to_thread(self._book.settle, record, said.id)
        receipt = RecordReceipt(
            status="unchanged" if said.settled else "accepted",
            source=source,
            id=said.id,
            kind=kind,
            reference=reference,
        )
        status = 200 if said.settled else 202
        return Response(as_json(receipt), status, media_type="application/json")


def _source(caller: Caller, system: str) -> str:
    try:
        return parse_source(f"urn:siren:{caller.siren}" + (f":{system}" if system else "")).urn
    except InvalidSourceError as error:
        raise RefusedRecordError(str(error)) from None
