"""The line before an engine: so many questions at once, the others in the order in which they came,
and for so long.

Without it they stand in the engine's own queue, a thousand long: once more are asked than it can
answer, each answer comes later than the one before, and nobody is told. Knows nothing of which
engine.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from traverse_search_api.errors import BusyError

Answer = TypeVar("Answer")

AT_ONCE: Final = 16
"""Questions at once. Elasticsearch searches with one and a half threads a core, and one: enough for
ten cores, and few enough that what comes between them is soon answered."""

PATIENCE: Final = 5.0
"""Seconds in line. Who waits longer for a search has gone."""

FOR_A_PAGE: Final = 60.0
"""Seconds in line of the next page of a file that is being sent: without it the file is cut off."""


class Line:
    """One line, of one event loop."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._free = asyncio.Semaphore(at_once)

    async def through(
        self, ask: Callable[[], Awaitable[Answer]], patience: float = PATIENCE
    ) -> Answer:
        """The answer to a question that is put when its turn comes. Raises BusyError after
        `patience` seconds in line, and what `ask` raises."""
        try:
            async with asyncio.timeout(patience):
                await self._free.acquire()
        except TimeoutError:
            raise BusyError from None
        try:
            return await ask()
        finally:
            self._free.release()
