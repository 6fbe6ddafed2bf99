"""Whether an engine that has not answered yet is busy or away. Knows nothing of which engine.

A question may take long: an engine that is busy answers late, and is waited for. One that is away
or stands still says nothing to anybody, and that must be said at once. So whoever waits too long
asks how it is, one question for all who wait; and where that too gets no answer in time, anything
that others were answered meanwhile says that it lives.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from enum import Enum
from typing import Any, Final, TypeVar

from traverse_search_api.errors import SearchUnavailableError

Answer = TypeVar("Answer")

PING: Final = 0.8
"""Seconds that the question how it is may take; with a patience of one second, less than two."""


class Health(Enum):
    """What the engine says of itself. SILENT: nothing."""

    WELL = "well"
    ILL = "ill"
    SILENT = "silent"


class Pulse:
    """Waits for answers of one engine. `ask` asks how it is, `patience` is after how many seconds
    without an answer, `ping` how many it then has to say so."""

    def __init__(
        self, ask: Callable[[], Awaitable[Health]], patience: float, ping: float = PING
    ) -> None:
        self._ask = ask
        self._patience = patience
        self._ping = ping
        self._asking: asyncio.Task[Health] | None = None
        self._heard = float("-inf")

    async def wait(self, request: Coroutine[Any, Any, Answer]) -> Answer:
        """The answer, however long it takes, as long as the engine is there and not ill; what the
        request raises. Raises SearchUnavailableError within `patience` and `ping`."""
        loop = asyncio.get_running_loop()
        task = asyncio.ensure_future(request)
        try:
            while True:
                since = loop.time()
                done, _ = await asyncio.wait({task}, timeout=self._patience)
                if not done and not await self._lives(task, since):
                    raise SearchUnavailableError
                if task.done():
                    answer = task.result()
                    self._heard = loop.time()
                    return answer
        finally:
            task.cancel()

    async def _lives(self, task: asyncio.Task[Any], since: float) -> bool:
        """Whether to go on waiting for the task: it is done, or the engine is well, or it has
        answered somebody since."""
        asking = self._asking
        if asking is None or asking.done():
            asking = self._asking = asyncio.ensure_future(self._ask())
        done, _ = await asyncio.wait(
            {task, asking}, timeout=self._ping, return_when=asyncio.FIRST_COMPLETED
        )
        if task in done:
            return True
        health = asking.result() if asking in done else Health.SILENT
        return health is Health.WELL or (health is Health.SILENT and self._heard >= since)
