"""The deliverer, turn by turn: order per record, nothing lost, nobody blocks the others."""

from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from traverse_producers.errors import (
    BrokerAwayError,
    BrokerRefusedError,
    EventRefusedError,
    PublishError,
)
from traverse_producers.outbox.deliverer import _MOST_ALONE, Answer, Deliverer
from traverse_producers.outbox.durable_queue import DurableQueue, Limits, Message, Queued
from traverse_producers.transports.contract import Delivery, Headers
from traverse_schemas.log.pauses import Pauses
from traverse_schemas.log.topics import PARTITIONS

PLACE = Delivery("traverse.inbound", 0, 0)
AWAY = BrokerAwayError("essai")
UNWELL = BrokerRefusedError("Un incident.")
REFUSED = EventRefusedError("Trop grand.")


class Broker:
    """Opens transports, and answers what they sent when the test says so."""

    def __init__(self) -> None:
        self.away = False
        self.opened = 0
        self.open: list[tuple[str, Future[Delivery]]] = []
        self.log: list[str] = []

    def __call__(self) -> "Broker":
        if self.away:
            raise AWAY
        self.opened += 1
        return self

    def send(self, key: str, octets: bytes, headers: Headers) -> Future[Delivery]:
        future: Future[Delivery] = Future()
        assert all(not one.startswith(f"{key} ") for one, _ in self.open), "two of one record"
        self.open.append((octets.decode(), future))
        return future

    def flush(self, timeout: float | None) -> None:
        pass

    def close(self, timeout: float | None) -> None:
        waiting, self.open = self.open, []
        for _, future in waiting:
            future.set_exception(AWAY)

    def answer(self, index: int, error: PublishError | None = None, *, came: bool = True) -> str:
        """`came`: the event is on the log, whatever the answer says."""
        text, future = self.open.pop(index)
        if error is None or came:
            self.log.append(text)
        if error is None:
            future.set_result(PLACE)
        else:
            future.set_exception(error)
        return text


class World:
    """A queue, a broker, a clock, and who delivers."""

    def __init__(self, folder: Path) -> None:
        self.queue = DurableQueue(folder / "q")
        self.broker = Broker()
        self.seconds = 0.0
        self.told: dict[str, Answer] = {}
        self.start()

    def start(self) -> None:
        """As after a restart: nothing is known but the file."""
        self.deliverer = Deliverer(
            self.queue,
            self.broker,
            writer="me",
            told=self._told,
            wake=lambda: None,
            pauses=Pauses(first=1, longest=30),
            now=lambda: self.seconds,
        )

    def _told(self, queued: Queued, answer: Answer) -> None:
        self.told[queued.message.octets.decode()] = answer

    def put(self, *texts: str) -> None:
        self.queue.put([Message(text.split()[0], text.encode()) for text in texts], writer="me")

    def under_way(self) -> list[str]:
        return [text for text, _ in self.broker.open]

    def wait(self, seconds: float) -> None:
        self.seconds += seconds
        self.deliverer.turn()

    def finish(self) -> None:
        """Everything answers well from now on: then everything must go, and soon."""
        self.broker.away = False
        for _ in range(300):
            self.wait(31)
            while self.broker.open:
                self.broker.answer(0)
            self.deliverer.turn()
            if self.queue.counts().waiting == 0:
                return
        raise AssertionError(f"still waiting: {self.queue.counts()}")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.queue.close()


def test_of_each_record_one_event_is_under_way(world: World) -> None:
    world.put("a 1", "a 2", "b 1", "a 3")
    world.deliverer.turn()
    assert world.under_way() == ["a 1", "b 1"]
    world.broker.answer(0)
    world.deliverer.turn()
    assert world.under_way() == ["b 1", "a 2"]
    world.finish()
    assert world.broker.log == ["a 1", "b 1", "a 2", "a 3"]


def test_a_refused_event_is_parked_and_the_later_ones_of_its_record_go_on(world: World) -> None:
    world.put("a 1", "a 2")
    world.deliverer.turn()
    world.broker.answer(0, REFUSED, came=False)
    world.deliverer.turn()
    assert world.told == {"a 1": REFUSED}
    assert [one.sentence for one in world.queue.parked()] == ["Trop grand."]
    assert world.under_way() == ["a 2"]


def test_one_record_that_fails_waits_alone_and_longer_each_time(world: World) -> None:
    world.put("a 1", "a 2", "b 1")
    world.deliverer.turn()
    pauses = []
    for _ in range(4):
        world.broker.answer(world.under_way().index("a 1"), UNWELL, came=False)
        pauses.append(world.deliverer.turn() or 0)
        world.put("b 2")
        assert "b" in {text.split()[0] for text in world.under_way()}
        world.wait(pauses[-1])
    assert pauses == sorted(pauses)
    assert 1 <= pauses[0] < 2 <= pauses[1] < 4 <= pauses[2] < 8 <= pauses[3]
    assert str(world.deliverer.trouble) == "Un incident."
    world.finish()
    assert world.deliverer.trouble is None
    assert [one for one in world.broker.log if one[0] == "a"] == ["a 1", "a 2"]


def test_a_later_event_of_a_record_that_waits_does_not_overtake_it(world: World) -> None:
    world.put("a 1")
    world.deliverer.turn()
    world.broker.answer(0, UNWELL, came=False)
    world.deliverer.turn()
    world.put("a 2")
    world.deliverer.turn()
    assert world.under_way() == []
    world.finish()
    assert world.broker.log == ["a 1", "a 2"]


def test_a_broker_that_is_away_is_left_alone_for_a_while(world: World) -> None:
    """Many failures of one moment are one failure, and nothing is sent before the pause ends."""
    world.put(*(f"k{number} 1" for number in range(20)))
    world.deliverer.turn()
    while world.broker.open:
        world.broker.answer(0, AWAY, came=False)
    pause = world.deliverer.turn()
    assert pause is not None
    assert 1 <= pause < 2
    assert world.under_way() == []
    world.wait(pause)
    assert len(world.under_way()) == 20


def test_what_is_not_confirmed_while_others_are_waits_alone(world: World) -> None:
    """A partition that stands still: its records wait, and the others go on at once."""
    world.put("a 1", "b 1", "a 2")
    world.deliverer.turn()
    world.broker.answer(1)
    world.broker.answer(0, AWAY, came=False)
    world.deliverer.turn()
    world.put("c 1")
    world.deliverer.turn()
    assert world.under_way() == ["c 1"]
    world.wait(2)
    assert world.under_way() == ["c 1", "a 1"]
    world.broker.answer(1, AWAY, came=False)  # nobody since
    world.deliverer.turn()
    world.put("d 1")
    world.deliverer.turn()
    assert world.under_way() == ["c 1"]
    world.finish()
    assert world.broker.log == ["b 1", "c 1", "a 1", "d 1", "a 2"]


def test_what_fails_again_and_again_leaves_room_for_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More records than may be under way stand still, before and among those that do not."""
    monkeypatch.setattr("traverse_producers.outbox.deliverer._MOST_EVENTS", 4)
    names = [f"still{n} 1" for n in range(6)] + [f"{n} 1" for n in range(20)]
    world.put("first 1", *names, "last 1")
    for _ in range(40):
        world.wait(31)
        while any("still" not in text for text in world.under_way()):
            at = next(at for at, text in enumerate(world.under_way()) if "still" not in text)
            world.broker.answer(at)
            world.deliverer.turn()
        for _ in world.under_way():
            world.broker.answer(0, AWAY, came=False)
        world.deliverer.turn()
    assert len(world.broker.log) == 22
    world.finish()
    assert len(world.broker.log) == 28


def test_the_records_of_one_partition_in_a_full_outbox_are_remembered() -> None:
    """Were they more, the first ones not remembered would take all the room, each time."""
    assert Limits().messages / PARTITIONS < _MOST_ALONE


def test_a_broker_that_refuses_everybody_is_connected_to_anew(world: World) -> None:
    """Its connection may be what is broken: a producer that was fenced never recovers."""
    world.put("a 1", "b 1", "c 1", "d 1")
    world.deliverer.turn()
    for _ in range(3):
        world.broker.answer(0, UNWELL, came=False)
    pause = world.deliverer.turn()
    assert world.broker.opened == 1
    assert world.under_way() == []
    world.wait(pause or 0)
    assert world.broker.opened == 2
    world.finish()


def test_a_broker_that_cannot_be_reached_costs_a_growing_pause(world: World) -> None:
    world.broker.away = True
    world.put("a 1")
    first = world.deliverer.turn() or 0
    world.seconds += first
    second = world.deliverer.turn() or 0
    assert 1 <= first < 2 <= second < 4
    assert world.deliverer.trouble is AWAY
    world.finish()
    assert world.deliverer.trouble is None


def test_what_was_answered_when_the_end_came_is_marked(world: World) -> None:
    world.put("a 1", "b 1")
    world.deliverer.turn()
    world.broker.answer(0)
    world.deliverer.end(0)
    assert world.queue.counts().waiting == 1
    world.start()
    world.finish()
    assert world.broker.log == ["a 1", "b 1"]


def test_a_disk_that_is_full_when_a_delivery_is_marked_sends_nothing_more(world: World) -> None:
    """What cannot be marked would be sent again and again; it is marked when there is room."""
    world.put("a 1", "b 1", "b 2")
    world.deliverer.turn()
    connection = world.queue._connection
    assert connection is not None
    connection.execute("PRAGMA query_only = ON")
    world.broker.answer(0)
    pause = world.deliverer.turn()
    assert pause is not None
    assert "ne peut pas être" in str(world.deliverer.trouble)
    world.broker.answer(0)
    world.wait(pause)
    assert world.under_way() == []
    assert world.told == {}
    connection.execute("PRAGMA query_only = OFF")
    world.finish()
    assert world.broker.log == ["a 1", "b 1", "b 2"]


def test_a_garbled_event_never_leaves(world: World) -> None:
    world.put("a 1", "a 2")
    connection = world.queue._connection
    assert connection is not None
    connection.execute("UPDATE messages SET octets = ? WHERE position = 1", (b"a 9",))
    world.finish()
    assert world.broker.log == ["a 2"]
    assert "abîmé" in world.queue.parked()[0].sentence


class DelivererMachine(RuleBasedStateMachine):
    """Whatever the broker answers, in whatever order, and whenever the program restarts."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.world = World(Path(self.folder.name))
        self.count = 0
        self.refused: set[str] = set()

    @rule(keys=st.lists(st.sampled_from("abcd"), min_size=1, max_size=4))
    def put(self, keys: list[str]) -> None:
        for key in keys:
            self.count += 1
            self.world.put(f"{key} {self.count}")

    @rule()
    def turn(self) -> None:
        self.world.deliverer.turn()

    @rule(seconds=st.floats(0.1, 40))
    def wait(self, seconds: float) -> None:
        self.world.wait(seconds)

    @precondition(lambda self: self.world.broker.open)
    @rule(data=st.data(), error=st.sampled_from([None, AWAY, UNWELL, UNWELL]), came=st.booleans())
    def answer(self, data: st.DataObject, error: PublishError | None, came: bool) -> None:
        index = data.draw(st.integers(0, len(self.world.broker.open) - 1))
        self.world.broker.answer(index, error, came=came)

    @precondition(lambda self: self.world.broker.open)
    @rule()
    def refuse(self) -> None:
        self.refused.add(self.world.broker.answer(0, REFUSED, came=False))

    @rule(away=st.booleans())
    def broker_comes_and_goes(self, away: bool) -> None:
        self.world.broker.away = away

    @rule(came=st.booleans())
    def restart(self, came: bool) -> None:
        """What was under way may have come or not; nobody is there to hear the answer."""
        for text, _ in self.world.broker.open:
            if came:
                self.world.broker.log.append(text)
        self.world.broker.open = []
        self.world.start()

    def teardown(self) -> None:
        self.world.finish()
        order = defaultdict(list)
        for text in dict.fromkeys(self.world.broker.log):
            order[text.split()[0]].append(int(text.split()[1]))
        assert all(numbers == sorted(numbers) for numbers in order.values()), order
        parked = {one.message.octets.decode() for one in self.world.queue.parked()}
        assert parked <= self.refused
        everything = {int(text.split()[1]) for text in {*self.world.broker.log, *parked}}
        assert everything == set(range(1, self.count + 1))
        self.world.queue.close()
        self.folder.cleanup()


def test_nothing_is_lost_and_order_is_kept_whatever_happens() -> None:
    run_state_machine_as_test(
        DelivererMachine, settings=settings(max_examples=25, stateful_step_count=40, deadline=None)
    )
