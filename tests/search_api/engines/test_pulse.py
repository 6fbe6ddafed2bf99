"""An engine that is busy is waited for; one that is away, or ill, is said to be so."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from traverse_search_api.engines.pulse import Health, Pulse
from traverse_search_api.errors import SearchUnavailableError

_PATIENCE = 0.02
_PING = 0.05


def pulse(ask: Callable[[], Awaitable[Health]]) -> Pulse:
    return Pulse(ask, _PATIENCE, _PING)


async def never() -> Health:
    """No answer to anything."""
    await asyncio.Event().wait()
    return Health.SILENT


def saying(health: Health) -> Callable[[], Coroutine[Any, Any, Health]]:
    async def say() -> Health:
        return health

    return say


async def later(seconds: float = 10 * (_PATIENCE + _PING)) -> str:
    """An answer that takes ten times what silence is given."""
    await asyncio.sleep(seconds)
    return "answer"


def test_an_engine_that_says_it_is_well_is_waited_for() -> None:
    assert asyncio.run(pulse(saying(Health.WELL)).wait(later())) == "answer"


@pytest.mark.parametrize("ask", [never, saying(Health.SILENT), saying(Health.ILL)])
def test_one_that_is_silent_or_ill_is_not(ask: Callable[[], Awaitable[Health]]) -> None:
    """Long before the sixty seconds that the answer would take."""
    with pytest.raises(SearchUnavailableError):
        asyncio.run(asyncio.wait_for(pulse(ask).wait(later(60)), 30))


@pytest.mark.parametrize("ask", [never, saying(Health.SILENT)])
def test_one_that_answers_others_meanwhile_is_only_busy(
    ask: Callable[[], Awaitable[Health]],
) -> None:
    """So busy that it does not even say how it is; but a search now and then comes back."""

    async def busy() -> str:
        heart = pulse(ask)
        slow = asyncio.ensure_future(heart.wait(later()))
        while not slow.done():
            await heart.wait(later(_PATIENCE / 4))
        return await slow

    assert asyncio.run(busy()) == "answer"


def test_one_that_is_ill_is_not_waited_for_whatever_it_answered_before() -> None:
    async def ill() -> None:
        heart = pulse(saying(Health.ILL))
        slow = asyncio.ensure_future(heart.wait(later(60)))
        while not slow.done():
            await heart.wait(later(_PATIENCE / 4))
        await slow

    with pytest.raises(SearchUnavailableError):
        asyncio.run(asyncio.wait_for(ill(), 30))


def test_all_who_wait_ask_once() -> None:
    """A busy engine is not asked a hundred times how it is."""
    asked = []

    async def ask() -> Health:
        asked.append(1)
        return await never()

    async def crowd() -> list[object]:
        heart = pulse(ask)
        waits = (heart.wait(later(60)) for _ in range(100))
        return await asyncio.gather(*waits, return_exceptions=True)

    found = asyncio.run(asyncio.wait_for(crowd(), 30))
    assert all(isinstance(one, SearchUnavailableError) for one in found)
    assert len(asked) == 1


def test_what_the_question_raises_is_raised() -> None:
    async def refused() -> None:
        raise KeyError("index")

    with pytest.raises(KeyError):
        asyncio.run(pulse(never).wait(refused()))
