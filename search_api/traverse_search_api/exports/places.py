"""How many exports run at once: each holds a point in time of the index for as long as its reader
takes."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from traverse_search_api.errors import TooManyExportsError


@dataclass(slots=True)
class Places:
    """The places of one process: so many in all, and so many of them for one caller.

    Who comes when they are taken waits for `patience` seconds: programs that poll their feeds tend
    to come at the same minute.
    """

    most: int = 16
    most_each: int = 2
    patience: float = 5.0
    _free: asyncio.Semaphore = field(init=False)
    _callers: dict[str, asyncio.Semaphore] = field(init=False, default_factory=dict)
    _here: Counter[str] = field(init=False, default_factory=Counter)

    def __post_init__(self) -> None:
        self._free = asyncio.Semaphore(self.most)

    @asynccontextmanager
    async def taken(self, caller: str) -> AsyncIterator[None]:
        """A place, for as long as the block lasts. Raises TooManyExportsError."""
        own = self._callers.setdefault(caller, asyncio.Semaphore(self.most_each))
        self._here[caller] += 1
        try:
            await self._wait(own, self.most_each)
            try:
                await self._wait(self._free, self.most)
                try:
                    yield
                finally:
                    self._free.release()
            finally:
                own.release()
        finally:
            self._here[caller] -= 1
            if not self._here[caller]:
                del self._here[caller], self._callers[caller]

    async def _wait(self, places: asyncio.Semaphore, most: int) -> None:
        try:
            async with asyncio.timeout(self.patience):
                await places.acquire()
        except TimeoutError:
            raise TooManyExportsError(most) from None
