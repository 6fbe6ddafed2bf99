"""Reads files to publish: events in JSON, NDJSON or a JSON array, and records in CSV.

The name's ending tells the format (.csv, .tsv, .ndjson, .jsonl), else the first octets do.
"""

import codecs
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from io import BufferedReader
from pathlib import PurePath
from typing import BinaryIO, Protocol, cast

from traverse_producers.csv_rows import Voice, read_csv
from traverse_producers.errors import UnreadableInputError
from traverse_producers.json_rows import is_by_line, read_json
from traverse_producers.rows import Refused, Row

_TABLES = {".csv", ".tsv", ".txt"}
_LINES = {".ndjson", ".jsonl"}


class Open(Protocol):
    """Opens a file or an address by its name (`input_streams.open_input`)."""

    def __call__(self, where: str, /) -> AbstractContextManager[BinaryIO]: ...


def read_files(
    files: Iterable[str], open_file: Open, *, institution: str | None, voice: Voice | None
) -> Iterator[Row]:
    """The rows of the files, in their order. A file that cannot be read is one refusal.

    `voice` speaks for the records of CSV files; without one they are refused. `institution` (a
    SIREN) refuses the ready events of others.
    """
    for file in files:
        try:
            with open_file(file) as stream:
                yield from _rows(stream, file, institution, voice)
        except UnreadableInputError as error:
            yield Refused(file, 1, None, "", str(error))


def _rows(
    stream: BinaryIO, name: str, institution: str | None, voice: Voice | None
) -> Iterator[Row]:
    ending = PurePath(name).suffix.casefold()
    buffered = cast(BufferedReader, stream)
    if ending in _TABLES or (ending not in _LINES and not _is_json(buffered)):
        if voice is None:
            sentence = (
                "Ces dossiers en CSV ne disent pas qui les publie : ajoutez --institution SIREN."
            )
            yield Refused(name, 1, None, "", sentence)
        else:
            yield from read_csv(stream, name, voice)
        return
    if buffered.peek(3).startswith(codecs.BOM_UTF8):
        stream.read(len(codecs.BOM_UTF8))
    by_line = ending in _LINES or is_by_line(stream)
    yield from read_json(stream, name, by_line=by_line, institution=institution)


def _is_json(stream: BufferedReader) -> bool:
    """Whether the first sign opens a JSON object or array (an empty file counts as one)."""
    head = stream.peek(1).removeprefix(codecs.BOM_UTF8).lstrip()
    return head[:1] in (b"{", b"[", b"")
