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
    """`engine`: milliseconds that Elasticsearch says it took (`took`), of questions that were put
    at once the longest; `waited`: seconds in which an answer was waited for, the line before
    Elasticsearch and HTTP included."""

    engine: int = 0
    waited: float = 0.0
    begun: float = 0.0
    _asking: int = 0
    _since: float = 0.0
    _longest: int = 0

    def header(self) -> str:
        """As `Server-Timing` tells it (W3C Server Timing), in milliseconds: `engine`, `wait`, and
        `total` from the beginning until now."""
        total = (perf_counter() - self.begun) * 1000
        return f"engine;dur={self.engine}, wait;dur={self.waited * 1000:.1f}, total;dur={total:.1f}"

    def ask(self) -> None:
        """A question is put."""
        if not self._asking:
            self._since = perf_counter()
        self._asking += 1

    def answered(self, took: int) -> None:
        """A question has its answer, or will have none."""
        self._asking -= 1
        self._longest = max(self._longest, took)
        if not self._asking:
            self.waited += perf_counter() - self._since
            self.engine += self._longest
            self._longest = 0


@dataclass(slots=True)
class Question:
    """One question: `took` is what its answer says, 0 until there is one."""

    took: int = 0


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


@contextmanager
def asking() -> Iterator[Question]:
    """The block waits for one answer of Elasticsearch: adds to what is being counted, if anything
    is."""
    spent, question = _SPENT.get(), Question()
    if spent is None:
        yield question
        return
    spent.ask()
    try:
        yield question
    finally:
        spent.answered(question.took)
