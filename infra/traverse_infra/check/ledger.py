"""The ledger of a check: what the log says each document is, and what the index has. On disk, so
that memory stays flat however many there are.

A document is told by its version (the offset of its message) and 8 bytes of its content.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from enum import StrEnum
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import orjson

_SCHEMA = """
PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-65536;
CREATE TABLE {side} (
    alias TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, digest INTEGER NOT NULL,
    institution TEXT NOT NULL, PRIMARY KEY (alias, id)
) WITHOUT ROWID;
"""
_SIDES = ("log", "idx")
# A message that is read twice never takes a version back.
_PUT = """
INSERT INTO {side} VALUES (?, ?, ?, ?, ?) ON CONFLICT (alias, id) DO UPDATE SET
version = excluded.version, digest = excluded.digest, institution = excluded.institution
WHERE excluded.version >= version
"""
_PUT_LOG, _PUT_INDEX = (_PUT.format(side=side) for side in _SIDES)
STUB = "(retirés ou fusionnés)"
"""Where stubs are: they say nothing of an institution."""


class Entry(NamedTuple):
    """One document on one side."""

    alias: str
    id: str
    version: int
    digest: int
    institution: str


class What(StrEnum):
    """How a document differs, in French."""

    MISSING = "absent de l'index"
    STALE = "plus ancien dans l'index"
    ALTERED = "contenu différent"
    NEWER = "plus récent dans l'index que sur le journal"
    EXTRA = "inconnu du journal"


class Difference(NamedTuple):
    """A document that is not as the log says. Versions are None where it is not."""

    alias: str
    id: str
    what: What
    institution: str
    log_version: int | None
    index_version: int | None


class Sum(NamedTuple):
    """An institution's documents on both sides: how many, and one digest of all (hexadecimal)."""

    institution: str
    log_count: int
    log_digest: str
    index_count: int
    index_digest: str

    @property
    def equal(self) -> bool:
        return (self.log_count, self.log_digest) == (self.index_count, self.index_digest)


class Ledger:
    """Fill both sides, then ask."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        for side in _SIDES:
            self._db.executescript(_SCHEMA.format(side=side))

    def close(self) -> None:
        self._db.close()

    def from_log(self, entries: Iterable[Entry]) -> None:
        """A later entry of a document replaces the earlier one."""
        self._put(_PUT_LOG, entries)

    def from_index(self, entries: Iterable[Entry]) -> None:
        """A later entry of a document replaces the earlier one."""
        self._put(_PUT_INDEX, entries)

    def _put(self, statement: str, entries: Iterable[Entry]) -> None:
        self._db.execute("BEGIN")
        self._db.executemany(statement, entries)
        self._db.execute("COMMIT")

    def gone(self, alias: str, identity: str) -> None:
        """The index has it no more (it is asked again)."""
        self._db.execute("DELETE FROM idx WHERE alias = ? AND id = ?", (alias, identity))

    def differences(self) -> Iterator[Difference]:
        """Every document that differs, by alias and id. A stub that the log does not know is what
        a repair left of a document too many: nobody sees it."""
        rows = self._db.execute(
            "SELECT l.alias, l.id, l.institution, l.version, i.version "
            "FROM log l LEFT JOIN idx i USING (alias, id) "
            "WHERE i.id IS NULL OR i.version != l.version OR i.digest != l.digest "
            "UNION ALL SELECT i.alias, i.id, i.institution, NULL, i.version "
            "FROM idx i LEFT JOIN log l USING (alias, id) "
            "WHERE l.id IS NULL AND i.institution != ? ORDER BY 1, 2",
            (STUB,),
        )
        for alias, identity, institution, log, index in rows:
            yield Difference(alias, identity, _what(log, index), institution, log, index)

    def differing(self) -> dict[str, int]:
        """How many documents differ, by institution; nothing of those of which none does."""
        found: dict[str, int] = {}
        for one in self.differences():
            found[one.institution] = found.get(one.institution, 0) + 1
        return found

    def sums(self) -> list[Sum]:
        """Institution by institution, in the order of their names; stubs apart, which the log may
        know less of."""
        found: dict[str, list[int]] = {}
        for place, side in enumerate(_SIDES):
            # The sum of digests does not depend on the order, as XOR, and counts repetitions.
            for institution, version, digest in self._db.execute(
                f"SELECT institution, version, digest FROM {side}"  # noqa: S608 -- our own names
            ):
                sums = found.setdefault(institution, [0, 0, 0, 0])
                sums[2 * place] += 1
                sums[2 * place + 1] += digest ^ version  # either may be what differs
        found.pop(STUB, None)
        return [
            Sum(name, one[0], _hexadecimal(one[1]), one[2], _hexadecimal(one[3]))
            for name, one in sorted(found.items())
        ]


def _what(log: int | None, index: int | None) -> What:
    if log is None:
        return What.EXTRA
    if index is None:
        return What.MISSING
    if index < log:
        return What.STALE
    return What.NEWER if index > log else What.ALTERED


def _hexadecimal(number: int) -> str:
    return f"{number % 2**64:016x}"


def entry(alias: str, identity: str, version: int, document: dict[str, Any]) -> Entry:
    """A document as the ledger has it."""
    canonical = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    digest = int.from_bytes(blake2b(canonical, digest_size=8).digest(), "big", signed=True)
    return Entry(alias, identity, version, digest, _institution(document))


def _institution(document: dict[str, Any]) -> str:
    if document.get("stub"):
        return STUB
    owner: dict[str, Any] = next(iter(document.get("institutions", ())), {})
    return str(document.get("owner_siren") or owner.get("name") or "?")
