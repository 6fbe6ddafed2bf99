"""One process links; when it freezes another takes over, and the first writes nothing more."""

import signal
from pathlib import Path

import pytest

from tests.engines import RunningEngines
from tests.journey.digest import outcome_of
from tests.journey.harness import RARELY, Journey, Worker, until
from tests.journey.history import Mixed

pytestmark = pytest.mark.engines

LEADS = "Cette étape relie désormais"


def test_a_frozen_writer_is_replaced_and_writes_nothing_more(
    engines: RunningEngines, tmp_path: Path
) -> None:
    """The one that links is stopped in the middle of its work; the one that stood by takes over;
    the first wakes, and what it held comes to nothing. The same as if nobody had disturbed them."""
    history = Mixed(seed=7, size=1200)
    calm = Journey(engines.kafka, engines.elasticsearch, tmp_path / "calm")
    calm.begin()
    calm.start()
    try:
        calm.send(history.messages)
        calm.settle()
        undisturbed = outcome_of(calm)
    finally:
        calm.stop()
    assert undisturbed.links
    journey = Journey(engines.kafka, engines.elasticsearch, tmp_path / "frozen")
    journey.begin()
    journey.start("validate", **RARELY)
    workers = journey.start("index", "index", batch_size="20", **RARELY)
    try:
        until(lambda: _leading(workers), "one of two to lead")
        first = _leading(workers)[0]
        (second,) = [worker for worker in workers if worker is not first]
        journey.send(history.messages[:600])
        until(lambda: journey.lag("traverse-index") > 0, "work under way")
        first.process.send_signal(signal.SIGSTOP)
        journey.workers.remove(first)
        journey.send(history.messages[600:])
        until(lambda: LEADS in second.words, "the second to lead")
        journey.settle()
        first.process.send_signal(signal.SIGCONT)
        until(lambda: _gave_up(first), "the first to give up")
        journey.settle()
        assert outcome_of(journey) == undisturbed
    finally:
        first.stop()
        journey.stop()


def _leading(workers: list[Worker]) -> list[Worker]:
    return [worker for worker in workers if LEADS in worker.words]


def _gave_up(worker: Worker) -> bool:
    """It left since it was shut out, or stands by."""
    return worker.process.poll() == 70 or "attend" in worker.words
