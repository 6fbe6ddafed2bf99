"""The book: the features of every record that says something, and who may be the same as whom.

A cache in memory, a function of the set of records: rebuilt from `traverse.records`, never the
only copy. Other kinds of links keep blocks of their own beside it (`Blocks`), by the same numbers.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from traverse_stream_processors.linking.blocking import Blocking, Ladder
from traverse_stream_processors.linking.blocks import CROWDED, Blocks
from traverse_stream_processors.linking.features import Features


class Placed(NamedTuple):
    """What knowing a record comes to: `candidates` may be the same as it; the candidates of
    `disturbed` may have changed beyond this one record, since keys became crowded or free."""

    candidates: Sequence[Features]
    disturbed: Sequence[Features]


class Book:
    """Features by record id, and blocks of those that may be the same.

    A record has a number here, for as long as the process lives: compact, and of no meaning
    outside (it depends on arrival).
    """

    def __init__(self, crowded: int = CROWDED) -> None:
        self._blocking = Blocking()
        self._numbers: dict[str, int] = {}
        self._features: list[Features | None] = []
        self._blocks = Blocks(self._ladders_of, crowded)

    def __len__(self) -> int:
        """How many records there are that say something."""
        return len(self._numbers)

    def __contains__(self, identity: str) -> bool:
        return identity in self._numbers

    def __iter__(self) -> Iterator[Features]:
        return (features for features in self._features if features is not None)

    def get(self, identity: str) -> Features | None:
        """The features of a record by its id."""
        number = self._numbers.get(identity)
        return None if number is None else self._features[number]

    def at_id(self, identity: str) -> Features:
        """The features of a record that is known. Raises KeyError."""
        return self.at(self._numbers[identity])

    def number(self, identity: str) -> int | None:
        """The number of a record here."""
        return self._numbers.get(identity)

    def at(self, number: int) -> Features:
        """The features of a record by its number."""
        features = self._features[number]
        if features is None:
            raise KeyError(number)
        return features

    def put(self, identity: str, features: Features | None) -> Placed:
        """Know a record by these features; None: it says nothing any more."""
        number = self._numbers.get(identity)
        known = None if number is None else self._features[number]
        before = [] if known is None else self._blocking.ladders(known)
        after = [] if features is None else self._blocking.ladders(features)
        if number is None:
            if features is None:
                return Placed((), ())
            number = self._numbers[identity] = len(self._features)
            self._features.append(None)
        # A ladder with the same first key may be refined by something else: it is climbed anew.
        gone = [ladder for ladder in before if ladder not in after]
        new = [ladder for ladder in after if ladder not in before]
        disturbed = self._blocks.remove(number, gone)
        self._features[number] = features
        disturbed |= self._blocks.add(number, new)
        if features is None:
            del self._numbers[identity]
        return Placed(
            [self.at(one) for one in self._blocks.candidates(number, after)],
            [found for one in disturbed if (found := self._features[one]) is not None],
        )

    def candidates(self, features: Features) -> list[Features]:
        """The other records that may be the same as this one, in no order."""
        number = self._numbers.get(features.id, -1)
        ladders = self._blocking.ladders(features)
        return [self.at(one) for one in self._blocks.candidates(number, ladders)]

    def _ladders_of(self, number: int) -> list[Ladder]:
        features = self._features[number]
        return [] if features is None else self._blocking.ladders(features)
