"""An answer that is written piece by piece, until its reader goes or stands still."""

import asyncio
import logging
from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping
from math import inf
from typing import Any, Final

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

_STANDS_STILL: Final = 30.0
"""Seconds after which a reader that takes nothing is given up, or somewhat later."""

_LOOK_EVERY: Final = 10.0

_LOG: Final = logging.getLogger(__name__)


class PatientAnswer(StreamingResponse):
    """Writes pieces as they come. Unlike its base it gives up a reader that stands still, and
    gives back what it holds (`end`) however it ends."""

    def __init__(
        self,
        pieces: AsyncIterator[Any],
        media_type: str,
        headers: Mapping[str, str],
        longest: float = inf,
    ) -> None:
        """Takes over the pieces, which may take `longest` seconds in all, or somewhat longer."""
        super().__init__((), media_type=media_type, headers=headers)
        self._pieces = pieces
        self._longest = longest
        # Since when a piece waits to be taken. A time limit of each piece's own would cost more
        # than to send it.
        self._sending: float | None = None

    @abstractmethod
    def octets(self, piece: Any) -> bytes:
        """A piece as it is sent."""

    @abstractmethod
    async def end(self) -> None:
        """Gives back what the answer holds."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Write until the pieces end or the reader does, who gives its place back at once."""
        writing = asyncio.create_task(self._write(send))
        gone = asyncio.create_task(_gone(receive))
        until = asyncio.get_running_loop().time() + self._longest
        try:
            while not (writing.done() or gone.done() or self._takes_too_long(until)):
                await asyncio.wait(
                    (writing, gone), timeout=_LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED
                )
            if writing.done():
                writing.result()
        finally:
            writing.cancel()
            gone.cancel()
            await asyncio.wait((writing, gone))
            await self.end()

    async def _write(self, send: Send) -> None:
        loop = asyncio.get_running_loop()
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async for piece in self._pieces:
            octets = self.octets(piece)
            self._sending = loop.time()
            await send({"type": "http.response.body", "body": octets, "more_body": True})
            self._sending = None
        self._sending = loop.time()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _takes_too_long(self, until: float) -> bool:
        """Then the answer is not finished, and the server closes it."""
        now, since = asyncio.get_running_loop().time(), self._sending
        if now > until:
            _LOG.warning("answer_given_up cause=longest seconds=%d", self._longest)
            return True
        if since is not None and now - since > _STANDS_STILL:
            _LOG.info("answer_given_up cause=stands_still")
            return True
        return False


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
