"""A partner's program and the relay of the page, killed at points that are chosen beforehand.

`python -m tests.producers.killed_relay FOLDER CONNECTION SEED ROUNDS`: each program is a fork that
makes some transactions, a third of them rolled back, and relays into a file until it is killed at
the nth opcode of the page's own code. The last one is not killed.
"""

import os
import random
import sys
from contextlib import suppress
from pathlib import Path
from types import CodeType, ModuleType

import psycopg
from psycopg.rows import namedtuple_row
from psycopg.types.json import Jsonb

from tests.producers.killed_outbox import Countdown, FileTransport, forked
from tests.producers.page_code import relay_module
from tests.stream_processors.factory import CCI, call_data
from traverse_producers.errors import BrokerAwayError, BrokerRefusedError, UndeliveredError
from traverse_producers.publisher import Publisher

_REFERENCES = ("A", "B", "C")


class PageCountdown(Countdown):
    """Counts the opcodes of the page's code alone."""

    def counts(self, code: CodeType) -> bool:
        return code.co_filename == "transactional-outbox.md"


def program(folder: Path, where: str, page: ModuleType, seed: int, after: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    with psycopg.connect(where, autocommit=True, row_factory=namedtuple_row) as connection:
        connection.execute("SELECT pg_advisory_lock(hashtext('traverse_outbox'))")
        for _ in range(6):
            change(connection, chance)
        if after:
            sys.settrace(PageCountdown(after).trace)
        while True:
            publisher = Publisher(CCI, transport=FileTransport(folder / "log", chance))
            try:
                page.relay(connection, publisher, CCI)
                return
            except (BrokerAwayError, BrokerRefusedError):
                continue  # a service manager starts it again
            finally:
                with suppress(UndeliveredError):
                    publisher.close(timeout=0)


def change(connection: "psycopg.Connection[object]", chance: random.Random) -> None:
    """A partner's transaction: its record and the event, or neither."""
    reference = chance.choice(_REFERENCES)
    data = Jsonb(call_data())
    with connection.transaction(force_rollback=chance.random() < 0.3):
        connection.execute("SELECT traverse_say('call', 'published', %s, %s)", [reference, data])
        connection.execute(
            "INSERT INTO committed SELECT event_id::text FROM traverse_outbox "
            "ORDER BY position DESC LIMIT 1"
        )


def main(folder: Path, where: str, seed: int, rounds: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    page = relay_module()
    kills = 0
    for _ in range(rounds):
        luck, after = chance.randrange(2**32), chance.randrange(1, 900)
        kills += forked(
            lambda luck=luck, after=after: program(folder, where, page, luck, after)  # type: ignore[misc]
        )
    forked(lambda: program(folder, where, page, seed, 0))
    sys.stdout.write(str(kills))


if __name__ == "__main__":
    os.environ.pop("PGPASSWORD", None)
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
