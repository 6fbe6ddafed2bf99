"""A table of the log, read whole for one command."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from traverse_schemas.log.compacted_table import CompactedTable
from traverse_schemas.log.compacted_table import logger as table_log

_PATIENCE = 20.0

Table = TypeVar("Table", bound=CompactedTable[Any])


@contextmanager
def read_whole(table: Table) -> Iterator[Table]:
    """The table, opened, once all that its topic holds is in it. What goes wrong is raised (see
    CompactedTable) and not told by the log too, as it is to who lets a service run.

    Raises TableAwayError.
    """
    table_log.addFilter(_worse_than_a_warning)
    try:
        with table:
            table.wait(_PATIENCE)
            yield table
    finally:
        table_log.removeFilter(_worse_than_a_warning)


def _worse_than_a_warning(record: logging.LogRecord) -> bool:
    return record.levelno > logging.WARNING
