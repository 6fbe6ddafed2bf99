"""A stream says that its line lives when nothing else was said, and only then."""

import asyncio

from traverse_search_api.changes.position import Position
from traverse_search_api.stream.listener import Listener, Mark


def test_it_beats_after_silence_and_not_after_a_message() -> None:
    async def beats() -> list[int]:
        one = Listener(Position("generation", (0,)))
        loop = asyncio.get_running_loop()
        one.heard = loop.time()
        one.beat(60)
        early = one.queue.qsize()
        one.heard -= 120  # two beats were due meanwhile: one is said
        assert one.timer is not None
        one.timer.cancel()
        one.beat(60)
        late = one.queue.qsize()
        assert one.queue.get_nowait() is Mark.BEAT
        assert loop.time() - one.heard < 60
        one.timer.cancel()
        return [early, late]

    assert asyncio.run(beats()) == [0, 1]
