"""The SDK for asyncio: a Publisher whose calls are awaited. The rules are the Publisher's own.

    async with AsyncPublisher("urn:siren:211300405") as publisher:
        taken = await publisher.publish("call", "VOIRIE-2026", {"title": "Réfection…", ...})
        delivery = await taken

The first `await` ends when the event is checked and taken (with an outbox: on disk). What it gives
may be awaited for the delivery; leaving the `with` block waits for all of them.
"""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial, update_wrapper
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from traverse_producers.errors import PublisherClosedError
from traverse_producers.publisher import Publisher
from traverse_producers.transports.contract import Delivery

Words = ParamSpec("Words")
Result = TypeVar("Result")
Taken = asyncio.Future[Delivery]


def _awaited(
    method: Callable[Concatenate[Publisher, Words], Future[Delivery]],
) -> Callable[Concatenate["AsyncPublisher", Words], Coroutine[Any, Any, Taken]]:
    """The method of Publisher, with its words, as a coroutine."""

    async def call(self: "AsyncPublisher", /, *words: Words.args, **named: Words.kwargs) -> Taken:
        return _taken(await self._call(lambda publisher: method(publisher, *words, **named)))

    return update_wrapper(call, method)


class AsyncPublisher:
    """What Publisher is, for one event loop: the same names, words and errors.

    One thread calls the Publisher: events keep the order of the calls, and the loop never waits
    for a disk, a connection or room.
    """

    def __init__(self, source: str, **options: Any) -> None:
        """The words of Publisher, which is made by `async with`, or by the first call."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="traverse-async")
        self._make = partial(Publisher, source, **options)
        self._publisher: Publisher | None = None
        self._closed = False

    publish = _awaited(Publisher.publish)
    update = _awaited(Publisher.update)
    withdraw = _awaited(Publisher.withdraw)
    send = _awaited(Publisher.send)

    async def close_record(self, kind: str, reference: str, outcome: str, **details: Any) -> Taken:
        """See Publisher.close_record."""
        return _taken(
            await self._call(lambda said: said.close_record(kind, reference, outcome, **details))
        )

    async def flush(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - Publisher's word
        """See Publisher.flush."""
        await self._call(lambda publisher: publisher.flush(timeout))

    async def close(self, *words: Any, **named: Any) -> Taken | None:
        """See Publisher.close: with a kind, a reference and an outcome, a record; else this
        publisher."""
        if words or named.keys() - {"timeout"}:
            return await self.close_record(*words, **named)
        if not self._closed:
            self._closed = True
            try:
                if self._publisher is not None:
                    await self._call(lambda publisher: publisher.close(**named))
            finally:
                self._thread.shutdown(wait=False)
        return None

    async def __aenter__(self) -> Self:
        await self._call(lambda _: None)  # makes the Publisher, and raises what it raises
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _call(self, work: Callable[[Publisher], Result]) -> Result:
        def on_the_thread() -> Result:
            if self._publisher is None:
                self._publisher = self._make()
            return work(self._publisher)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, on_the_thread)
        except RuntimeError:
            if self._closed:  # the thread has ended
                raise PublisherClosedError from None
            raise


def _taken(future: Future[Delivery]) -> Taken:
    taken = asyncio.wrap_future(future)
    # Who does not await it learns of a failure from `flush` and `close`, not from asyncio's log.
    taken.add_done_callback(lambda done: done.cancelled() or done.exception())
    return taken
