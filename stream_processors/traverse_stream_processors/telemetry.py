"""The log lines and the progress of the stream processors, in one place."""

import logging
import time

logger = logging.getLogger("traverse.work")


class Progress:
    """When the step last moved, to see one that stands still without an error.

    A consumer can stop fetching silently. A batch in hand is not standing still: waiting for an
    engine that is away may last, and says so in the log.
    """

    def __init__(self, stall_after: float) -> None:
        self._stall_after = stall_after
        self._moved = time.monotonic()
        self._in_hand = 0
        self.handled = 0

    def begin(self) -> None:
        """A batch is taken in hand."""
        self._in_hand += 1

    def end(self, size: int) -> None:
        """A batch of this size is done."""
        self._in_hand -= 1
        self.handled += size
        self._moved = time.monotonic()

    def stalled(self, waiting: int) -> bool:
        """Whether `waiting` messages have seen no progress for too long."""
        if waiting <= 0 or self._in_hand:
            self._moved = time.monotonic()
            return False
        return time.monotonic() - self._moved > self._stall_after
