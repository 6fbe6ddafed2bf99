"""The place that a stream takes among those of its caller, given back once."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable

from traverse_search_api.stream.message import Message, Refused


class Place:
    """Taken already; `leave` gives it back, the first time that it is called."""

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave: Callable[[], None] | None = leave

    def leave(self) -> None:
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()


class Seated(AsyncIterator[Message | Refused | None]):
    """A stream in its place. A generator that nobody began does not end by being closed: its reader
    may leave before the first message."""

    def __init__(self, told: AsyncGenerator[Message | Refused | None, None], place: Place) -> None:
        self._told = told
        self._place = place

    async def __anext__(self) -> Message | Refused | None:
        return await anext(self._told)

    async def aclose(self) -> None:
        """End the stream, begun or not."""
        await self._told.aclose()
        self._place.leave()
