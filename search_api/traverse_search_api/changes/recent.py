"""The last changes, in memory: streams that come back after a moment do not all read the log."""

from collections import deque
from collections.abc import Sequence
from typing import Final

from traverse_search_api.changes.change_log import Change
from traverse_search_api.changes.position import Position

_KEPT: Final = 5000


class Recent:
    """The changes told since a position, the oldest of them forgotten one by one."""

    def __init__(self, kept: int = _KEPT) -> None:
        """Keeps so many changes."""
        self._kept = kept
        self._changes: deque[Change] = deque()
        self._start: Position | None = None

    def begin(self, position: Position) -> None:
        """Forget everything: what comes next lies after `position`."""
        self._changes.clear()
        self._start = position

    def add(self, changes: Sequence[Change]) -> None:
        """These were told, in the order of the log in each partition."""
        for change in changes:
            self._changes.append(change)
            if len(self._changes) > self._kept and self._start is not None:
                first = self._changes.popleft()
                self._start = self._start.after(first.partition, first.offset)

    def between(self, start: Position, end: Position) -> list[Change] | None:
        """The changes from `start` until `end`; None where they are not remembered."""
        if self._start is None or not start.reaches(self._start):
            return None
        return [
            change
            for change in self._changes
            if start.offsets[change.partition] <= change.offset < end.offsets[change.partition]
        ]
