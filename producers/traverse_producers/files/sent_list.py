"""The list of what was published: for whom follows an event, its source and id with its row."""

import csv
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from traverse_producers.errors import InvalidOptionError
from traverse_producers.files.publishing import Confirmed
from traverse_producers.files.rows import Ready
from traverse_schemas.system_faults import fault

HEADER = ("fichier", "ligne", "reference", "source", "id")


@contextmanager
def sent_list(path: Path) -> Iterator[Confirmed]:
    """What takes down each row whose event is durable, in a CSV file, as deliveries are confirmed.

    Raises InvalidOptionError when the file cannot be written.
    """
    try:
        file = path.open("w", encoding="utf-8-sig", newline="")
    except OSError as error:
        raise InvalidOptionError(
            f"--sent : {path} ne peut pas être écrit ({fault(error)})."
        ) from error
    with file:
        taken = _List(file)
        try:
            yield taken
        finally:
            taken.close()


class _List:
    """Deliveries are told by the transport's thread, and some after the command has given up."""

    def __init__(self, file: TextIO) -> None:
        self._lock = threading.Lock()
        self._writer = csv.writer(file, delimiter=";")
        self._writer.writerow(HEADER)
        self._open = True

    def __call__(self, row: Ready) -> None:
        event = json.loads(row.octets)
        with self._lock:
            if self._open:
                self._writer.writerow(
                    [row.file, row.line, row.reference, event["source"], event["id"]]
                )

    def close(self) -> None:
        with self._lock:
            self._open = False
