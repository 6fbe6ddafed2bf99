"""Imports open data of others: files through an importer, its events published."""

from collections.abc import Iterable, Iterator
from pathlib import PurePath

from traverse_producers.errors import UnreadableInputError
from traverse_producers.files.publishing import Progress, publish_rows, ready
from traverse_producers.files.read import Open
from traverse_producers.files.report import Report
from traverse_producers.files.rows import LeftOut, Refused, Row
from traverse_producers.importers.contract import Dropped, ImportContext, Importer
from traverse_producers.importers.errors import UnreadableFileError
from traverse_producers.sender import Sender


def import_rows(
    importer: Importer, files: Iterable[str], open_file: Open, context: ImportContext
) -> Iterator[Row]:
    """The rows of the files, in their order. A file that cannot be read, or not further, is one
    refusal, and the next files are read.

    The importer is given the name of the file without its folders: what it makes of it must be the
    same on every machine.
    """
    for file in files:
        try:
            with open_file(file) as stream:
                for result in importer(stream, PurePath(file).name, context):
                    if not isinstance(result, Dropped):
                        yield ready(file, result.line, result.event)
                    elif result.duplicate:
                        yield LeftOut(file, result.line, result.reference, result.sentence)
                    else:
                        yield Refused(file, result.line, result.reference, "", result.sentence)
        except (UnreadableInputError, UnreadableFileError) as error:
            yield Refused(file, 1, None, "", str(error))


def import_paths(
    importer: Importer,
    files: Iterable[str],
    open_file: Open,
    context: ImportContext,
    *,
    sender: Sender,
    progress: Progress = lambda: None,
) -> Report:
    """Import files and publish what they say; see `publish_rows`."""
    return publish_rows(import_rows(importer, files, open_file, context), sender, progress)
