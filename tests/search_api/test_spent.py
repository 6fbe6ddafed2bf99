"""Where the time of a request goes."""

import asyncio
import re

from traverse_search_api.spent import spend, spending


def test_what_is_asked_of_the_engine_adds_up_in_whichever_task() -> None:
    """And what another request spends meanwhile is not in it."""

    async def ask(took: int) -> None:
        await asyncio.sleep(0)
        spend(took, took / 1000)

    async def request(*took: int) -> tuple[int, float]:
        with spending() as spent:
            await asyncio.gather(*(ask(each) for each in took))
            await ask(1)
        return spent.engine, round(spent.waited, 3)

    async def both() -> list[tuple[int, float]]:
        return list(await asyncio.gather(request(10, 20), request(500)))

    assert asyncio.run(both()) == [(31, 0.031), (501, 0.501)]


def test_it_is_told_as_server_timing() -> None:
    """In milliseconds; the whole is at least what was waited."""
    with spending() as spent:
        spend(12, 0.0)
    header = spent.header()
    assert re.fullmatch(r"engine;dur=12, wait;dur=0\.0, total;dur=\d+\.\d", header)


def test_where_nobody_counts_nothing_is_counted() -> None:
    """Streams and exports ask without."""
    spend(12, 0.012)
    with spending() as spent:
        pass
    assert (spent.engine, spent.waited) == (0, 0.0)
