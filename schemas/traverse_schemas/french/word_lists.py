"""Word lists: plain files that people keep, a line `left => right` each, `#` for comments."""

from collections.abc import Iterator
from typing import NamedTuple


class Line(NamedTuple):
    """What stands on both sides of the arrow, if there is one; `number` counts from 1."""

    number: int
    left: str
    arrow: str
    right: str


def lines_of(text: str) -> Iterator[Line]:
    """The lines of a file; comments and blank lines are passed over. Refuses nothing."""
    for number, line in enumerate(text.splitlines(), start=1):
        content = line.strip()
        if content and not content.startswith("#"):
            yield Line(number, *content.partition("=>"))


def words_of(side: str) -> tuple[str, ...]:
    """What commas part on one side, without empty ones; spaces within are single."""
    return tuple(" ".join(word.split()) for word in side.split(",") if word.strip())
