"""The loop of a step: what it acknowledges, and when its process leaves."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from traverse_stream_processors import app as steps


class LeftError(Exception):
    """The process left; raised instead."""


class Event:
    def __init__(self) -> None:
        self.message = SimpleNamespace(tp="topic-0")
        self.acked = False

    def ack(self) -> None:
        self.acked = True


class Stream:
    """Three batches of one event, then nothing more until the step is cancelled."""

    enable_acks = True

    def __init__(self) -> None:
        self.events = [Event() for _ in range(3)]

    async def noack_take(self, *_: Any, **__: Any) -> AsyncIterator[list[Event]]:
        for event in self.events:
            yield [event]
            await asyncio.sleep(0)
        await asyncio.Event().wait()


class App:
    """As much of a Faust app as the loop asks of it."""

    conf = SimpleNamespace(id="step")
    should_stop = False

    def __init__(self, consumer: Any = None) -> None:
        self.consumer = consumer
        self.timers: dict[float, Callable[[], Awaitable[None]]] = {}
        self.step: Callable[[Stream], Any] | None = None
        self.assigned: Callable[..., Any] | None = None
        self.on_partitions_revoked = SimpleNamespace(connect=lambda _: None)
        self.on_partitions_assigned = SimpleNamespace(connect=self._connect)

    def _connect(self, own: Callable[..., Any]) -> None:
        self.assigned = own

    def topic(self, *_: Any, **__: Any) -> None:
        """Not asked anything."""

    def timer(self, every: float) -> Callable[[Any], Any]:
        def keep(function: Any) -> Any:
            self.timers[every] = function
            return function

        return keep

    def agent(self, *_: Any, **__: Any) -> Callable[[Any], Any]:
        def keep(function: Any) -> Any:
            self.step = function
            return function

        return keep


class Work:
    """Handles batches, and the one of this number is `cancelled` from inside: at once, or `late`,
    while it is made durable."""

    def __init__(self, cancelled: int = 0, *, late: bool = False) -> None:
        self.cancelled = cancelled
        self.late = late
        self.handled = 0
        self.sizes: list[int] = []
        self.all = asyncio.Event()

    async def handle(self, batch: Sequence[Any]) -> Awaitable[None] | None:
        self.handled += 1
        self.sizes.append(len(batch))
        if self.handled == self.cancelled:
            if not self.late:
                raise asyncio.CancelledError
            durable = asyncio.ensure_future(asyncio.Event().wait())
            durable.cancel()
            return durable  # type: ignore[return-value]
        if self.handled == 3:
            self.all.set()
        return None

    async def release(self) -> None:
        """Holds nothing."""

    async def tick(self, *, owner: bool) -> None:
        """Does nothing between batches."""


async def nothing() -> None:
    """Neither at the start nor at the end."""


def step(work: Work, app: App, stall_after: float = 60) -> None:
    settings: Any = SimpleNamespace(stall_after=stall_after, batch_size=1)
    told: Any = app
    steps._agent(
        told, ("topic",), work, lambda one: one, settings, wait=0.1, start=nothing, stop=nothing
    )


async def run(work: Work, stream: Stream, app: App) -> None:
    step(work, app)
    assert app.step is not None and app.assigned is not None
    await app.assigned(app, {"topic-0"})
    await app.step(stream)


@pytest.fixture(autouse=True)
def leaving(monkeypatch: pytest.MonkeyPatch) -> None:
    def left(sentence: str) -> None:
        raise LeftError(sentence)

    monkeypatch.setattr(steps, "leave", left)


def test_work_that_is_cancelled_from_inside_takes_the_process_with_it() -> None:
    """Faust would go on with the next batch, and this one would be lost."""
    stream, work = Stream(), Work(cancelled=2)
    with pytest.raises(LeftError, match="annulé"):
        asyncio.run(run(work, stream, App()))
    assert [one.acked for one in stream.events] == [True, False, False]
    assert work.handled == 2


def test_a_step_that_is_told_to_stop_stops() -> None:
    """What Faust's stream still reads meanwhile is not acknowledged by itself."""
    stream, work, app = Stream(), Work(), App()

    async def stopped() -> None:
        running = asyncio.create_task(run(work, stream, app))
        await work.all.wait()
        app.should_stop = True
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(stopped())
    assert stream.enable_acks is False


def test_a_batch_that_is_cancelled_on_its_way_to_be_durable_takes_the_process_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is in hand for ever otherwise, and no watch sees that."""
    stream, work = Stream(), Work(cancelled=3, late=True)

    async def cancelled() -> None:
        left = asyncio.Event()
        monkeypatch.setattr(steps, "leave", lambda _: left.set())
        running = asyncio.create_task(run(work, stream, App()))
        await asyncio.wait_for(left.wait(), 60)
        running.cancel()
        await asyncio.wait([running])

    asyncio.run(cancelled())
    assert [one.acked for one in stream.events] == [True, True, False]


def test_what_went_to_another_process_meanwhile_is_not_handled() -> None:
    """Not even as an empty batch, for which a step that links would lead."""
    stream, work, app = Stream(), Work(), App()
    stream.events[0].message.tp = "topic-1"
    stream.events.append(Event())

    async def handled() -> None:
        running = asyncio.create_task(run(work, stream, app))
        await work.all.wait()
        app.should_stop = True
        running.cancel()
        await asyncio.wait([running])

    asyncio.run(handled())
    assert work.sizes == [1, 1, 1]
    assert not stream.events[0].acked


class Silent:
    """A consumer whose broker is away."""

    def assignment(self) -> set[str]:
        return {"topic-0"}

    async def highwaters(self, *_: Any) -> dict[str, int]:
        raise TimeoutError


def test_a_watch_that_hears_nothing_of_kafka_ends_nobody() -> None:
    """Nor does it call a step stalled when Kafka is back."""
    app = App(Silent())
    step(Work(), app, stall_after=0)
    asyncio.run(app.timers[steps._WATCH_EVERY]())  # type: ignore[arg-type]


def test_a_step_that_links_nothing_starts_without_scipy() -> None:
    """It would take a quarter of the start, and 40 MB."""
    script = (
        "import sys, traverse_stream_processors.app\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "faust" in loaded
    assert not loaded & {"datasketch", "scipy"}
