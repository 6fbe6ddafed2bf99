"""The table of groupings: `traverse.groupings` followed live, from the first question on."""

import threading
from collections.abc import Mapping

from traverse_schemas.documents.grouping import GroupingMessage
from traverse_schemas.log.compacted_table import CompactedTable, TableAwayError
from traverse_schemas.log.compacted_topic import KafkaTableLog
from traverse_schemas.log.topics import GROUPINGS
from traverse_search_api.groupings.errors import GroupingsUnavailableError
from traverse_search_api.groupings.groupings import PATIENCE, read_row


class GroupingTable:
    """The messages of all layers. Nothing is opened before the first question."""

    def __init__(self, bootstrap: str, topic: str = GROUPINGS) -> None:
        self._table: CompactedTable[GroupingMessage] = CompactedTable(
            KafkaTableLog(bootstrap, topic), encode=_not_written_here, decode=read_row
        )
        self._starting = threading.Lock()
        self._started = False

    def rows(self, patience: float = PATIENCE) -> Mapping[str, GroupingMessage]:
        """See GroupingRows.rows."""
        with self._starting:
            if not self._started:
                self._table.start()
                self._started = True
        if not self._table.ready:
            try:
                self._table.wait(patience)
            except TableAwayError as error:
                raise GroupingsUnavailableError from error
        return self._table.rows()

    def close(self) -> None:
        """Stop following."""
        self._table.close()


def _not_written_here(_: GroupingMessage) -> bytes:
    raise NotImplementedError("the linking step writes groupings")
