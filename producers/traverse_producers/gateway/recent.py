"""What the gateway accepted lately: so that a repeated event is answered as the duplicate it is.

Best effort: what is forgotten, or went by another gateway, is for the log to decide.
"""

from collections import OrderedDict


class Recent:
    """The content hashes of the last accepted events, by (source, id). Bounded."""

    def __init__(self, most: int = 100_000) -> None:
        self._most = most
        self._hashes: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    def holds(self, source: str, event_id: str, content: bytes) -> bool:
        """Whether this very event was accepted."""
        return self._hashes.get((source, event_id)) == content

    def add(self, source: str, event_id: str, content: bytes) -> bool:
        """The event was accepted; whether this very one had been before."""
        key = (source, event_id)
        before = self._hashes.pop(key, None)
        self._hashes[key] = content
        if len(self._hashes) > self._most:
            self._hashes.popitem(last=False)
        return before == content
