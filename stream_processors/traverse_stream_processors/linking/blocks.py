"""Blocks: which records stand under which key, and how those that are too many are told apart.

Records are numbers here. The candidates of a record are a function of the set of records: a key
that holds more than the limit is not read any more, the finer keys of its ladder are, whoever came
first.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from traverse_stream_processors.linking.blocking import Ladder, finer

CROWDED: Final = 40
"""More records than this under one key, and the next refinement is used."""


class Blocks:
    """Members by key. `ladders_of` gives the ladders of a record by its number."""

    def __init__(
        self, ladders_of: Callable[[int], Sequence[Ladder]], crowded: int = CROWDED
    ) -> None:
        self._ladders_of = ladders_of
        self._crowded = crowded
        # Most keys have one member, hardly any many: a number, a tuple, and a set where crowded.
        self._members: dict[int, int | tuple[int, ...] | set[int]] = {}

    def __len__(self) -> int:
        """How many keys there are."""
        return len(self._members)

    def add(self, number: int, ladders: Iterable[Ladder]) -> set[int]:
        """Put a record under its keys; gives those whose candidates may have changed beyond this
        record: all under a key that has just become crowded."""
        disturbed: set[int] = set()
        for ladder in ladders:
            self._add(number, ladder.key, ladder.refinements, disturbed)
        disturbed.discard(number)
        return disturbed

    def remove(self, number: int, ladders: Iterable[Ladder]) -> set[int]:
        """Take a record away; gives those whose candidates may have changed beyond this record:
        all under a key that is crowded no more."""
        disturbed: set[int] = set()
        for ladder in ladders:
            for key, _ in _steps(ladder):
                if not self._remove(number, key, disturbed):
                    break
        disturbed.discard(number)
        return disturbed

    def candidates(self, number: int, ladders: Iterable[Ladder]) -> set[int]:
        """The other records that share a key with this one, crowded keys refined."""
        found: set[int] = set()
        for ladder in ladders:
            members = self._members.get(ladder.key)
            if isinstance(members, set):
                for key, _ in _steps(ladder):
                    members = self._members.get(key)
                    if not isinstance(members, set):
                        break
                else:
                    continue
            if isinstance(members, int):
                found.add(members)
            elif members is not None:
                found.update(members)
        found.discard(number)
        return found

    def _add(
        self, number: int, key: int, refinements: tuple[object, ...], disturbed: set[int]
    ) -> None:
        members = self._members.get(key)
        if members is None:
            self._members[key] = number
        elif isinstance(members, int):
            if members != number:
                self._members[key] = (members, number)
        elif isinstance(members, set):
            if number not in members:
                members.add(number)
                if refinements:
                    self._add(number, finer(key, refinements[0]), refinements[1:], disturbed)
        elif number not in members:
            if len(members) < self._crowded:
                self._members[key] = (*members, number)
                return
            # Just crowded: all of them go one step down.
            crowd = self._members[key] = {*members, number}
            disturbed |= crowd
            for member in crowd:
                below = refinements if member == number else self._below(member, key)
                if below:
                    self._add(member, finer(key, below[0]), below[1:], disturbed)

    def _remove(self, number: int, key: int, disturbed: set[int]) -> bool:
        """Whether it stood there. A finer key keeps its members when the one above is crowded no
        more: it is not read then, and complete again when that one is crowded again."""
        members = self._members.get(key)
        if members is None or members == number:
            return self._members.pop(key, None) is not None
        if isinstance(members, int) or number not in members:
            return False
        if isinstance(members, set):
            members.discard(number)
            if len(members) > self._crowded:
                return True
            disturbed |= members
        left = tuple(one for one in members if one != number)
        self._members[key] = left if len(left) > 1 else left[0]
        return True

    def _below(self, number: int, key: int) -> tuple[object, ...]:
        for ladder in self._ladders_of(number):
            for step, refinements in _steps(ladder):
                if step == key:
                    return refinements
        return ()


def _steps(ladder: Ladder) -> Iterator[tuple[int, tuple[object, ...]]]:
    """The keys of a ladder from the first to the finest, each with the refinements below it."""
    key, refinements = ladder
    yield key, refinements
    while refinements:
        key, refinements = finer(key, refinements[0]), refinements[1:]
        yield key, refinements
