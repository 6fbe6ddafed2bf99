"""The spool: Kafka away, and events accepted all the same, in order, none lost."""

import threading
from pathlib import Path

from tests.producers.gateway.serving import BATCH, MemoryLog, memory_journal, nowhere, serving
from tests.stream_processors.factory import event, octets
from traverse_infra.engines.waiting import wait_until
from traverse_producers.errors import EventRefusedError
from traverse_producers.gateway.spool import SpooledJournal
from traverse_producers.outbox.durable_queue import Limits


class Weather:
    """Kafka that is away until it is not."""

    def __init__(self) -> None:
        self.log = MemoryLog()
        self.fair = threading.Event()

    def connect(self) -> MemoryLog:
        return self.log if self.fair.is_set() else nowhere()


def spooled(path: Path, weather: Weather, most: int = 1000) -> SpooledJournal:
    return SpooledJournal(
        memory_journal(weather.connect), path, weather.connect, Limits(messages=most)
    )


def test_what_comes_while_kafka_is_away_is_accepted_and_delivered_in_order(tmp_path: Path) -> None:
    weather = Weather()
    journal = spooled(tmp_path / "spool" / "file", weather)
    with serving(journal=journal) as gateway:
        batches = [[event(id=f"{n}-{m}") for m in range(3)] for n in range(4)]
        for batch in batches:
            answer = gateway.post(batch, BATCH)
            assert answer.status_code == 202, answer.text
        assert journal.waiting == 12
        ready = gateway.client.get("/readyz")
        assert (ready.status_code, ready.json()["kafka"]) == (200, "away")
        weather.fair.set()
        assert wait_until(lambda: journal.waiting == 0, timeout=60)
        assert gateway.post(event(id="after")).status_code == 202
        expected = [octets(one) for batch in batches for one in batch] + [octets(event(id="after"))]
        assert [sent for _, sent, _ in weather.log.sent] == expected
        assert all(dict(headers)["traverse-signature"] for _, _, headers in weather.log.sent)


def test_what_is_queued_outlives_the_process(tmp_path: Path) -> None:
    weather = Weather()
    with serving(journal=spooled(tmp_path / "file", weather)) as gateway:
        assert gateway.post(event()).status_code == 202
    weather.fair.set()
    later = spooled(tmp_path / "file", weather)
    with serving(journal=later):
        assert wait_until(lambda: later.waiting == 0, timeout=60)
    assert [sent for _, sent, _ in weather.log.sent] == [octets(event())]


def test_a_full_spool_takes_a_request_whole_or_not_at_all(tmp_path: Path) -> None:
    journal = spooled(tmp_path / "file", Weather(), most=5)
    with serving(journal=journal) as gateway:
        assert gateway.post([event()] * 4, BATCH).status_code == 202
        assert gateway.post([event()] * 4, BATCH).status_code == 503
        assert gateway.client.get("/readyz").status_code == 200
        assert gateway.post(event()).status_code == 202
        assert journal.waiting == 5
        assert gateway.client.get("/readyz").status_code == 503


def test_what_kafka_does_not_confirm_in_time_is_queued(tmp_path: Path) -> None:
    slow, weather = MemoryLog(answer=False), Weather()
    journal = SpooledJournal(
        memory_journal(lambda: slow, 0.1), tmp_path / "file", weather.connect, Limits()
    )
    with serving(journal=journal) as gateway:
        assert wait_until(lambda: journal.connected, timeout=60)
        assert gateway.post(event()).status_code == 202
        assert len(slow.sent) == 1
        assert journal.waiting == 1
        weather.fair.set()
        assert wait_until(lambda: len(weather.log.sent) == 1, timeout=60)


def test_what_kafka_refuses_for_good_is_not_queued(tmp_path: Path) -> None:
    """Queued, it would be accepted, and set aside here where nobody hears of it."""
    refusing = MemoryLog(fail=EventRefusedError("Kafka refuse l'événement, trop grand."))
    journal = SpooledJournal(memory_journal(lambda: refusing), tmp_path / "file", nowhere, Limits())
    with serving(journal=journal) as gateway:
        assert wait_until(lambda: journal.connected, timeout=60)
        answer = gateway.post(event())
        assert (answer.status_code, journal.waiting) == (503, 0)
        assert "trop grand" in answer.text
