"""Workers that are killed, joined by others, or lose their state, and are told everything in
another order, come to the same as if nothing had happened."""

import shutil
from collections.abc import Iterator
from functools import partial
from random import Random
from typing import NamedTuple

import orjson
import pytest

from tests.engines import RunningEngines
from tests.journey.digest import Outcome, outcome_of
from tests.journey.harness import RARELY, Ends, Journey, Sent, until
from tests.journey.history import ERASED, Mixed, reused
from tests.journey.traces import Traces
from traverse_schemas.log.receipts import End
from traverse_schemas.log.topics import ACCEPTED, OPPORTUNITIES, RECORDS

pytestmark = [pytest.mark.engines, pytest.mark.long]

_REUSED = 20
SCENARIOS = (
    (1, ("validate",)),
    (2, ("index",)),
    (3, ("validate", "index")),
    (4, ("joined",)),
    (5, ("forgotten",)),
)
"""Seeds, and what strikes while the events flow. The seed chooses the order of the events and of
people's words, and the moments."""


class Undisturbed(NamedTuple):
    """What the events come to when nobody disturbs the workers: `alone`, and once the ids that are
    used twice have come as well."""

    alone: Outcome
    reused: Outcome


@pytest.fixture(scope="module")
def history() -> Mixed:
    return Mixed(seed=20261124, size=1000, erasing=True)


@pytest.fixture(scope="module")
def undisturbed(
    engines: RunningEngines, history: Mixed, tmp_path_factory: pytest.TempPathFactory
) -> Undisturbed:
    one = Journey(engines.kafka, engines.elasticsearch, tmp_path_factory.mktemp("calm") / "home")
    one.begin()
    one.start()
    try:
        one.send(history.messages)
        one.settle()
        alone = outcome_of(one, history.erased)
        one.send([message for number in range(_REUSED) for message in reused(number)])
        one.settle()
        return Undisturbed(alone, outcome_of(one, history.erased))
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
    undisturbed: Undisturbed, history: Mixed
) -> None:
    clashes = [message for number in range(_REUSED) for message in reused(number)]
    messages = [*history.messages, *clashes]
    # What an erasure takes is on the log no more.
    erased = {
        it.value for it in messages if it.value and b'"subject":"%s' % ERASED.encode() in it.value
    }
    accepted = set(undisturbed.reused.accepted.values())
    good = {message.value for message in messages if message.value in accepted}
    refused = {value for _, value in undisturbed.reused.rejected}
    assert {message.value for message in messages} - erased == (good | refused) - erased
    assert erased - refused
    assert good.isdisjoint(refused)
    assert len(refused) == history.bad + _REUSED
    assert set(undisturbed.reused.rejected.values()) == {1}
    assert undisturbed.alone.links
    assert undisturbed.alone.groupings


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: "-".join(one[1]))
def test_in_any_order_and_whatever_strikes_it_comes_to_the_same(
    journey: Journey,
    undisturbed: Undisturbed,
    history: Mixed,
    ends: dict[str, Ends],
    scenario: tuple[int, tuple[str, ...]],
) -> None:
    """The same index, ids, links, groupings and accepted events; every event has its end."""
    seed, strikes = scenario
    random = Random(seed)  # noqa: S311 -- a scenario that can be told again, not a secret
    messages = list(history.messages)
    random.shuffle(messages)
    running = {worker.step: worker for worker in journey.start(batch_size="30", **RARELY)}
    begin = 0
    for strike in strikes:
        end = begin + random.randint(300, 400)
        before = {step: ends[step].count() for step in ends}
        journey.send(messages[begin:end])
        begin = end
        step = strike if strike in ends else "validate"
        until(partial(reached, ends[step], before[step] + random.randint(20, 120)), f"{step}")
        if strike == "joined":
            _come_and_go(journey, ends, messages[begin : begin + 200])
            begin += 200
            continue
        running[step].kill()
        if strike == "forgotten":
            shutil.rmtree(journey.home / "state")
        running[step] = journey.start(step, batch_size="30", **RARELY)[0]
    journey.send(messages[begin:])
    journey.settle()
    assert outcome_of(journey, history.erased) == undisturbed.alone
    _every_event_has_its_end(journey)


def _come_and_go(journey: Journey, ends: dict[str, Ends], messages: list[Sent]) -> None:
    """Two of each step share the partitions; one of each leaves again while events flow."""
    before = ends["index"].count()
    second = journey.start(batch_size="30", **RARELY)
    journey.send(messages)
    until(partial(reached, ends["index"], before + 50), "all at work")
    for worker in second:
        worker.stop()
        journey.workers.remove(worker)


def _every_event_has_its_end(journey: Journey) -> None:
    traces = Traces(journey)
    known = {
        End.SEARCHABLE, End.COUNTED, End.SUPERSEDED, End.WITHDRAWN, End.WAITING, End.PURGED,
    }  # fmt: skip
    accepted = [orjson.loads(one.key) for one in journey.read(ACCEPTED)]
    found = {(source, name): traces.end(source, name) for source, _, name in accepted}
    assert {key: end for key, end in found.items() if end not in known} == {}
    # Nothing of such a record can be found: no content was ever said.
    waiting = [name for (_, name), end in found.items() if end == End.WAITING]
    assert not any(name.endswith("-0") for name in waiting)


def test_a_truncated_local_state_is_made_anew(
    journey: Journey, undisturbed: Undisturbed, history: Mixed
) -> None:
    """It is rebuilt from the log, and what was known stays known."""
    messages = history.messages
    journey.start()
    journey.send(messages[:600])
    journey.settle()
    journey.stop_step("validate")
    database = journey.home / "state" / "validate-0.sqlite"
    with database.open("r+b") as file:
        file.truncate(database.stat().st_size // 2)
    journey.start("validate")
    # Some are sent again: a state that was lost for good would accept them twice.
    journey.send(messages[400:])
    journey.settle()
    found = outcome_of(journey, history.erased)
    assert found.digest == undisturbed.alone.digest
    assert found.accepted == undisturbed.alone.accepted
    # What is wrong is as wrong when it comes again: rejected again, under an origin of its own.
    assert found.rejected.keys() == undisturbed.alone.rejected.keys()


def reached(end: Ends, least: int) -> bool:
    return end.count() >= least
