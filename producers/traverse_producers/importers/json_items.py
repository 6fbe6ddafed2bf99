"""JSON feeds as rows, one at a time: an array, a list inside an object, or an object a line."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, BinaryIO, NamedTuple, cast

import ijson
from ijson.common import ObjectBuilder

from traverse_producers.importers.errors import UnreadableFileError
from traverse_producers.importers.octets import Rewound, Utf8Reader, lines, read_fully

Row = dict[str, Any]

_HEAD = 1 << 20
_LONGEST_LINE = 16 << 20


class Shape(NamedTuple):
    """Where the rows of a feed are, and what to call them.

    `prefixes` are ijson's (`results.item`); `depth` is more levels than a row can have; `row`
    says what one row is, `missing` says what the file should hold.
    """

    prefixes: frozenset[str]
    depth: int
    row: str
    missing: str


def json_items(stream: BinaryIO, shape: Shape) -> Iterator[Row]:
    """The rows of one JSON text. Raises UnreadableFileError where it cannot be read on."""
    builder: ObjectBuilder | None = None
    depth = found = 0
    try:
        for prefix, event, value in ijson.parse(Utf8Reader(stream)):
            if builder is None:
                if event != "start_map" or prefix not in shape.prefixes:
                    continue
                builder, depth = ObjectBuilder(), 0
            builder.event(event, value)
            if event in ("start_map", "start_array"):
                depth += 1
                if depth > shape.depth:
                    raise UnreadableFileError(
                        f"L'enregistrement {found + 1} est imbriqué sur plus de {shape.depth} "
                        f"niveaux : ce n'est pas {shape.row}."
                    )
            elif event in ("end_map", "end_array"):
                depth -= 1
                if depth == 0:
                    found += 1
                    row, builder = builder.value, None
                    yield row
    except ijson.JSONError as error:
        detail = " ".join(str(error).split())[:120]
        raise UnreadableFileError(
            f"Le JSON n'est plus lisible après l'enregistrement {found} ({detail}) : "
            "téléchargez le fichier à nouveau."
        ) from error
    if not found:
        raise UnreadableFileError(shape.missing)


def json_or_lines(stream: BinaryIO, shape: Shape) -> Iterator[tuple[int, Row | str]]:
    """The rows with their numbers, of a JSON text or of JSON lines; a sentence for a wrong line.

    The first line tells: an object by itself makes the file JSON lines. Raises as `json_items`.
    """
    head = read_fully(stream, _HEAD)
    rewound = cast(BinaryIO, Rewound(head, stream))
    first, newline, _ = head.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")
    if newline and isinstance(_object(first.decode("utf-8", "replace")), dict):
        yield from _by_line(rewound, shape)
    else:
        yield from enumerate(json_items(rewound, shape), start=1)


def _by_line(stream: BinaryIO, shape: Shape) -> Iterator[tuple[int, Row | str]]:
    for number, line in enumerate(lines(stream, _LONGEST_LINE), start=1):
        if not line.strip():
            continue
        row = _object(line)
        if isinstance(row, dict):
            yield number, row
        else:
            yield number, f"La ligne n'est pas un objet JSON lisible : ce n'est pas {shape.row}."


def _object(text: str) -> object:
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None
