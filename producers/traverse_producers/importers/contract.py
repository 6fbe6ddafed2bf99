"""What an importer is: a function from octets to events, row by row, with what it dropped and why.

An importer reads a binary stream once, forward, with bounded memory. It does no other I/O and asks
no clock: the same octets give the same events (id, time and data) on every machine, so that
importing a file again only makes duplicates.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, TypeAlias


@dataclass(frozen=True, slots=True)
class ImportContext:
    """Who speaks, and since when.

    `source` is the CloudEvents source that relays the feed (`urn:siren:NNNNNNNNN:system`).
    `as_of` (aware, or None) is the time of the rows that carry no date of their own.
    """

    source: str
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """One event, ready to sign: `event` is a CloudEvent 1.0 in structured mode, as a dict.

    `line` is the number of the row or record in its file (from 1), or the file's name when the
    file is one notice. Several events may come of one row (a contract, then its amendments).
    """

    line: int | str
    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Dropped:
    """A row that gave no event: where, its reference if it has one, and the French sentence why.

    `duplicate` is True when nothing is lost because the same row was read before. `unread` is True
    when the file cannot be read, or not further: what it holds from here on is not known.
    """

    line: int | str
    reference: str | None
    sentence: str
    duplicate: bool = False
    unread: bool = False


Importer: TypeAlias = Callable[[BinaryIO, str, ImportContext], Iterator[Imported | Dropped]]
"""`(stream, name, context)`: `name` is the file's name or address, for messages and defaults.

A file that is garbage from end to end is a `Dropped`, not an exception.
"""
