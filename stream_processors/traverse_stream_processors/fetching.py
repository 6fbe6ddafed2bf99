"""Fetching: Faust's Kafka transport, mended in three places, and how much of it waits.

While the buffer of a stream is nearly full, Faust pauses its partitions; when all are paused, its
consumer sleeps a whole second, however soon the buffer empties (0.15.3,
`Consumer._wait_next_records`). With a bounded buffer the step then stood idle for a third of the
time or more. Here the consumer looks again every few milliseconds.

What is fetched while partitions change hands Faust drops, and seeks back to what was committed.
aiokafka (0.14) then seeks nowhere in a partition of which nothing was committed yet: what was
dropped would never be read, and be passed over by the next commit. Here it begins anew.

A commit that waited until all of its partitions had gone to another process Faust makes of nothing,
which is an error to aiokafka that ends the app. Here it is none.
"""

from typing import Any, ClassVar

import faust
from aiokafka import TopicPartition
from faust.transport.drivers import aiokafka as driver

from traverse_stream_processors.telemetry import logger

_LOOK_EVERY = 0.01
_LOOKS = 100
"""So many looks make Faust's own second: no longer than that until it sees to a rebalance."""


class _Thread(driver.AIOKafkaConsumerThread):
    async def _commit(self, offsets: Any) -> bool:
        return bool(self.assignment() & offsets.keys()) and await super()._commit(offsets)


class _Consumer(driver.Consumer):
    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ASYNC109 -- Faust's name
        for _ in range(_LOOKS):
            if not self.flow_active or self.should_stop or self._get_active_partitions():
                break
            await self.sleep(_LOOK_EVERY)
        return await super()._wait_next_records(timeout)

    async def perform_seek(self) -> None:
        await super().perform_seek()
        # By now only what has an offset to go on from has one that was read.
        anew = [TopicPartition(*tp) for tp in self.assignment() if self._read_offset[tp] is None]
        if anew:
            await self._thread.seek_to_beginning(*anew)


class _Transport(driver.Transport):
    Consumer: ClassVar[Any] = _Consumer


def fetch_promptly(app: faust.App) -> faust.App:
    """The same app, whose consumer goes on as soon as its buffer has room, and drops nothing."""
    app.transport = _Transport(app.conf.broker_consumer, app)
    return app


async def waiting(app: faust.App) -> int:
    """Messages that the broker has and this process has not acknowledged; 0 when nobody can tell,
    as Kafka is away or partitions change hands."""
    try:
        return await _counted(app.consumer)
    except Exception as error:  # any that leaves a timer ends Faust
        logger.info("Kafka ne dit pas combien de messages attendent : %r", error)
        return 0


async def _counted(consumer: Any) -> int:
    assigned = consumer.assignment()
    if not assigned:
        return 0
    count = 0
    for tp, end in (await consumer.highwaters(*assigned)).items():
        # As this consumer found it or left it since it was given the partition: it may have had it
        # before, and another since. Where nothing is committed, what was fetched is what is known.
        committed = consumer._committed_offset.get(tp)
        if committed is not None and committed >= end:
            continue
        position = await consumer.position(tp) or 0
        committed = committed or position
        read = consumer._read_offset.get(tp)
        if position >= end and read in (committed - 1, committed) and not consumer.unacked:
            continue  # nothing more but the marker of somebody's transaction
        count += max(0, end - committed)
    return count
