"""Engines that stand still, stop and come back while events flow: the steps wait, then go on."""

import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.journey.digest import digest_of_index
from tests.journey.harness import RARELY, Ends, Journey, until
from tests.journey.history import Mixed
from traverse_infra.engines.runner import Engines, EngineStatus
from traverse_schemas.log.topics import ACCEPTED, OPPORTUNITIES, RECORDS

pytestmark = [pytest.mark.engines, pytest.mark.long]


@pytest.fixture
def away(own: Engines, tmp_path: Path) -> Iterator[Journey]:
    one = Journey(own.kafka, own.elasticsearch, tmp_path / "home")
    one.begin()
    yield one
    one.stop()


@pytest.fixture(scope="module")
def history() -> Mixed:
    return Mixed(seed=7, size=1500)


@pytest.fixture(scope="module")
def calm(own: Engines, history: Mixed, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of the same events when no engine goes away."""
    one = Journey(own.kafka, own.elasticsearch, tmp_path_factory.mktemp("calm") / "home")
    one.begin()
    one.start()
    try:
        one.send(history.messages)
        one.settle()
        return digest_of_index(one)[0]
    finally:
        one.stop()


def process_of(status: EngineStatus) -> psutil.Process:
    assert status.pid is not None
    return psutil.Process(status.pid)


def written(journey: Journey, topic: str) -> int:
    ends = Ends(journey.kafka, topic)
    try:
        return ends.count()
    finally:
        ends.close()


@pytest.mark.parametrize("how", ["stands still", "is killed and started again"])
def test_elasticsearch_away_is_waited_for(
    own: Engines, away: Journey, history: Mixed, calm: str, how: str
) -> None:
    """Validating goes on, indexing waits and says so; when it is back nothing is missing."""
    validate, index = away.start(batch_size="40", **RARELY)
    half = len(history.messages) // 2
    away.send(history.messages[:half])
    until(lambda: written(away, OPPORTUNITIES) > 50, "indexing")
    elasticsearch = process_of(own.status()[1])
    if how == "stands still":
        elasticsearch.send_signal(signal.SIGSTOP)
    else:
        elasticsearch.kill()
        elasticsearch.wait(20)
    away.send(history.messages[half:])
    until(lambda: away.lag("traverse-validate") == 0, "validating without Elasticsearch")
    if how == "stands still":
        assert away.lag("traverse-index") > 0
        elasticsearch.send_signal(signal.SIGCONT)
    else:
        until(lambda: "rien n'est perdu" in index.words, "a word about the wait")
        own.up()
    away.settle()
    assert (validate.process.poll(), index.process.poll()) == (None, None)
    assert digest_of_index(away)[0] == calm


def test_kafka_killed_and_started_again_is_waited_for(
    own: Engines, away: Journey, history: Mixed, calm: str
) -> None:
    """Both steps wait for it by themselves; no event is lost or counted twice."""
    workers = away.start(batch_size="40", **RARELY)
    away.send(history.messages)
    # Both are at work: one that does not reach Kafka as it starts leaves, and is started again.
    until(lambda: written(away, RECORDS) > 150, "validating")
    until(lambda: written(away, OPPORTUNITIES) > 0, "linking")
    kafka = process_of(own.status()[0])
    kafka.kill()
    kafka.wait(20)
    own.up()
    away.settle()
    assert [worker.process.poll() for worker in workers] == [None, None]
    assert digest_of_index(away)[0] == calm
    accepted = {one.key for one in away.read(ACCEPTED)}
    refused = {one.value for one in away.rejections()}
    assert len(accepted) + len(refused) == len({one.value for one in history.messages})
