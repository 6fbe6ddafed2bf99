"""A stream as an HTTP answer: written piece by piece, until its reader goes or stands still."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from traverse_search_api.stream.message import HEARTBEAT, Form, Message

_STANDS_STILL: Final = 30.0
"""Seconds after which a reader that takes nothing is given up."""


class StreamAnswer(StreamingResponse):
    """The messages of `Hub.open`. Unlike its base it gives up a reader that stands still."""

    def __init__(self, told: AsyncIterator[Message | None], form: Form) -> None:
        """Takes over the stream: it is ended here, however the answer ends."""
        super().__init__(
            (), media_type=form, headers={"cache-control": "no-store", "x-accel-buffering": "no"}
        )
        self._told = told
        self._form = form

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Write until the stream ends or the reader does, who gives its place back at once."""
        writing = asyncio.create_task(self._write(send))
        gone = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait((writing, gone), return_when=asyncio.FIRST_COMPLETED)
            if writing.done():
                writing.result()
        finally:
            writing.cancel()
            gone.cancel()
            await asyncio.wait((writing, gone))
            close = getattr(self._told, "aclose", None)
            if close is not None:
                await close()

    async def _write(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        with suppress(TimeoutError):  # an answer that is not finished is closed by the server
            async for message in self._told:
                octets = message.octets(self._form) if message else HEARTBEAT[self._form]
                async with asyncio.timeout(_STANDS_STILL):
                    await send({"type": "http.response.body", "body": octets, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
