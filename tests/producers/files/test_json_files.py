"""Events from files: their very octets, streaming, a broken one told and the rest read."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.stream_processors.factory import event
from traverse_producers.errors import UnreadableInputError
from traverse_producers.files.json_pieces import Fault, pieces_of_lines, pieces_of_text
from traverse_producers.files.read import read_files
from traverse_producers.files.rows import Ready, Refused, Row
from traverse_schemas.log.topics import MAX_EVENT_BYTES


def rows(name: str, octets: bytes, institution: str | None = None) -> list[Row]:
    @contextmanager
    def open_file(where: str) -> Iterator[BinaryIO]:
        if where == "absent":
            raise UnreadableInputError("Le fichier absent n'existe pas.")
        yield io.BufferedReader(io.BytesIO(octets))

    return list(read_files([name], open_file, institution=institution, voice=None))


def encoded(**changes: object) -> bytes:
    return json.dumps(event(**changes), ensure_ascii=False).encode()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("e.json", b"%s"),
        ("e.json", b"\xef\xbb\xbf%s\n"),
        ("e.json", b"[%s]"),
        ("e.ndjson", b"%s\n"),
        ("e.json", b"%s\n"),
        ("sans-extension", b" [\n %s \n]\n"),
    ],
)
def test_the_octets_that_are_published_are_those_of_the_file(name: str, content: bytes) -> None:
    """One event, a batch or lines: nothing is written anew, spaces and key order stay."""
    octets = json.dumps(event(), indent=None, separators=(" , ", " :  ")).encode()
    (row,) = rows(name, content % octets)
    assert isinstance(row, Ready)
    assert row.octets == octets
    assert row.reference == "VOIRIE-2026"


def test_lines_know_their_numbers_and_broken_ones_spoil_no_other() -> None:
    """NDJSON with a blank line, a cut line and something that is no object."""
    content = b"\n".join([encoded(), b"", b'{"id": "cut', b"12", encoded(id="e-2")])
    found = rows("e.ndjson", content)
    assert [(row.line, type(row)) for row in found] == [
        (1, Ready),
        (3, Ready),  # what is wrong inside an object, its check tells
        (4, Refused),
        (5, Ready),
    ]


def test_a_batch_goes_on_after_an_object_that_is_wrong_inside() -> None:
    """Each object of the array is one row, on the line where it begins."""
    content = b'[\n{"a": nonsense},\n12, "x",\n' + encoded() + b"\n]"
    found = rows("e.json", content)
    assert [(row.line, type(row)) for row in found] == [
        (2, Ready),  # what is wrong inside an object, its check tells
        (3, Refused),
        (3, Refused),
        (4, Ready),
    ]


def test_a_file_that_ends_in_the_middle_says_so() -> None:
    """A download that broke off is told, and what was whole is published."""
    first, second = rows("e.json", b"[" + encoded() + b"," + encoded()[:-5])
    assert isinstance(first, Ready)
    assert isinstance(second, Refused)
    assert "pas terminé" in second.sentence


@pytest.mark.parametrize("name", ["e.ndjson", "e.json"])
def test_an_event_of_ten_megabytes_is_told_and_not_kept(name: str) -> None:
    """Memory is bounded by the limit of an event, whatever the file holds."""
    large = b'{"x": "' + b"a" * 20 * MAX_EVENT_BYTES + b'"}'
    found = rows(name, large + b"\n" + encoded())
    assert isinstance(found[0], Refused)
    assert "512 Kio" in found[0].sentence
    assert isinstance(found[1], Ready)


def test_an_empty_file_is_not_a_success() -> None:
    """Somebody who publishes nothing by mistake is told."""
    (row,) = rows("e.json", b" \n")
    assert isinstance(row, Refused)
    assert "aucun événement" in row.sentence


def test_events_of_another_institution_are_refused_when_one_is_named() -> None:
    """`--institution` is a promise about the whole file."""
    (row,) = rows("e.json", encoded(), institution="211300553")
    assert isinstance(row, Refused)
    assert row.pointer == "/source"
    (row,) = rows("e.json", encoded(), institution="181300013")
    assert isinstance(row, Ready)


def test_a_file_that_is_not_there_is_one_refusal() -> None:
    """The other files of the command are read."""
    (row,) = rows("absent", b"")
    assert row == Refused("absent", 1, None, "", "Le fichier absent n'existe pas.")


def test_a_table_without_an_institution_asks_for_it() -> None:
    """A record does not say who publishes it."""
    (row,) = rows("e.csv", b"reference;type\n")
    assert isinstance(row, Refused)
    assert "--institution" in row.sentence


@given(
    st.lists(
        st.dictionaries(
            st.text(), st.recursive(st.text(), lambda inner: st.lists(inner, max_size=3))
        ),
        max_size=8,
    ),
    st.booleans(),
    st.integers(1, 40),
)
def test_splitting_gives_the_objects_back(
    objects: list[dict[str, object]], by_line: bool, chunk: int
) -> None:
    """Whatever signs the texts hold, and wherever the reads happen to cut."""
    if by_line:
        content = b"".join(json.dumps(each).encode() + b"\n" for each in objects)
        pieces = list(pieces_of_lines(io.BytesIO(content)))
    else:
        content = json.dumps(objects, ensure_ascii=False, indent=1).encode("utf-8", "surrogatepass")
        pieces = list(pieces_of_text(_Short(content, chunk)))
    assert [
        json.loads(piece.octets.decode("utf-8", "surrogatepass")) for piece in pieces
    ] == objects
    assert all(piece.fault is None for piece in pieces)


@given(st.binary(max_size=200))
def test_garbage_never_raises(octets: bytes) -> None:
    """Any octets give pieces or faults."""
    for piece in [*pieces_of_text(io.BytesIO(octets)), *pieces_of_lines(io.BytesIO(octets))]:
        assert piece.fault in (None, *Fault)


class _Short(io.BytesIO):
    """A stream that gives a few octets at a time."""

    def __init__(self, octets: bytes, most: int) -> None:
        super().__init__(octets)
        self._most = most

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self._most)
