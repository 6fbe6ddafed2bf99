"""The recipe for partners with a database, run from its page on a real PostgreSQL."""

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import namedtuple_row
from psycopg.types.json import Jsonb

from tests.producers.memory_transport import MemoryTransport
from tests.producers.page_code import blocks, relay_module
from tests.producers.postgresql import postgresql
from tests.stream_processors.factory import CCI, call_data
from traverse_producers.errors import BrokerAwayError
from traverse_producers.publisher import Publisher

pytestmark = pytest.mark.engines

Connection = psycopg.Connection[Any]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql() as where:
        yield where


@pytest.fixture
def database(server: str) -> str:
    """With the page's table, and a partner's own."""
    table, _ = blocks("sql")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        connection.execute(table)
        connection.execute("CREATE TABLE marches (numero text PRIMARY KEY, titre text)")
        connection.execute("INSERT INTO marches VALUES ('VOIRIE-2026-01', 'Voirie')")
        connection.execute("CREATE TABLE committed (event_id text)")
    return server


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    with psycopg.connect(database, autocommit=True, row_factory=namedtuple_row) as opened:
        yield opened


def relay(connection: Connection, transport: MemoryTransport) -> list[dict[str, Any]]:
    """What the relay sent."""
    relay_module().relay(connection, Publisher(CCI, transport=transport), CCI)
    return [json.loads(octets) for _, octets, _ in transport.sent]


def test_the_pages_transaction_is_published_and_leaves_the_table(connection: Connection) -> None:
    _, transaction = blocks("sql")
    connection.execute(transaction)
    (event,) = relay(connection, MemoryTransport())
    assert event["type"] == "fr.traverse.call.updated.v1"
    assert event["subject"] == "VOIRIE-2026-01"
    assert event["data"]["title"] == "Réfection de la voirie"
    assert connection.execute("SELECT count(*) FROM traverse_outbox").fetchone() == (0,)


def test_nothing_of_a_rolled_back_transaction_is_seen(connection: Connection) -> None:
    with connection.transaction(force_rollback=True):
        say(connection, "R-1")
    assert relay(connection, MemoryTransport()) == []


def test_every_action_has_its_event_in_order(connection: Connection) -> None:
    say(connection, "R-1")
    say(connection, "R-1", "updated")
    say(connection, "R-1", "closed", {"outcome": "awarded", "on": "2026-11-24"})
    say(connection, "R-1", "withdrawn", {"reason": "error"})
    events = relay(connection, MemoryTransport())
    actions = [event["type"].split(".")[3] for event in events]
    assert actions == ["published", "updated", "closed", "withdrawn"]
    sequences = [event["sequence"] for event in events]
    assert sequences == sorted(sequences)


def test_what_is_refused_waits_with_its_sentence_and_the_rest_goes_on(
    connection: Connection,
) -> None:
    say(connection, "R-1", data=call_data(title=None))
    say(connection, "R-1")
    assert [event["subject"] for event in relay(connection, MemoryTransport())] == ["R-1"]
    (problem,) = connection.execute("SELECT problem FROM traverse_outbox").fetchone() or ("",)
    assert "(/data/title)" in problem


def test_with_traverse_away_everything_stays(connection: Connection) -> None:
    say(connection, "R-1")
    with pytest.raises(BrokerAwayError):
        relay(connection, MemoryTransport(fail=BrokerAwayError("essai")))
    assert len(relay(connection, MemoryTransport())) == 1


def test_transactions_on_one_record_wait_for_each_other(database: str) -> None:
    """So that the order of positions is that of the commits; other records are not held up."""
    with (
        psycopg.connect(database) as first,
        psycopg.connect(database, autocommit=True) as second,
    ):
        say(first, "R-1")
        second.execute("SET lock_timeout = '100ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            say(second, "R-1")
        say(second, "R-2")


def test_a_second_relay_waits_for_the_first_ones_end(database: str) -> None:
    lock = "SELECT pg_try_advisory_lock(hashtext('traverse_outbox'))"
    with psycopg.connect(database) as second:
        with psycopg.connect(database) as first:
            assert first.execute(lock).fetchone() == (True,)
            assert second.execute(lock).fetchone() == (False,)
        second.execute("SELECT pg_advisory_lock(hashtext('traverse_outbox'))")  # in its time


def test_killed_anywhere_nothing_committed_is_lost(database: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.producers.killed_relay", tmp_path, database, "5", "30"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout) >= 15
    events = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    with psycopg.connect(database) as connection:
        committed = {row[0] for row in connection.execute("SELECT event_id FROM committed")}
    assert {event["id"] for event in events} == committed
    order: defaultdict[str, list[int]] = defaultdict(list)
    for event in {event["id"]: event for event in reversed(events)}.values():
        order[event["subject"]].insert(0, event["sequence"])
    assert all(sequences == sorted(sequences) for sequences in order.values())


def say(
    connection: Connection,
    reference: str,
    action: str = "published",
    data: dict[str, Any] | None = None,
) -> None:
    words = ["call", action, reference, Jsonb(call_data() if data is None else data)]
    connection.execute("SELECT traverse_say(%s, %s, %s, %s)", words)
