"""A feed of JSON records as an importer reads it: every record accounted for, whatever it holds."""

from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from traverse_producers.importers.contract import Dropped, Imported
from traverse_producers.importers.emit import Once
from traverse_producers.importers.errors import UnreadableFileError
from traverse_producers.importers.json_items import Row, Shape, json_or_lines


def import_feed(
    stream: BinaryIO,
    name: str,
    shape: Shape,
    records_of: Callable[[Row], Iterable[Row]],
    import_record: Callable[[int, Row], Imported | Dropped],
) -> Iterator[Imported | Dropped]:
    """What a JSON file, or JSON lines, come to. See `contract.Importer`.

    `records_of` gives the records that a row holds; `import_record` makes an event of one, with
    the row's number. What cannot be read any further is told as a last, unread row.
    """
    once, number = Once(), 0
    try:
        for number, found in json_or_lines(stream, shape):
            if isinstance(found, str):
                yield Dropped(number, None, found)
                continue
            for record in records_of(found):
                result = import_record(number, record)
                yield once.check(result) if isinstance(result, Imported) else result
    except UnreadableFileError as error:
        yield Dropped(number + 1, name, str(error), unread=True)
