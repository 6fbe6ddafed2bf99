"""Notices packed together, as TED's daily and monthly packages are: .tar.gz, .tar or .zip.

Members are read one by one, in memory, never written to disk under their own names. What a package
may come to is bounded: its members, what they unpack to (a tar is gone through whole, whatever of
it is wanted), and what its headers say of themselves.
"""

import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO, Literal, Self, cast

from traverse_producers.importers.errors import UnreadableFileError
from traverse_producers.importers.octets import Rewound, read_fully

LARGEST = 4 << 30
"""Octets of a zip, of which a copy is made on disk."""
LARGEST_UNPACKED = 8 << 30
"""Octets of all members of a tar: a month of TED has some 4 GiB."""
MOST_MEMBERS = 300_000
_IN_MEMORY = 16 << 20
_LONGEST_NAME = 64 << 10
_ENTRY = b"PK\x01\x02"  # each line of a zip's table begins so
_GZIP = b"\x1f\x8b"
_HEADERS = (
    tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)  # fmt: skip
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
    except (*_BROKEN, EOFError, OSError, zlib.error, NotImplementedError, RecursionError) as error:
        raise UnreadableFileError(
            f"L'archive n'est pas lisible jusqu'au bout ({str(error)[:80]}) : "
            "téléchargez-la à nouveau."
        ) from error


class _Header(tarfile.TarInfo):
    """A header of a tar, whose extensions are held in memory: names are short."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """See TarInfo.frombuf. Raises UnreadableFileError."""
        header = super().frombuf(buf, encoding, errors)
        if header.size < 0 or (header.type in _HEADERS and header.size > _LONGEST_NAME):
            raise _too_large()
        return header


def _tar(stream: BinaryIO) -> Iterator[tuple[str, IO[bytes]]]:
    head = read_fully(stream, len(_GZIP))
    # Of the codings that tarfile knows, gzip alone needs little memory whatever it is sent.
    mode: Literal["r|gz", "r|"] = "r|gz" if head == _GZIP else "r|"
    source = cast(BinaryIO, Rewound(head, stream))
    unpacked = found = 0
    with tarfile.open(fileobj=source, mode=mode, tarinfo=_Header) as archive:
        for member in archive:
            # Before it is read, or gone past.
            unpacked, found = unpacked + member.size, found + 1
            if unpacked > LARGEST_UNPACKED or found > MOST_MEMBERS:
                raise _too_large()
            if member.isfile() and member.name.lower().endswith(".xml"):
                content = archive.extractfile(member)
                if content is not None:
                    yield member.name, content


def _zip(stream: BinaryIO) -> Iterator[tuple[str, IO[bytes]]]:
    # The table of a zip is at its end: the whole must be there, beyond 16 MiB on disk.
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as copy:
        size = lines = 0
        rest = b""
        while octets := stream.read(1 << 20):
            size += len(octets)
            window = rest + octets
            lines += window.count(_ENTRY)
            rest = window[-3:]
            # zipfile holds the table in memory, whatever it says of its own length.
            if size > LARGEST or lines > MOST_MEMBERS:
                raise _too_large()
            copy.write(octets)
        with zipfile.ZipFile(copy) as archive:
            for info in archive.infolist():
                if info.filename.lower().endswith(".xml") and not info.flag_bits & 1:
                    with archive.open(info) as content:
                        yield info.filename, content


def _too_large() -> UnreadableFileError:
    return UnreadableFileError(
        f"L'archive est trop grande (au plus {MOST_MEMBERS} fichiers, {LARGEST >> 30} Gio en .zip, "
        f"{LARGEST_UNPACKED >> 30} Gio une fois décompressée en .tar) : partagez-la en plusieurs."
    )
