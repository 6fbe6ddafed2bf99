"""Importers read streams as the network gives them: once, forward, a few octets at a time."""

import io
import json
from typing import BinaryIO, cast

import pytest

from tests.producers.importers import eforms_samples
from tests.producers.importers.checks import CONTEXT
from tests.producers.importers.ted_samples import notice
from tests.producers.importers.test_decp import V2_XML, contract, file_of
from tests.producers.importers.test_fonds_vert import HEADER, row
from tests.producers.importers.test_ted import packed
from traverse_producers.importers.registry import IMPORTERS


class Trickle:
    """A stream that only reads, at most three octets a time."""

    def __init__(self, octets: bytes) -> None:
        self._inner = io.BytesIO(octets)

    def read(self, size: int = -1) -> bytes:
        return self._inner.read(3 if size < 0 else min(size, 3))


@pytest.mark.parametrize(
    ("feed", "name", "octets"),
    [
        ("decp", "a.json", file_of(contract(), contract(id="2")).encode("utf-8-sig")),
        ("decp", "a.xml", V2_XML.encode()),
        ("decp", "vide.json", b""),
        ("ted", "a.xml", notice().encode()),
        ("ted", "a.tar.gz", packed("a.tar.gz", {"1.xml": notice()})),
        ("ted", "a.zip", packed("a.zip", {"1.xml": notice()})),
        ("eforms", "a.xml", eforms_samples.notice().encode()),
        ("eforms", "a.zip", packed("a.zip", {"1.xml": eforms_samples.notice()})),
        ("fonds-vert", "export-2023.csv", (HEADER + row()).encode("utf-16")),
    ],
)
def test_a_slow_stream_gives_the_same(feed: str, name: str, octets: bytes) -> None:
    """Short reads, no seeking: the same results as from a file."""
    importer = IMPORTERS[feed]
    slowly = list(importer(cast(BinaryIO, Trickle(octets)), name, CONTEXT))
    assert slowly == list(importer(io.BytesIO(octets), name, CONTEXT)) != []


def test_rows_come_before_the_end() -> None:
    """The first contract comes out while most of the file is still unread: memory is bounded."""
    stream = io.BytesIO(
        json.dumps({"marches": [contract(id=str(n)) for n in range(5000)]}).encode()
    )
    next(iter(IMPORTERS["decp"](stream, "a.json", CONTEXT)))
    assert stream.tell() < len(stream.getvalue()) / 5
