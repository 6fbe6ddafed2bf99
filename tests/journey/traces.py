"""The traces of a journey, looked up as the gateway and the command line do."""

from tests.journey.harness import Journey
from traverse_producers.receipts.follow import Follower
from traverse_producers.receipts.trace import Trace, joined


class Traces:
    """Brought up with the log once, when made."""

    def __init__(self, journey: Journey) -> None:
        follower = Follower(journey.kafka, journey.home)
        follower.catch_up()
        self._store = follower.store()

    def of(self, source: str, event_id: str) -> Trace | None:
        return joined(source, event_id, self._store.said_of(source, event_id))

    def end(self, source: str, event_id: str) -> str | None:
        trace = self.of(source, event_id)
        return None if trace is None else str(trace.end)
