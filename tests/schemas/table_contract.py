"""What every log under a table must give: the same tests run in memory and on a real Kafka."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from traverse_infra.engines.waiting import wait_until
from traverse_schemas.log.compacted_table import CompactedTable, TableLog

PATIENCE = 30.0


def encode(row: str) -> bytes:
    return row.encode()


def decode(octets: bytes) -> str:
    if octets == b"\xff":
        raise ValueError("no row")
    return octets.decode()


Table = CompactedTable[str]
Open = Callable[[], Table]


class TableContract:
    """Inherited by a class whose fixture `new_log` gives a maker of logs on one fresh topic."""

    @pytest.fixture
    def open_table(self, new_log: Callable[[], TableLog]) -> Iterator[Open]:
        """Opens tables on the topic, and closes them at the end."""
        with ExitStack() as stack:

            def opened() -> Table:
                table = stack.enter_context(CompactedTable(new_log(), encode=encode, decode=decode))
                table.wait(PATIENCE)
                return table

            yield opened

    def test_an_empty_topic_is_an_empty_table(self, open_table: Open) -> None:
        table = open_table()
        assert table.ready
        assert dict(table.rows()) == {}
        assert table.get("a") is None

    def test_a_write_is_there_when_put_returns(self, open_table: Open) -> None:
        table = open_table()
        for number in range(20):
            table.put("a", str(number), PATIENCE)
            assert table.get("a") == str(number)

    def test_a_table_begins_with_the_last_of_each_row(self, open_table: Open) -> None:
        first = open_table()
        for key, row in (("a", "1"), ("b", "1"), ("a", "2"), ("c", "é")):
            first.put(key, row, PATIENCE)
        first.delete("b", PATIENCE)
        assert dict(open_table().rows()) == {"a": "2", "c": "é"}

    def test_another_table_follows_live(self, open_table: Open) -> None:
        one, other = open_table(), open_table()
        one.put("a", "1", PATIENCE)
        assert wait_until(lambda: other.get("a") == "1", timeout=PATIENCE)
        one.delete("a", PATIENCE)
        assert one.get("a") is None
        assert wait_until(lambda: other.get("a") is None, timeout=PATIENCE)

    def test_who_catches_up_knows_what_others_wrote_before(self, open_table: Open) -> None:
        one, other = open_table(), open_table()
        for number in range(10):
            one.put("a", str(number), PATIENCE)
            other.catch_up(PATIENCE)
            assert other.get("a") == str(number)

    def test_a_view_of_the_rows_does_not_move(self, open_table: Open) -> None:
        table = open_table()
        table.put("a", "1", PATIENCE)
        before, version = table.rows(), table.version
        assert table.rows() is before
        table.put("a", "2", PATIENCE)
        assert dict(before) == {"a": "1"}
        assert table.version > version
        assert dict(table.rows()) == {"a": "2"}

    def test_changes_of_two_writers_at_one_moment_are_both_kept(self, open_table: Open) -> None:
        """Each adds a word of its own to one row, at the same time, in several rounds."""
        tables = [open_table(), open_table()]

        def add(table: Table, word: str) -> None:
            def change(row: str | None) -> str:
                return " ".join({*(row or "").split(), word})

            table.update("a", change, PATIENCE)

        words: set[str] = set()
        for number in range(5):
            new = [f"{letter}{number}" for letter in "xy"]
            threads = [
                threading.Thread(target=add, args=(table, word))
                for table, word in zip(tables, new, strict=True)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            words.update(new)

            def both() -> bool:
                return all(set((table.get("a") or "").split()) == words for table in tables)

            assert wait_until(both, timeout=PATIENCE), [table.get("a") for table in tables]

    def test_a_change_that_refuses_writes_nothing(self, open_table: Open) -> None:
        table = open_table()
        table.put("a", "1", PATIENCE)

        def refuse(row: str | None) -> str:
            raise LookupError(row)

        with pytest.raises(LookupError, match="1"):
            table.update("a", refuse, PATIENCE)
        assert dict(open_table().rows()) == {"a": "1"}

    def test_a_change_that_refuses_what_another_wrote_meanwhile_leaves_it(
        self, open_table: Open
    ) -> None:
        """Each would be the first: the one that comes second is refused, and the first stays."""
        one, other = open_table(), open_table()

        def first(row: str | None) -> str:
            if row is not None:
                raise LookupError(row)
            other.put("a", "theirs", PATIENCE)
            return "mine"

        with pytest.raises(LookupError, match="theirs"):
            one.update("a", first, PATIENCE)
        assert one.get("a") == "theirs"
        assert dict(open_table().rows()) == {"a": "theirs"}

    def test_a_row_that_is_deleted_while_it_changes_stays_away(self, open_table: Open) -> None:
        one, other = open_table(), open_table()
        one.put("a", "1", PATIENCE)

        def change(row: str | None) -> str:
            if row is None:
                raise LookupError("gone")
            other.delete("a", PATIENCE)
            return f"{row}2"

        with pytest.raises(LookupError, match="gone"):
            one.update("a", change, PATIENCE)
        assert one.get("a") is None
        assert dict(open_table().rows()) == {}

    def test_a_row_that_cannot_be_read_leaves_the_one_before(
        self, new_log: Callable[[], TableLog], open_table: Open
    ) -> None:
        table = open_table()
        table.put("a", "1", PATIENCE)
        log = new_log()
        log.append("a", b"\xff", "", PATIENCE)
        log.append("", b"no key", "not ours", PATIENCE)
        log.end()
        table.put("b", "2", PATIENCE)
        assert table.get("a") == "1"
        assert open_table().get("a") == "1"

    def test_closing_twice_is_fine(self, open_table: Open) -> None:
        table = open_table()
        table.close()
        table.close()
