"""Where the time of a request goes."""

import asyncio
import re
from itertools import count

import pytest

from traverse_search_api.engines import spent as module
from traverse_search_api.engines.spent import asking, spending


@pytest.fixture
def _seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that goes on by a second each time it is read."""
    clock = count()
    monkeypatch.setattr(module, "perf_counter", lambda: float(next(clock)))


async def ask(took: int) -> None:
    with asking() as question:
        await asyncio.sleep(0)
        question.took = took


def test_what_is_asked_of_the_engine_adds_up_in_whichever_task() -> None:
    """Of what is asked at once the longest; what another request spends meanwhile is not in it."""

    async def request(*took: int) -> int:
        with spending() as spent:
            await asyncio.gather(*(ask(each) for each in took))
            await ask(1)
        return spent.engine

    async def both() -> list[int]:
        return list(await asyncio.gather(request(10, 20), request(500)))

    assert asyncio.run(both()) == [21, 501]


@pytest.mark.usefixtures("_seconds")
def test_time_in_which_several_answers_are_waited_for_counts_once() -> None:
    """From the first question to the last answer."""

    async def request() -> float:
        with spending() as spent:  # at 0
            await asyncio.gather(ask(5), ask(5))  # from 1 to 2
            await ask(5)  # from 3 to 4
        return spent.waited

    assert asyncio.run(request()) == 2.0


@pytest.mark.usefixtures("_seconds")
def test_a_question_without_an_answer_was_waited_for_too() -> None:
    with spending() as spent, pytest.raises(TimeoutError), asking():
        raise TimeoutError
    assert (spent.engine, spent.waited) == (0, 1.0)


def test_it_is_told_as_server_timing() -> None:
    """In milliseconds."""
    with spending() as spent:
        asyncio.run(ask(12))
    header = spent.header()
    assert re.fullmatch(r"engine;dur=12, wait;dur=\d+\.\d, total;dur=\d+\.\d", header)


def test_where_nobody_counts_nothing_is_counted() -> None:
    """Streams and exports ask without."""
    asyncio.run(ask(12))
    with spending() as spent:
        pass
    assert (spent.engine, spent.waited) == (0, 0.0)
