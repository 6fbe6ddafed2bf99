"""Workers that are killed, joined by others, or lose their state come to the same as if nothing
had happened: the same index, the same accepted events, each rejection once."""

import shutil
from collections.abc import Iterator
from functools import partial
from random import Random

import pytest

from tests.engines import RunningEngines
from tests.journey.digest import Outcome, outcome_of
from tests.journey.harness import Ends, Journey, Sent, until
from tests.journey.history import Mixed, reused
from traverse_schemas.topics import OPPORTUNITIES, RECORDS

pytestmark = pytest.mark.engines

_REUSED = 20


@pytest.fixture(scope="module")
def history() -> Mixed:
    return Mixed(seed=20261124, size=3000)


@pytest.fixture(scope="module")
def messages(history: Mixed) -> list[Sent]:
    clashes = [message for number in range(_REUSED) for message in reused(number)]
    return [*history.messages[:1500], *clashes, *history.messages[1500:]]


@pytest.fixture(scope="module")
def undisturbed(
    engines: RunningEngines, messages: list[Sent], tmp_path_factory: pytest.TempPathFactory
) -> Outcome:
    """What the events come to when nobody disturbs the workers."""
    one = Journey(engines.kafka, engines.elasticsearch, tmp_path_factory.mktemp("calm") / "home")
    one.begin()
    one.start()
    try:
        one.send(messages)
        one.settle()
        return outcome_of(one)
    finally:
        one.stop()


@pytest.fixture
def ends(journey: Journey) -> Iterator[dict[str, Ends]]:
    """How far each step has written, to choose the moment of a kill."""
    found = {"validate": Ends(journey.kafka, RECORDS), "index": Ends(journey.kafka, OPPORTUNITIES)}
    yield found
    for each in found.values():
        each.close()


def test_all_that_was_sent_is_accepted_or_rejected(
    undisturbed: Outcome, messages: list[Sent], history: Mixed
) -> None:
    good = {message.value for message in messages if message.value in undisturbed.accepted.values()}
    refused = {value for _, value in undisturbed.rejected}
    assert {message.value for message in messages} == good | refused
    assert good.isdisjoint(refused)
    assert len(refused) == history.bad + _REUSED
    assert set(undisturbed.rejected.values()) == {1}


def test_killed_at_any_moment_it_ends_in_the_same_index(
    journey: Journey,
    undisturbed: Outcome,
    messages: list[Sent],
    ends: dict[str, Ends],
) -> None:
    """SIGKILL to validate alone, index alone, then both, in the middle of their work."""
    random = Random(1)  # noqa: S311
    rounds = [("validate",), ("index",), ("validate", "index")]
    running = {worker.step: worker for worker in journey.start(batch_size="40")}
    share = len(messages) // len(rounds)
    for number, victims in enumerate(rounds):
        until_last = None if number == len(rounds) - 1 else (number + 1) * share
        before = {step: ends[step].count() for step in victims}
        journey.send(messages[number * share : until_last])
        for step in victims:
            least = before[step] + random.randint(40, 300)
            until(partial(reached, ends[step], least), f"{step} at work")
            running[step].kill()
        for step in victims:
            running[step] = journey.start(step, batch_size="40")[0]
    journey.settle()
    assert outcome_of(journey) == undisturbed


def test_workers_that_come_and_go_change_nothing(
    journey: Journey, undisturbed: Outcome, messages: list[Sent], ends: dict[str, Ends]
) -> None:
    """Two of each step share the partitions; one of each leaves again while events flow."""
    journey.start(batch_size="40")
    journey.send(messages[:1000])
    until(lambda: ends["index"].count() > 100, "the first at work")
    second = journey.start(batch_size="40")
    journey.send(messages[1000:2000])
    until(lambda: ends["index"].count() > 700, "the second at work")
    for worker in second:
        worker.stop()
        journey.workers.remove(worker)
    journey.send(messages[2000:])
    journey.settle()
    assert outcome_of(journey) == undisturbed


def test_the_local_state_may_be_lost(
    journey: Journey, undisturbed: Outcome, messages: list[Sent]
) -> None:
    """Deleted, then truncated: it is rebuilt from the log, and what was known stays known."""
    journey.start()
    journey.send(messages[:1000])
    journey.settle()
    journey.stop_step("validate")
    shutil.rmtree(journey.home / "state")
    journey.start("validate")
    # Some are sent again: a state that was lost for good would accept them twice.
    journey.send(messages[500:2000])
    journey.settle()
    journey.stop_step("validate")
    database = journey.home / "state" / "validate-0.sqlite"
    with database.open("r+b") as file:
        file.truncate(database.stat().st_size // 2)
    journey.start("validate")
    journey.send(messages[1500:])
    journey.settle()
    found = outcome_of(journey)
    assert found.digest == undisturbed.digest
    assert found.accepted == undisturbed.accepted
    # What is wrong is as wrong when it comes again: rejected again, under an origin of its own.
    assert found.rejected.keys() == undisturbed.rejected.keys()


def reached(end: Ends, least: int) -> bool:
    return end.count() >= least
