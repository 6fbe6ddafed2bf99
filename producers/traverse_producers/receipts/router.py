"""The gateway's routes of receipts and rejections. Wiring only: the answers are the desk's."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Protocol

import orjson
from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from traverse_producers.receipts.desk import Desk, Replay

Publish = Callable[[Any, Replay, bytes | None], Awaitable[Response]]
"""Publishes one event (of whom, what, their signature of it if one was given) as POST /v1/events
would, and answers."""


class Publisher(Protocol):
    """Who may publish."""

    @property
    def siren(self) -> str: ...


_MOST = 100
_Name = Annotated[str, Path(description="L'id du refus, comme inbound-2.")]


def receipts_router(
    desk: Callable[[], Desk],
    caller: Callable[..., Any],
    publisher: Callable[..., Any],
    publish: Publish,
    read: Callable[..., Any],
) -> APIRouter:
    """The routes. `caller` is a dependency that gives the SIREN of who asks, `publisher` one that
    gives who may publish; `read` gives the body of a request, bounded and in time."""
    router = APIRouter(prefix="/v1", tags=["Suivi"])
    own = Annotated[str, Depends(caller)]

    @router.get("/receipts", summary="La trace d'un événement")
    async def receipt(
        siren: own,
        source: Annotated[str, Query(max_length=100, description="Sa source.")],
        event_id: Annotated[str, Query(alias="id", max_length=255, description="Son id.")],
    ) -> Response:
        return _json(await asyncio.to_thread(desk().receipt, siren, source, event_id))

    @router.get("/rejections", summary="Les événements refusés de l'institution")
    async def rejections(
        siren: own,
        before: Annotated[str | None, Query(max_length=200, description="Le next reçu.")] = None,
        size: Annotated[int, Query(ge=1, le=_MOST, description="Refus par page.")] = 20,
    ) -> Response:
        return _json(await asyncio.to_thread(desk().rejections, siren, before, size))

    @router.get("/rejections/{name}", summary="Un événement refusé, avec ce qui a été reçu")
    async def rejection(siren: own, name: _Name) -> Response:
        return _json(await asyncio.to_thread(desk().rejection, siren, name))

    @router.post("/rejections/{name}/replay", summary="Rejoue un événement refusé, corrigé ou non")
    async def replay(
        who: Annotated[Publisher, Depends(publisher)],
        name: _Name,
        body: Annotated[bytes, Depends(read)],
        signature: Annotated[
            str | None,
            Header(
                alias="traverse-signature",
                max_length=800,
                description="Pour une institution qui signe elle-même : la signature des octets "
                "du corps, qui est alors l'événement entier.",
            ),
        ] = None,
    ) -> Response:
        said = await asyncio.to_thread(desk().replay, who.siren, name, body or None)
        given = signature.encode(errors="replace") if signature else None
        return await publish(who, said, given)

    return router


async def whole_body(request: Request) -> bytes:
    """The body of a request, for an application without limits of its own (tests)."""
    return await request.body()


def _json(content: dict[str, Any]) -> Response:
    return Response(orjson.dumps(content), media_type="application/json")
