"""The queue on disk: what was put is there until it is settled, whoever opens the file."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from traverse_producers.errors import OutboxError, OutboxFullError
from traverse_producers.outbox.durable_queue import Counts, DurableQueue, Limits, Message, Queued
from traverse_producers.outbox.durable_queue_file import DeliveryTurn
from traverse_producers.transports.contract import Delivery

PLACE = Delivery("traverse.inbound", 1, 7)
ALL = {"most": 1000, "octets": 1 << 30}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


@pytest.fixture
def queue(path: Path) -> Iterator[DurableQueue]:
    with DurableQueue(path, now=lambda: datetime(2026, 11, 24, tzinfo=UTC)) as opened:
        yield opened


def message(number: int, key: str = "k") -> Message:
    return Message(key, f"{number}".encode(), (("h", bytes(range(256))),))


def test_what_was_put_comes_out_as_it_was_in_order(queue: DurableQueue, path: Path) -> None:
    positions = queue.put([message(1), message(2, "é"), message(3)])
    queue.close()
    with DurableQueue(path) as again:
        found = again.after(0, **ALL)
    assert [(one.position, one.message) for one in found] == list(
        zip(positions, [message(1), message(2, "é"), message(3)], strict=True)
    )


def test_a_commit_waits_for_the_disk(queue: DurableQueue) -> None:
    """WAL with synchronous=FULL (2) syncs the log at each commit; NORMAL would not."""
    connection = queue._connection
    assert connection is not None
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA secure_delete").fetchone() == (1,)


def test_the_file_is_for_its_owner_alone(queue: DurableQueue, path: Path) -> None:
    queue.put([message(1)])
    modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert modes == {"outbox": 0o600, "outbox-wal": 0o600, "outbox-shm": 0o600}


def test_a_full_queue_says_so_and_takes_none_of_a_batch(path: Path) -> None:
    with DurableQueue(path, limits=Limits(messages=3)) as queue:
        queue.put([message(1), message(2)])
        with pytest.raises(OutboxFullError, match="pleine"):
            queue.put([message(3), message(4)])
        assert queue.counts().waiting == 2
        queue.put([message(3)])


def test_octets_have_a_limit_too(path: Path) -> None:
    with DurableQueue(path, limits=Limits(octets=1000)) as queue:
        with pytest.raises(OutboxFullError):
            queue.put([Message("k", b"x" * 1001)])
        queue.put([Message("k", b"x" * 900)])


def test_who_has_patience_gets_the_room_that_a_delivery_makes(path: Path) -> None:
    with DurableQueue(path, limits=Limits(messages=1)) as queue:
        queue.put([message(1)])
        waiting = threading.Thread(target=lambda: queue.put([message(2)], patience=60))
        waiting.start()
        queue.settle([(queue.after(0, **ALL)[0], PLACE)])
        waiting.join(60)
        assert [one.message for one in queue.after(0, **ALL)] == [message(2)]


def test_refused_messages_are_parked_shown_and_decided(queue: DurableQueue) -> None:
    queue.put([message(1), message(2), message(3)])
    first, second, _ = queue.after(0, **ALL)
    queue.settle([], [(first, "Trop grand."), (second, "Illisible.")])
    assert queue.counts() == Counts(waiting=1, parked=2, octets=queue.counts().octets)
    one, two = queue.parked()
    assert (one.message, one.sentence) == (message(1), "Trop grand.")
    assert one.at == "2026-11-24T00:00:00.000000Z"
    assert queue.retry_parked(one.position)
    assert queue.drop_parked(two.position)
    assert not queue.drop_parked(two.position)
    assert [item.message for item in queue.after(0, **ALL)] == [message(3), message(1)]
    assert queue.counts().parked == 0


def test_another_writer_finds_its_answers_once(queue: DurableQueue) -> None:
    (mine,) = queue.put([message(1)], writer="me")
    his, hers = queue.put([message(2), message(3)], writer="other")
    _, second, third = queue.after(0, **ALL)
    queue.settle(
        [(queue.after(0, **ALL)[0], PLACE), (second, PLACE)], [(third, "Non.")], writer="me"
    )
    assert queue.answers("me") == []
    assert queue.answers("other") == [(his, PLACE), (hers, "Non.")]
    assert queue.answers("other") == []
    assert mine < his


def test_one_at_a_time_has_the_turn_and_death_gives_it_up(queue: DurableQueue, path: Path) -> None:
    mine, other = DeliveryTurn(path), DeliveryTurn(path)
    assert mine.take()
    assert mine.take()
    assert not other.take()
    mine.give_up()
    holder = (
        "import sys, os, signal; from pathlib import Path\n"
        "from traverse_producers.outbox.durable_queue_file import DeliveryTurn\n"
        "turn = DeliveryTurn(Path(sys.argv[1])); print(turn.take(), flush=True)\n"
        "signal.pause()"
    )
    with subprocess.Popen([sys.executable, "-c", holder, path], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"True\n"
        assert not other.take()
        child.kill()
    assert other.take()
    other.give_up()


def test_processes_that_write_at_once_lose_nothing(path: Path) -> None:
    """Four of them also make the file at once, and there is one."""
    writer = (
        "import sys; from pathlib import Path\n"
        "from traverse_producers.outbox.durable_queue import DurableQueue, Message\n"
        "with DurableQueue(Path(sys.argv[1])) as queue:\n"
        "    for number in range(25): queue.put([Message(sys.argv[2], b'%d' % number)])\n"
    )
    children = [subprocess.Popen([sys.executable, "-c", writer, path, key]) for key in "abcd"]
    assert [child.wait() for child in children] == [0, 0, 0, 0]
    with DurableQueue(path) as queue:
        found = queue.after(0, **ALL)
    assert len(found) == 100
    for key in "abcd":
        numbers = [int(one.message.octets) for one in found if one.message.key == key]
        assert numbers == list(range(25))
    assert sorted(file.name for file in path.parent.iterdir()) == ["outbox"]


def test_a_full_disk_is_one_sentence_and_loses_nothing(queue: DurableQueue) -> None:
    """SQLite is told that the file may grow no more: the error is the one of a full disk."""
    queue.put([message(1)])
    connection = queue._connection
    assert connection is not None
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(OutboxError, match=r"disque .* est plein"):
        queue.put([Message("k", b"x" * 100_000)])
    connection.execute("PRAGMA max_page_count = 1000000")
    queue.put([message(2)])
    assert [one.message for one in queue.after(0, **ALL)] == [message(1), message(2)]


def test_a_file_that_may_not_grow_is_one_sentence(path: Path) -> None:
    """The same with the system's own limit on the size of files, in a process of its own."""
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from traverse_producers.outbox.durable_queue import DurableQueue, Message\n"
        "queue = DurableQueue(Path(sys.argv[1]))\n"
        "queue.put([Message('k', b'kept')])\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        "try: queue.put([Message('k', b'x' * 400_000)])\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, check=True
    ).stdout
    assert said.startswith("OutboxError Le disque de")
    with DurableQueue(path) as again:
        assert [one.message.octets for one in again.after(0, **ALL)] == [b"kept"]


def _overwrite(path: Path, at: int, octets: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(octets)


@pytest.mark.parametrize("at", [0, 100, 4096 * 3, 4096 * 6])
def test_a_damaged_file_is_refused_and_left_as_it_is(path: Path, at: int) -> None:
    with DurableQueue(path) as queue:
        queue.put([Message(f"key-{number}", b"x" * 500) for number in range(200)])
    _overwrite(path, at, os.urandom(700))
    before = path.read_bytes()
    with pytest.raises(OutboxError, match=r"abîmé.*de côté|n'est pas une file"):
        DurableQueue(path)
    assert path.read_bytes() == before


def test_a_message_that_the_disk_garbled_is_told_apart(path: Path) -> None:
    """SQLite sees nothing wrong with a page whose text has changed."""
    with DurableQueue(path) as queue:
        queue.put([Message("k", b"euros: 1000"), Message("k", b"euros: 2000")])
    at = path.read_bytes().index(b"euros: 1000")
    _overwrite(path, at, b"euros: 9000")
    with DurableQueue(path) as again:
        assert [one.sound for one in again.after(0, **ALL)] == [False, True]


def test_an_emptied_file_is_not_taken_for_a_new_queue(path: Path) -> None:
    path.touch()
    with pytest.raises(OutboxError, match="vide"):
        DurableQueue(path)


def test_a_log_without_its_file_is_not_overwritten(path: Path) -> None:
    queue = DurableQueue(path)
    queue.put([message(1)])
    shutil.copy(f"{path}-wal", path.with_name("left"))
    queue.close()
    path.unlink()
    path.with_name("left").rename(f"{path}-wal")
    with pytest.raises(OutboxError, match="outbox-wal est encore là"):
        DurableQueue(path)


def test_another_programs_file_is_not_touched(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (x)")
    other.close()
    with pytest.raises(OutboxError, match="n'est pas une file"):
        DurableQueue(path)


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutboxError, match="son dossier"):
        DurableQueue(tmp_path / "none" / "outbox")


def test_a_later_format_is_left_to_its_version(queue: DurableQueue, path: Path) -> None:
    queue.close()
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 2")
    newer.close()
    with pytest.raises(OutboxError, match="autre version"):
        DurableQueue(path)


class QueueMachine(RuleBasedStateMachine):
    """The queue against a list: whatever is done, and whenever it is opened again."""

    held = Bundle("held")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(os.environ["PYTEST_QUEUE_FOLDER"])
        for file in self.folder.iterdir():
            file.unlink()
        self.limits = Limits(messages=12, octets=400)
        self.queue = DurableQueue(self.folder / "q", limits=self.limits)
        self.waiting: dict[int, Message] = {}
        self.parked: dict[int, Message] = {}
        self.used: set[int] = set()

    def teardown(self) -> None:
        self.queue.close()

    @rule(
        target=held,
        keys=st.lists(st.sampled_from("abc"), min_size=1, max_size=4),
        octets=st.binary(max_size=60),
    )
    def put(self, keys: list[str], octets: bytes) -> object:
        messages = [Message(key, octets) for key in keys]
        kept = [*self.waiting.values(), *self.parked.values(), *messages]
        size = sum(len(one.key) + len(one.octets) for one in kept)
        if len(kept) > self.limits.messages or size > self.limits.octets:
            with pytest.raises(OutboxFullError):
                self.queue.put(messages)
            return multiple()
        positions = self.queue.put(messages)
        assert not self.used & set(positions)
        assert positions == sorted(positions)
        self.used |= set(positions)
        self.waiting |= dict(zip(positions, messages, strict=True))
        return multiple(*positions)

    @rule(position=held, refuse=st.booleans())
    def settle(self, position: int, refuse: bool) -> None:
        """Also twice: the second time changes nothing."""
        message = self.waiting.pop(position, None)
        queued = Queued(position, message or Message("a", b""), "")
        if refuse:
            self.queue.settle([], [(queued, "Non.")])
            if message is not None:
                self.parked[position] = message
        else:
            self.queue.settle([(queued, PLACE)])

    @rule(target=held, position=held)
    def retry(self, position: int) -> object:
        message = self.parked.pop(position, None)
        assert self.queue.retry_parked(position) == (message is not None)
        if message is None:
            return multiple()
        last = self.queue.after(0, **ALL)[-1].position
        assert last not in self.used
        self.used.add(last)
        self.waiting[last] = message
        return last

    @rule(position=held)
    def drop(self, position: int) -> None:
        message = self.parked.pop(position, None)
        assert self.queue.drop_parked(position) == (message is not None)

    @rule()
    def open_again(self) -> None:
        self.queue.close()
        self.queue = DurableQueue(self.folder / "q", limits=self.limits)

    @invariant()
    def holds_what_the_list_holds(self) -> None:
        found = {one.position: one.message for one in self.queue.after(0, **ALL)}
        assert found == self.waiting
        assert list(found) == sorted(self.waiting)
        assert {one.position: one.message for one in self.queue.parked()} == self.parked
        kept = [*self.waiting.values(), *self.parked.values()]
        size = sum(len(one.key) + len(one.octets) for one in kept)
        assert self.queue.counts() == Counts(len(self.waiting), len(self.parked), size)

    @rule(key=st.sampled_from("abc"), after=st.integers(0, 40))
    def next_of_a_key(self, key: str, after: int) -> None:
        expected = [p for p, one in sorted(self.waiting.items()) if p > after and one.key == key]
        found = self.queue.next_of(key, after)
        assert (found.position if found else None) == (expected[0] if expected else None)


def test_any_sequence_of_uses_keeps_the_books_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_QUEUE_FOLDER", str(tmp_path))
    run_state_machine_as_test(
        QueueMachine, settings=settings(max_examples=25, stateful_step_count=25, deadline=None)
    )
