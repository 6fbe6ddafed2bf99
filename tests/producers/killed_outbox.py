"""A program that publishes through an outbox and is killed at a point that is chosen beforehand.

`python -m tests.producers.killed_outbox FOLDER SEED` kills a hundred programs and more on one
file, one after the other, each at another instruction: of Python (every opcode of the package
counts as one), of SQLite's own machine, or between two statements. Every now and then nobody is
killed, and then everything that was promised must be there. Ends with the counts as JSON.

Each program is a fork of this one, which opens nothing itself: a kill costs milliseconds.
"""

import json
import os
import random
import signal
import sys
import threading
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from traverse_producers.errors import BrokerAwayError, BrokerRefusedError
from traverse_producers.outbox.outbox import Outbox
from traverse_producers.transports.contract import Delivery, Headers
from traverse_schemas.log.pauses import Pauses

_KEYS = ("a", "b", "c")
_EACH = 9  # events that one program publishes
_PACKAGE = "traverse_producers"
_QUICK = Pauses(first=0.001, longest=0.01)


class FileTransport:
    """Delivers into a file that outlives the kill, and answers from a thread of its own. A third
    of the time it fails instead, and a third of those failures come after the delivery."""

    def __init__(self, log: Path, chance: random.Random) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._chance = chance

    def send(self, key: str, octets: bytes, headers: Headers) -> Future[Delivery]:
        future: Future[Delivery] = Future()
        future.set_running_or_notify_cancel()
        fate = self._chance.random()
        if fate > 0.3 or fate < 0.1:
            os.write(self._log, octets + b"\n")  # one write: whole, or not at all

        def answer() -> None:
            if fate > 0.3:
                future.set_result(Delivery("traverse.inbound", 0, 0))
            elif fate > 0.15:
                future.set_exception(BrokerAwayError("essai"))
            else:
                future.set_exception(BrokerRefusedError("Essai."))

        threading.Thread(target=answer).start()
        return future

    def flush(self, timeout: float | None) -> None:
        pass

    def close(self, timeout: float | None) -> None:
        os.close(self._log)


class Countdown:
    """Kills this program when it has been called that many times; 0 never does."""

    def __init__(self, left: int) -> None:
        self.left = left

    def __call__(self, *_: Any) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def counts(self, code: CodeType) -> bool:
        """Whether the opcodes of this code count: those of our package do."""
        return _PACKAGE in code.co_filename

    def trace(self, frame: FrameType, what: str, _: Any) -> "Callable[..., Any] | None":
        """For sys.settrace."""
        if not self.counts(frame.f_code):
            return None
        frame.f_trace_opcodes = True
        if what == "opcode":
            self()
        return self.trace


def publish(folder: Path, first: int, kill: str, after: int, seed: int) -> None:
    """The program: publish, note what `send` returned for, and leave in order."""
    countdown = Countdown(after)
    chance = random.Random(seed)  # noqa: S311
    if kill == "opcode":
        threading.settrace(countdown.trace)
        sys.settrace(countdown.trace)
    outbox = Outbox(folder / "outbox", lambda: FileTransport(folder / "log", chance), pauses=_QUICK)
    connection = outbox._queue._connection
    assert connection is not None
    if kill == "instruction":
        connection.set_progress_handler(countdown, 1)
    elif kill == "statement":
        connection.set_trace_callback(countdown)
    promised = os.open(folder / "promised", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in range(first, first + _EACH):
        key = chance.choice(_KEYS)
        text = f"{key} {number}".encode()
        outbox.send(key, text, (("n", b"\xff"),))
        os.write(promised, text + b"\n")
    outbox.close(0)


def recover(folder: Path, seed: int) -> None:
    """A program that nobody kills, and that waits until everything is delivered."""
    chance = random.Random(seed)  # noqa: S311
    outbox = Outbox(folder / "outbox", lambda: FileTransport(folder / "log", chance), pauses=_QUICK)
    for _ in range(6000):
        if outbox.state().waiting == 0:
            break
        threading.Event().wait(0.01)
    else:
        raise SystemExit(f"still waiting: {outbox.state()}")
    outbox.close(5)


def forked(program: Callable[[], None]) -> bool:
    """Whether it was killed. Any other bad end ends this program too."""
    child = os.fork()
    if child == 0:
        program()
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status not in {0, -signal.SIGKILL}:
        raise SystemExit(f"a program ended with {status}")
    return status != 0


def check(folder: Path) -> tuple[int, int]:
    """Nothing that was promised is missing, and each record's events came in order, counting the
    first time of each. Gives how many were promised, and how many came more than once."""
    promised = (folder / "promised").read_text().split("\n")[:-1]
    came = (folder / "log").read_text().split("\n")[:-1]
    missing = set(promised) - set(came)
    if missing:
        raise SystemExit(f"lost: {sorted(missing)}")
    order = defaultdict(list)
    for text in dict.fromkeys(came):
        key, number = text.split()
        order[key].append(int(number))
    for key, numbers in order.items():
        if numbers != sorted(numbers):
            raise SystemExit(f"out of order: {key} {numbers}")
    return len(promised), len(came) - len(set(came))


def main(folder: Path, seed: int, rounds: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    # About how many of each one program needs; beyond, it is not killed, which is a case as well.
    reach = {"opcode": 14_000, "instruction": 1500, "statement": 90}
    kills = dict.fromkeys(reach, 0)
    for number in range(rounds):
        kind = chance.choice(list(reach))
        after, luck = chance.randrange(1, reach[kind]), chance.randrange(2**32)
        first = number * _EACH
        kills[kind] += forked(
            lambda kind=kind, after=after, luck=luck, first=first: publish(  # type: ignore[misc]
                folder, first, kind, after, luck
            )
        )
        if number % 10 == 9:
            forked(lambda luck=luck: recover(folder, luck))  # type: ignore[misc]
            check(folder)
    promised, twice = check(folder)
    sys.stdout.write(json.dumps({"kills": kills, "promised": promised, "twice": twice}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
