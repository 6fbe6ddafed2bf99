"""Where the time of a request goes: what Elasticsearch takes of it, and how long it is waited for.

Whoever wants to know opens `spending`; every question that is put to Elasticsearch within it adds
to it, however deep it lies and in whichever task.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from time import perf_counter


@dataclass(slots=True)
class Spent:
    """`engine`: milliseconds that Elasticsearch says it took (`took`); `waited`: seconds from its
    questions to its answers, the line before them and HTTP included. Questions that are put at
    once each count."""

    engine: int = 0
    waited: float = 0.0
    begun: float = 0.0

    def header(self) -> str:
        """As `Server-Timing` tells it (W3C Server Timing), in milliseconds: `engine`, `wait`, and
        `total` from the beginning until now."""
        total = (perf_counter() - self.begun) * 1000
        return f"engine;dur={self.engine}, wait;dur={self.waited * 1000:.1f}, total;dur={total:.1f}"


_SPENT: ContextVar[Spent | None] = ContextVar("spent", default=None)


@contextmanager
def spending() -> Iterator[Spent]:
    """What the block spends."""
    spent = Spent(begun=perf_counter())
    token = _SPENT.set(spent)
    try:
        yield spent
    finally:
        _SPENT.reset(token)


def spend(took: int, waited: float) -> None:
    """Adds one answer of Elasticsearch to what is being counted, if anything is."""
    spent = _SPENT.get()
    if spent is not None:
        spent.engine += took
        spent.waited += waited
