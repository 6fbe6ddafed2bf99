"""Takes the JSON objects out of octets, one after the other, without reading the whole.

The pieces are the very octets of the file: what is published is what was written.
"""

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import BinaryIO, NamedTuple

from traverse_schemas.log.topics import MAX_EVENT_BYTES

_CHUNK = 64 * 1024
_KEPT = 2 * MAX_EVENT_BYTES  # an object beyond this is counted, and no longer kept
_OUTSIDE = re.compile(rb"[^\s,\[\]]")
_INSIDE = re.compile(rb'["{}\[\]]')
_IN_TEXT = re.compile(rb'["\\]')


class Fault(Enum):
    """What can be wrong with a piece."""

    NO_OBJECT = auto()  # something else than an object
    UNFINISHED = auto()  # the file ends in the middle
    TOO_LARGE = auto()


class Piece(NamedTuple):
    """An object: the line on which it begins, its octets, its size, and what is wrong if any."""

    line: int
    octets: bytes
    size: int
    fault: Fault | None = None


def pieces_of_lines(stream: BinaryIO) -> Iterator[Piece]:
    """NDJSON: a piece for each line that is not blank. A broken line spoils no other."""
    line = 0
    while octets := stream.readline(_KEPT):
        line += 1
        size = len(octets)
        kept = octets
        while octets and not octets.endswith(b"\n"):
            octets = stream.readline(_CHUNK)
            size += len(octets)
        text = kept.strip()
        if size > _KEPT:
            yield Piece(line, b"", size, Fault.TOO_LARGE)
        elif text:
            yield Piece(line, text, len(text), None if text[:1] == b"{" else Fault.NO_OBJECT)


def pieces_of_text(stream: BinaryIO) -> Iterator[Piece]:
    """The objects of a JSON text: one object, an array of them, or several in a row."""
    scan = _Scan()
    while chunk := stream.read(_CHUNK):
        yield from scan.feed(chunk)
    if scan.piece:
        yield scan.end(Fault.UNFINISHED)


class _Scan:
    """Finds where objects begin and end. JSON's own signs are ASCII, so octets will do."""

    def __init__(self) -> None:
        self.piece = bytearray()
        self._line = 1
        self._begun = 1
        self._size = 0
        self._depth = 0
        self._in_text = False
        self._escaped = False
        self._strange = False  # inside something that is no object

    def feed(self, chunk: bytes) -> Iterator[Piece]:
        at = 0
        while at < len(chunk):
            if self._depth == 0:
                found = _OUTSIDE.search(chunk, at)
                upto = found.start() if found else len(chunk)
                if upto > at:
                    self._strange = False
                self._line += chunk.count(b"\n", at, upto)
                at = upto
                if found is None:
                    return
                if found[0] != b"{":
                    if not self._strange:
                        yield Piece(self._line, b"", 0, Fault.NO_OBJECT)
                    self._strange = True
                    at += 1
                    continue
                self._strange = False
                self._begun = self._line
            upto = self._inside(chunk, at)
            self._line += chunk.count(b"\n", at, upto)
            self._size += upto - at
            if len(self.piece) < _KEPT:
                self.piece += chunk[at:upto]
            at = upto
            if self._depth == 0:
                yield self.end(None)

    def end(self, fault: Fault | None) -> Piece:
        large = self._size > _KEPT
        octets = b"" if large else bytes(self.piece)
        piece = Piece(self._begun, octets, self._size, Fault.TOO_LARGE if large else fault)
        self.piece.clear()
        self._size = 0
        return piece

    def _inside(self, chunk: bytes, at: int) -> int:
        """Where the object that is being read ends in this chunk, or the chunk's end."""
        while at < len(chunk):
            if self._escaped:
                self._escaped = False
                at += 1
                continue
            found = (_IN_TEXT if self._in_text else _INSIDE).search(chunk, at)
            if found is None:
                return len(chunk)
            at = found.end()
            sign = found[0]
            if sign == b"\\":
                self._escaped = True
            elif sign == b'"':
                self._in_text = not self._in_text
            elif sign in b"{[":
                self._depth += 1
            else:
                self._depth -= 1
                if self._depth == 0:
                    return at
        return at
