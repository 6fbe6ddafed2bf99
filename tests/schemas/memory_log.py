"""A table's log in memory, as the contract suite holds it true to Kafka's."""

import threading

from traverse_schemas.log.compacted_table import Stored, TableAwayError


class MemoryTopic:
    """What several logs read and write: a topic of one partition."""

    def __init__(self) -> None:
        self.messages: list[Stored] = []
        self.changed = threading.Condition()
        self.away = False

    def write(self, key: str, value: bytes | None, write: str = "") -> None:
        with self.changed:
            if self.away:
                raise TableAwayError("Kafka (mémoire) est absent : attendez.")
            self.messages.append(Stored(len(self.messages), key, value, write))
            self.changed.notify_all()


class MemoryTableLog:
    """One reader of a MemoryTopic."""

    def __init__(self, topic: MemoryTopic) -> None:
        self._topic = topic
        self._position = 0

    @property
    def name(self) -> str:
        return "traverse.memory"

    def open(self) -> int:
        with self._topic.changed:
            if self._topic.away:
                raise TableAwayError("Kafka (mémoire) est absent : attendez.")
            self._position = 0
            return len(self._topic.messages)

    def read(self, timeout: float) -> tuple[list[Stored], int]:
        """A look is short: whoever closes a table waits for it, and tests close very many."""
        with self._topic.changed:
            self._topic.changed.wait_for(
                lambda: len(self._topic.messages) > self._position, min(timeout, 0.01)
            )
            found = self._topic.messages[self._position :]
            self._position = len(self._topic.messages)
            return found, self._position

    def append(self, key: str, value: bytes | None, write: str, timeout: float) -> None:
        self._topic.write(key, value, write)

    def last(self) -> int:
        return len(self._topic.messages)

    def close(self) -> None:
        pass

    def end(self) -> None:
        pass
