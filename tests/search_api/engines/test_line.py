"""The line before Elasticsearch: so many at once, the others in order, and not for ever."""

import asyncio
from functools import partial

import pytest

from traverse_search_api.engines.line import Line
from traverse_search_api.errors import BusyError, SearchUnavailableError


class Engine:
    """Answers when it is told to; knows how many asked at once, and who in which order."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.order: list[int] = []
        self.open, self.asked = asyncio.Event(), asyncio.Event()

    async def answer(self, number: int) -> int:
        """The number that was asked with."""
        self.now += 1
        self.most = max(self.most, self.now)
        self.order.append(number)
        self.asked.set()
        try:
            await self.open.wait()
        finally:
            self.now -= 1
        return number


def test_so_many_are_asked_at_once_and_the_others_in_the_order_in_which_they_came() -> None:
    """All are answered in the end."""

    async def crowd() -> Engine:
        line, engine = Line(at_once=3), Engine()
        asked = [
            asyncio.ensure_future(line.through(partial(engine.answer, n), 60)) for n in range(20)
        ]
        await engine.asked.wait()
        engine.open.set()
        assert await asyncio.gather(*asked) == list(range(20))
        return engine

    engine = asyncio.run(crowd())
    assert engine.most == 3
    assert engine.order == list(range(20))


def test_who_waits_too_long_is_told_and_asks_nothing() -> None:
    """The engine never hears of it, and its place goes to nobody twice."""

    async def late() -> None:
        line, engine = Line(at_once=1), Engine()
        first = asyncio.ensure_future(line.through(partial(engine.answer, 1)))
        await asyncio.sleep(0)
        with pytest.raises(BusyError, match="Trop de recherches"):
            await line.through(partial(engine.answer, 2), 0.01)
        engine.open.set()
        assert await first == 1
        assert await line.through(partial(engine.answer, 3)) == 3
        assert engine.order == [1, 3]

    asyncio.run(late())


def test_who_leaves_the_line_or_fails_gives_the_place_back() -> None:
    """Whether it stood in line or was being answered."""

    async def gone() -> None:
        line, engine = Line(at_once=1), Engine()
        here = asyncio.ensure_future(line.through(partial(engine.answer, 1)))
        waiting = asyncio.ensure_future(line.through(partial(engine.answer, 2)))
        await engine.asked.wait()
        for task in (waiting, here):
            task.cancel()
        await asyncio.gather(here, waiting, return_exceptions=True)
        for error in (ValueError(), ValueError()):
            with pytest.raises(ValueError):
                await line.through(partial(_fails, error))
        engine.open.set()
        assert await line.through(partial(engine.answer, 3), 5) == 3
        assert engine.order == [1, 3]

    asyncio.run(gone())


def test_a_caller_is_told_to_come_back() -> None:
    """As of an engine that is away: 503, with Retry-After."""
    assert isinstance(BusyError(), SearchUnavailableError)
    assert BusyError.status == 503


async def _fails(error: Exception) -> None:
    await asyncio.sleep(0)
    raise error
