"""A stream as an HTTP answer: written piece by piece, until its reader goes or stands still."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from traverse_search_api.stream.message import HEARTBEAT, Form, Message

_STANDS_STILL: Final = 30.0
"""Seconds after which a reader that takes nothing is given up, or somewhat later."""

_LOOK_EVERY: Final = 10.0


class StreamAnswer(StreamingResponse):
    """The messages of `Hub.open`. Unlike its base it gives up a reader that stands still."""

    def __init__(self, told: AsyncIterator[Message | None], form: Form) -> None:
        """Takes over the stream: it is ended here, however the answer ends."""
        super().__init__(
            (), media_type=form, headers={"cache-control": "no-store", "x-accel-buffering": "no"}
        )
        self._told = told
        self._form = form
        # Since when a message waits to be taken. A time limit of each message's own would cost more
        # than to send it.
        self._sending: float | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Write until the stream ends or the reader does, who gives its place back at once."""
        writing = asyncio.create_task(self._write(send))
        gone = asyncio.create_task(_gone(receive))
        try:
            while not (writing.done() or gone.done() or self._stands_still()):
                await asyncio.wait(
                    (writing, gone), timeout=_LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED
                )
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
        loop = asyncio.get_running_loop()
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async for message in self._told:
            octets = message.octets(self._form) if message else HEARTBEAT[self._form]
            self._sending = loop.time()
            await send({"type": "http.response.body", "body": octets, "more_body": True})
            self._sending = None
        self._sending = loop.time()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _stands_still(self) -> bool:
        """Then the answer is not finished, and the server closes it."""
        since = self._sending
        return since is not None and asyncio.get_running_loop().time() - since > _STANDS_STILL


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
