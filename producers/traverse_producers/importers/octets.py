"""Octets of feeds as text, whatever they were encoded in, without holding the file."""

import codecs
from collections.abc import Iterator
from typing import BinaryIO

_CHUNK = 64 * 1024
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FALLBACK = "traverse-cp1252"


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error(_FALLBACK, _as_cp1252)


def read_fully(stream: BinaryIO, size: int) -> bytes:
    """`size` octets, or all that is left: a stream from the network gives fewer at a time."""
    parts = []
    while size > 0 and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def texts(stream: BinaryIO) -> Iterator[str]:
    """The stream in pieces of text: by its byte order mark, else UTF-8.

    Octets that are no UTF-8 are read as Windows-1252, one by one: a file of that encoding comes
    out right, and so does one that mixes both (rows pasted from two systems).
    """
    first = read_fully(stream, 4)
    encoding = next((name for mark, name in _MARKS if first.startswith(mark)), "utf-8")
    decoder = codecs.getincrementaldecoder(encoding)(errors=_FALLBACK)
    chunk = first
    while chunk:
        if text := decoder.decode(chunk):
            yield text
        chunk = stream.read(_CHUNK)
    if text := decoder.decode(b"", final=True):
        yield text


def lines(stream: BinaryIO, longest: int | None = None) -> Iterator[str]:
    """The lines of the stream, with their ends; one beyond `longest` characters is cut there."""
    rest = ""
    for text in texts(stream):
        *whole, rest = (rest + text).split("\n")
        for line in whole:
            yield f"{line}\n"
        if longest is not None and len(rest) > longest:
            yield f"{rest}\n"
            rest = ""
    if rest:
        yield rest


class Rewound:
    """A stream whose first octets were looked at."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head, self._stream = head, stream

    def read(self, size: int = -1) -> bytes:
        if self._head:
            head = self._head if size < 0 else self._head[:size]
            self._head = self._head[len(head) :]
            return head + self._stream.read() if size < 0 else head
        return self._stream.read(size)


class Utf8Reader:
    """The stream as UTF-8 octets, for parsers that take nothing else (`read(n)` gives about n)."""

    def __init__(self, stream: BinaryIO) -> None:
        self._texts = texts(stream)
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        """At most `size` octets, b"" at the end only; all that is left when `size` is negative."""
        while size < 0 or not self._rest:
            text = next(self._texts, None)
            if text is None:
                break
            self._rest += text.encode()
        cut = len(self._rest) if size < 0 else size
        octets, self._rest = self._rest[:cut], self._rest[cut:]
        return octets
