"""Notices packed together, as TED's daily and monthly packages are: .tar.gz, .tar or .zip.

Members are read one by one, in memory, never written to disk under their own names.
"""

import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO

from traverse_producers.importers.errors import UnreadableFileError

_IN_MEMORY = 16 << 20
_BROKEN = (tarfile.TarError, zipfile.BadZipFile)
_TAR = (".tar.gz", ".tgz", ".tar")


def is_archive(name: str) -> bool:
    """Whether the file's name is that of a package of notices."""
    return name.lower().partition("?")[0].endswith((*_TAR, ".zip"))


def members(stream: BinaryIO, name: str, limit: int) -> Iterator[tuple[str, BinaryIO]]:
    """The XML files of a package, with their names. Raises UnreadableFileError.

    Of each, no more than `limit` octets are unpacked, so that a bomb stays small.
    """
    read = _zip if name.lower().partition("?")[0].endswith(".zip") else _tar
    try:
        for path, content in read(stream):
            yield path, io.BytesIO(content.read(limit))
    except (*_BROKEN, EOFError, OSError, zlib.error, NotImplementedError) as error:
        raise UnreadableFileError(
            f"L'archive n'est pas lisible jusqu'au bout ({str(error)[:80]}) : "
            "téléchargez-la à nouveau."
        ) from error


def _tar(stream: BinaryIO) -> Iterator[tuple[str, IO[bytes]]]:
    with tarfile.open(fileobj=stream, mode="r|*") as archive:
        for member in archive:
            if member.isfile() and member.name.lower().endswith(".xml"):
                content = archive.extractfile(member)
                if content is not None:
                    yield member.name, content


def _zip(stream: BinaryIO) -> Iterator[tuple[str, IO[bytes]]]:
    # The table of a zip is at its end: the whole must be there, beyond 16 MiB on disk.
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as copy:
        while octets := stream.read(1 << 20):
            copy.write(octets)
        with zipfile.ZipFile(copy) as archive:
            for info in archive.infolist():
                if info.filename.lower().endswith(".xml") and not info.flag_bits & 1:
                    with archive.open(info) as content:
                        yield info.filename, content
