"""Packages that are small until they are read, in a process that has little memory and time."""

import gzip
import io
import tarfile
import zipfile
import zlib
from pathlib import Path

import httpx
import pytest

from tests.producers.bounded import Run, bounded
from tests.producers.importers.ted_samples import notice
from traverse_producers.errors import UnreadableInputError
from traverse_producers.files.input_streams import open_input
from traverse_producers.importers import archive

pytestmark = pytest.mark.long

READ = """
from tests.producers.importers.checks import CONTEXT
from traverse_producers.importers.ted.importer import import_ted
with open(file, "rb") as stream:
    for each in import_ted(stream, file, CONTEXT):
        print(each.sentence if hasattr(each, "sentence") else "imported")
"""
MEGABYTE = 1 << 20


def read(file: Path) -> Run:
    run = bounded(READ, file)
    assert run.peak < 400
    return run


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    """A tar's header that says so."""
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


def nothing_behind(head: bytes, gigabytes: int) -> bytes:
    """A .gz of these octets, then so many gigabytes of nothing: a block of it, again and again, for
    after a full flush nothing refers to what came before. It ends there."""
    squeeze = zlib.compressobj(level=1, wbits=31)
    begun = squeeze.compress(head) + squeeze.flush(zlib.Z_FULL_FLUSH)
    block = squeeze.compress(bytes(64 * MEGABYTE)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    return begun + block * (16 * gigabytes)


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_the_headers_of_a_tar_are_bounded(kind: bytes, tmp_path: Path) -> None:
    """A name of two gigabytes is held in memory before anybody sees it."""
    file = tmp_path / "a.tar.gz"
    file.write_bytes(nothing_behind(header("x", 2 << 30, kind), 2))
    assert "trop grande" in read(file).said


def test_what_a_tar_unpacks_to_is_bounded(tmp_path: Path) -> None:
    """Whatever of it is wanted: it is gone through whole."""
    file = tmp_path / "a.tar.gz"
    with gzip.open(file, "wb", compresslevel=1) as packed:
        packed.write(header("a.bin", 100 << 30))
        packed.write(bytes(MEGABYTE))
    assert "8 Gio une fois décompressée" in read(file).said


def test_the_number_of_members_is_bounded(tmp_path: Path) -> None:
    many = archive.MOST_MEMBERS + 1
    tar, zipped = tmp_path / "a.tar.gz", tmp_path / "a.zip"
    with gzip.open(tar, "wb", compresslevel=1) as packed:
        packed.write(header("a.bin", 0) * many)
    zipped.write_bytes(b"PK\x03\x04" + (b"PK\x01\x02" + bytes(43)) * many)
    for file in (tar, zipped):
        assert "au plus 300000 fichiers" in read(file).said


def test_headers_that_only_announce_another_are_a_broken_archive(tmp_path: Path) -> None:
    """Each is read from within the one before."""
    file = tmp_path / "a.tar"
    name = header("x", 1, tarfile.GNUTYPE_LONGNAME) + b"a".ljust(512, b"\0")
    file.write_bytes(name * 5000)
    assert "pas lisible jusqu'au bout" in read(file).said


def test_a_huge_notice_is_dropped_and_the_others_are_read(tmp_path: Path) -> None:
    tar, zipped = tmp_path / "a.tar.gz", tmp_path / "a.zip"
    small, huge = notice().encode(), 300 * MEGABYTE
    with tarfile.open(tar, "w:gz", compresslevel=1) as archive_of:
        for name, content in (("1.xml", bytes(huge)), ("2.xml", small)):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive_of.addfile(info, io.BytesIO(content))
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as zip_of:
        zip_of.writestr("1.xml", bytes(huge))
        zip_of.writestr("2.xml", small)
    for file in (tar, zipped):
        dropped, imported = read(file).said.splitlines()
        assert "dépasse 32 Mio" in dropped
        assert imported == "imported"


def test_an_answer_that_is_packed_several_times_is_refused() -> None:
    """Sixty kibibytes would come to sixty gibibytes, in memory."""
    packed = gzip.compress(gzip.compress(bytes(MEGABYTE)))

    def answer(_: httpx.Request) -> httpx.Response:
        headers = {"content-encoding": "gzip, gzip"}
        return httpx.Response(200, headers=headers, stream=httpx.ByteStream(packed))

    with (
        pytest.raises(UnreadableInputError, match="plusieurs fois"),
        open_input("http://x/", httpx.MockTransport(answer)) as stream,
    ):
        stream.read()
