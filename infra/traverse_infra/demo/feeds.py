"""The real files of a folder, as the feeds of the demonstration."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from traverse_infra.errors import InfraError
from traverse_producers.importers.contract import Dropped, ImportContext, Imported
from traverse_producers.importers.registry import IMPORTERS

# Who imports the feeds in the demonstration: the chamber of its cast.
_RELAY = "181300013"
# The export of the Fonds vert carries no dates; it is of the end of 2023.
_NO_DATE = datetime(2023, 12, 31, 11, tzinfo=UTC)


class Feed(NamedTuple):
    """One source of open data: its importer, its CloudEvents source and its files."""

    format: str
    source: str
    files: tuple[Path, ...]


class NothingToImportError(InfraError):
    """The folder has none of the files that the demonstration knows."""


def feeds_in(folder: Path) -> list[Feed]:
    """The feeds of a folder laid out as decp/, decp-v2/, ted/, fonds-vert/.

    Raises NothingToImportError.
    """
    found = [
        *(
            Feed("decp", _source(f"decp-{_slug(file)}"), (file,))
            for file in sorted((folder / "decp").glob("*.json"))
        ),
        _feed("decp", "decp-v2", folder / "decp-v2", "*.json", ("schema_",)),
        _feed("ted", "ted", folder / "ted", "*.xml"),
        _feed("fonds-vert", "fonds-vert", folder / "fonds-vert", "*.csv"),
    ]
    kept = [feed for feed in found if feed.files]
    if not kept:
        raise NothingToImportError(
            f"Le dossier {folder} n'a aucun fichier connu : il doit avoir des sous-dossiers decp, "
            "decp-v2, ted ou fonds-vert."
        )
    return kept


def read_feed(feed: Feed) -> Iterator[dict[str, Any] | Dropped]:
    """The events of a feed, and the rows that give none, in the order of its files."""
    importer = IMPORTERS[feed.format]
    context = ImportContext(feed.source, _NO_DATE)
    for file in feed.files:
        with file.open("rb") as stream:
            for row in importer(stream, file.name, context):
                yield row.event if isinstance(row, Imported) else row


def _feed(
    name: str, system: str, folder: Path, pattern: str, without: tuple[str, ...] = ()
) -> Feed:
    files = sorted(folder.glob(pattern))
    return Feed(
        name,
        _source(system),
        tuple(file for file in files if not file.name.startswith(without or ("\0",))),
    )


def _source(system: str) -> str:
    return f"urn:siren:{_RELAY}:{system}"


def _slug(file: Path) -> str:
    return file.stem.lower().replace("_", "-").replace(".", "-")
