"""What a workbook of strangers may come to once it is read: refused before openpyxl sees it.

openpyxl holds most parts whole, as trees, and of a sheet (or of the shared texts) one row (one
text) at a time, beside an empty element for each that it is done with. So sizes alone do not bound
it: 200 MiB of `<a/>` come to gigabytes, and a row said to be the thousand millionth to hours.
"""

import re
import zipfile
from typing import IO, Any, Final
from xml.parsers import expat

from traverse_producers.tables.cells import UnreadableCellError

LARGEST_UNPACKED = 192 << 20
LARGEST_PART = 24 << 20
"""Octets of a part outside of rows and texts."""
LARGEST_TEXTS = 48 << 20
"""Octets of the shared texts, which are held in memory."""
LARGEST_MARK = 1 << 20
"""Octets from one `<` to the next: a cell has 32,767 characters at most."""
MOST_PARTS = 2000
MOST_ITEMS = 1 << 20
"""Rows, empty ones included, or shared texts: no spreadsheet has more rows."""
MOST_IN_ITEM = 200_000
"""Elements and attributes of one row."""
MOST_ELSEWHERE = 300_000
"""Elements and attributes of a part outside of rows and texts."""
_CHUNK = 64 << 10
_ENTRY: Final = b"PK\x01\x02"  # each line of an archive's table begins so
_ITEMS: Final = frozenset({"row", "si"})
_DTD: Final = (
    "Le classeur contient une DTD, ce qu'aucun tableur n'écrit : par sécurité il n'est pas lu."
)
_ENCODING: Final = (
    "Le classeur n'est pas en UTF-8, comme les tableurs l'écrivent : enregistrez-le à nouveau en "
    ".xlsx."
)
# By these first octets parsers take a part for UTF-16, UTF-32 or EBCDIC.
_OTHER = re.compile(rb"\xff\xfe|\xfe\xff|\0\0\xfe\xff|\0{0,3}<\0|\0{1,3}<|\x4c\x6f\xa7\x94")


def check_workbook(copy: IO[bytes]) -> None:
    """Raises UnreadableCellError for what would not stay small, whatever its table says of its
    parts: zipfile holds them to that. Leaves `copy` at its beginning."""
    _check_table(copy)
    with zipfile.ZipFile(copy) as archive:
        parts = archive.infolist()
        unpacked = sum(part.file_size for part in parts)
        if len(parts) > MOST_PARTS or unpacked > LARGEST_UNPACKED:
            raise _too_large()
        for part in parts:
            with archive.open(part) as content:
                _Part(part.file_size).check(content)
    copy.seek(0)


def _check_table(copy: IO[bytes]) -> None:
    """The archive's table, which zipfile holds in memory, is bounded by the beginnings of lines
    that are anywhere in the file."""
    found, rest = 0, b""
    copy.seek(0)
    while octets := copy.read(_CHUNK):
        window = rest + octets
        found += window.count(_ENTRY)
        rest = window[-3:]
        if found > 2 * MOST_PARTS:  # a workbook may hold others, as they are
            raise _too_large()
    copy.seek(0)


class _Part:
    """One part of the archive. What is no XML ends at its first octets, and is nobody's to read."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._depth = 0
        self._item = 0  # the depth of the row that is open
        self._begun = 0  # where it begins
        self._octets = 0  # of rows and texts
        self._items = 0
        self._in_item = 0
        self._elsewhere = 0
        self._texts = False
        # Whatever it declares: nothing else is read.
        self._parser = expat.ParserCreate("utf-8", namespace_separator="}")
        self._parser.ordered_attributes = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.XmlDeclHandler = self._declared

    def check(self, content: IO[bytes]) -> None:
        """Raises UnreadableCellError."""
        read = run = 0
        while octets := content.read(_CHUNK):
            if read == 0 and _OTHER.match(octets):
                raise UnreadableCellError(_ENCODING)
            read += len(octets)
            run = 0 if b"<" in octets else run + len(octets)
            try:
                self._parser.Parse(octets, False)
            except expat.ExpatError:
                return  # openpyxl stops there too, and says so
            if run > LARGEST_MARK or read - self._inside() > LARGEST_PART:
                raise _too_large()
            if self._texts and self._size > LARGEST_TEXTS:
                raise UnreadableCellError(
                    "Le classeur contient trop de texte : partagez-le en plusieurs fichiers, ou "
                    "enregistrez la feuille en CSV."
                )

    def _inside(self) -> int:
        """Octets of rows and texts so far."""
        begun = self._parser.CurrentByteIndex - self._begun if self._item else 0
        return self._octets + begun

    def _start(self, name: str, attributes: list[str]) -> None:
        self._depth += 1
        weight = 1 + len(attributes) // 2
        if self._item:
            self._in_item += weight
            if self._in_item > MOST_IN_ITEM:
                raise _too_large()
            return
        local = name.rpartition("}")[2]
        if local not in _ITEMS:
            self._elsewhere += weight
            if self._elsewhere > MOST_ELSEWHERE:
                raise _too_large()
            return
        self._item, self._begun, self._in_item = self._depth, self._parser.CurrentByteIndex, weight
        self._items += 1
        self._texts = self._texts or local == "si"
        if self._items > MOST_ITEMS:
            raise _too_large()
        if local == "row":
            _check_number(attributes)

    def _end(self, _: str) -> None:
        if self._item == self._depth:
            self._octets += self._parser.CurrentByteIndex - self._begun
            self._item = 0
        self._depth -= 1

    def _doctype(self, *_: Any) -> None:
        raise UnreadableCellError(_DTD)

    def _declared(self, _: str, encoding: str | None, __: int) -> None:
        if encoding is not None and encoding.lower() not in ("utf-8", "us-ascii"):
            raise UnreadableCellError(_ENCODING)


def _check_number(attributes: list[str]) -> None:
    """Rows that are left out before one are gone through, one by one."""
    for name, value in zip(attributes[::2], attributes[1::2], strict=True):
        if name == "r" and not (value.isdigit() and len(value) <= 7 and int(value) <= MOST_ITEMS):
            raise UnreadableCellError(
                f"La feuille a une ligne « {value[:20]} » : un tableur en numérote {MOST_ITEMS} "
                "au plus ; enregistrez-le à nouveau."
            )


def _too_large() -> UnreadableCellError:
    return UnreadableCellError(
        f"Le classeur est trop grand une fois décompressé (au plus {LARGEST_UNPACKED >> 20} Mio, "
        f"{MOST_PARTS} parties, {MOST_ITEMS} lignes) : partagez-le en plusieurs fichiers, ou "
        "enregistrez la feuille en CSV."
    )
