"""The synonyms that a search adds, from a plain file that may change while the service runs.

They are applied when the query is built, not in the index: a new line is in force some seconds
after the file was saved, without reindexing and without closing anything (docs/adr).
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Final

from traverse_schemas.french.synonyms import (
    Entry,
    SynonymsError,
    faults,
    key_of,
    parse,
    product_entries,
)

_LOG = logging.getLogger(__name__)
_LOOK_EVERY: Final = 5.0  # seconds

Meanings = Mapping[str, tuple[str, ...]]
"""A word or expression (`synonyms.key_of`) -> what is searched beside it."""


def meanings_of(entries: tuple[Entry, ...]) -> Meanings:
    """The entries by what people may type."""
    return {
        key_of(term): tuple(other for other in entry.finds if other != term)
        for entry in entries
        for term in entry.terms
    }


@dataclass(slots=True)
class SynonymBook:
    """The meanings in force: those of `path`, or of the product's own file when it is None.

    A file that becomes faulty or unreadable changes nothing: the last good list stays in force and
    the log says what to mend. Raises SynonymsError at the start.
    """

    path: Path | None = None
    now: Callable[[], float] = monotonic
    _meanings: Meanings = field(init=False, default_factory=dict)
    _stamp: tuple[int, int] | None = field(init=False, default=None)
    _looked: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._looked = self.now()
        if self.path is None:
            self._meanings = meanings_of(product_entries())
        else:
            self._meanings = self._read(self.path)

    def meanings(self) -> Meanings:
        """The list in force; looks at the file every five seconds at most."""
        if self.path is not None and self.now() - self._looked >= _LOOK_EVERY:
            self._looked = self.now()
            try:
                if self._stamp_of(self.path) != self._stamp:
                    self._meanings = self._read(self.path)
                    _LOG.info("synonyms_read path=%s", self.path)
            except SynonymsError as error:
                _LOG.error("synonyms_refused %s", error)
        return self._meanings

    def _read(self, path: Path) -> Meanings:
        self._stamp = self._stamp_of(path)
        try:
            entries = parse(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise _unreadable(path) from error
        wrong = faults(entries)
        if wrong:
            raise SynonymsError(
                f"Le fichier de synonymes {path} est à corriger : {' '.join(wrong[:5])}"
            )
        return meanings_of(entries)

    @staticmethod
    def _stamp_of(path: Path) -> tuple[int, int]:
        try:
            found = path.stat()
        except OSError as error:
            raise _unreadable(path) from error
        return found.st_mtime_ns, found.st_size


def _unreadable(path: Path) -> SynonymsError:
    return SynonymsError(
        f"Le fichier de synonymes {path} est illisible : vérifiez TRAVERSE_SYNONYMS."
    )
