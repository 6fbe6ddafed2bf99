"""The publisher for asyncio: the same names and rules, awaited."""

import asyncio
import inspect
import json
import threading
from itertools import count
from pathlib import Path

import pytest

from tests.engines import RunningEngines
from tests.producers.memory_transport import MemoryTransport
from tests.stream_processors.factory import CCI, call_data
from traverse_infra.log.topics import apply_topics
from traverse_producers.async_publisher import AsyncPublisher
from traverse_producers.errors import (
    BrokerAwayError,
    InvalidEventError,
    PublisherClosedError,
    UndeliveredError,
)
from traverse_producers.publisher import Publisher
from traverse_schemas.errors import InvalidSourceError


def test_every_method_of_publisher_is_there_under_its_name() -> None:
    def names(of: type) -> set[str]:
        return {name for name, _ in inspect.getmembers(of, callable) if not name.startswith("_")}

    assert names(AsyncPublisher) == names(Publisher)
    assert AsyncPublisher.publish.__doc__ == Publisher.publish.__doc__


def test_events_keep_the_order_of_the_calls() -> None:
    """Even when all are started at once."""
    transport = MemoryTransport()

    async def main() -> None:
        async with AsyncPublisher(CCI, transport=transport) as said:
            calls = [said.publish("call", "R-1", call_data(), sequence=n) for n in range(50)]
            taken = await asyncio.gather(*calls)
            places = await asyncio.gather(*taken)
            assert [place.offset for place in places] == list(range(50))
            await said.update("call", "R-1", call_data(), sequence=50)
            await said.close("call", "R-1", "awarded")
            await said.close_record("call", "R-1", "awarded")
            await said.withdraw("call", "R-1")
            await said.send(transport.sent[0][1])
            await said.flush()

    asyncio.run(main())
    events = [json.loads(octets) for _, octets, _ in transport.sent]
    assert [one["sequence"] for one in events[:51]] == list(range(51))
    assert [one["type"].split(".")[3] for one in events[51:]] == [
        "closed",
        "closed",
        "withdrawn",
        "published",
    ]
    assert transport.closed


def test_a_wrong_event_is_told_by_the_first_await() -> None:
    async def main() -> None:
        async with AsyncPublisher(CCI, transport=MemoryTransport()) as said:
            with pytest.raises(InvalidEventError, match="title"):
                await said.publish("call", "R-1", call_data(title=None))

    asyncio.run(main())


def test_a_failed_delivery_is_told_by_the_second_await_and_by_the_end() -> None:
    async def main() -> None:
        said = AsyncPublisher(CCI, transport=MemoryTransport(fail=BrokerAwayError("essai")))
        taken = await said.publish("call", "R-1", call_data())
        with pytest.raises(BrokerAwayError):
            await taken
        with pytest.raises(UndeliveredError):
            await said.close()

    asyncio.run(main())


def test_the_loop_goes_on_while_a_connection_is_made() -> None:
    """Making a connection may take seconds: other tasks run meanwhile."""
    reached = threading.Event()

    def slow() -> MemoryTransport:
        assert reached.wait(60)
        return MemoryTransport()

    async def main() -> None:
        said = AsyncPublisher(CCI, transport=slow)
        flushing = asyncio.create_task(said.flush())
        await asyncio.sleep(0)
        reached.set()
        await flushing
        await said.close()

    asyncio.run(main())


def test_errors_of_opening_and_of_late_calls_are_the_publishers() -> None:
    async def main() -> None:
        with pytest.raises(InvalidSourceError):
            async with AsyncPublisher("urn:siren:181300015"):
                pass
        await AsyncPublisher(CCI).close()  # never opened: nothing to end
        said = AsyncPublisher(CCI, transport=MemoryTransport())
        await said.flush()
        await said.close()
        await said.close()
        with pytest.raises(PublisherClosedError):
            await said.publish("call", "R-1", call_data())

    asyncio.run(main())


def test_with_an_outbox_the_event_is_on_disk_after_the_first_await(tmp_path: Path) -> None:
    async def main() -> None:
        tries = count()

        def later() -> MemoryTransport:
            if next(tries) < 1:
                raise BrokerAwayError("essai")
            return MemoryTransport()

        async with AsyncPublisher(CCI, transport=later, outbox=tmp_path / "outbox") as said:
            taken = await said.publish("call", "R-1", call_data())
            assert (await taken).topic == "traverse.inbound"

    asyncio.run(main())


@pytest.mark.engines
def test_on_a_real_kafka(engines: RunningEngines) -> None:
    apply_topics(engines.kafka)

    async def main() -> None:
        async with AsyncPublisher(CCI, bootstrap=engines.kafka) as said:
            taken = [await said.publish("call", f"A-{n}", call_data()) for n in range(20)]
            places = await asyncio.gather(*taken)
        assert len(set(places)) == 20

    asyncio.run(main())
