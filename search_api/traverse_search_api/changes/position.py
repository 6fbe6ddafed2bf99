"""Where a stream stands on `traverse.changes`, as the opaque id of each of its messages.

A position is an offset for each partition, within one generation of the topic: offsets restart when
a topic is recreated, so a position of another generation means nothing (decision 4).
"""

from struct import pack, unpack
from typing import Final, NamedTuple, Self

from traverse_search_api.access.sealed import seal, unseal
from traverse_search_api.changes.errors import ExpiredStreamError, InvalidStreamPositionError

_PURPOSE: Final = b"position"


class Position(NamedTuple):
    """The next change to tell, in each partition (its number is the index)."""

    generation: str
    offsets: tuple[int, ...]

    def after(self, partition: int, offset: int) -> Self:
        """The position once the change at that place has been told."""
        offsets = list(self.offsets)
        offsets[partition] = max(offsets[partition], offset + 1)
        return self._replace(offsets=tuple(offsets))

    def reaches(self, other: Self) -> bool:
        """Whether everything that `other` has told is told here too."""
        return all(mine >= theirs for mine, theirs in zip(self.offsets, other.offsets, strict=True))


def encode(position: Position, key: bytes) -> str:
    """The position as text (`Last-Event-ID`), sealed with the service's secret."""
    # Offsets of one width: the length of the text tells nothing of them.
    octets = b"".join(pack(">q", offset) for offset in position.offsets)
    return seal(
        bytes([len(position.offsets)]) + octets + position.generation.encode(), key, _PURPOSE
    )


def decode(text: str, key: bytes, present: Position, oldest: Position) -> Position:
    """The inverse of `encode`.

    `present` and `oldest` bound what the log still holds. Raises InvalidStreamPositionError for
    text that this service did not make, ExpiredStreamError (with `oldest`, sealed) for a position
    before the oldest change kept, or of another generation of the topic.
    """
    payload = unseal(text, key, _PURPOSE)
    if payload is None:
        raise InvalidStreamPositionError
    count, rest = payload[0], payload[1:]
    offsets = unpack(f">{count}q", rest[: 8 * count])
    generation = rest[8 * count :].decode()
    position = Position(generation, offsets)
    same = generation == present.generation and len(offsets) == len(present.offsets)
    if not same or not position.reaches(oldest) or not present.reaches(position):
        raise ExpiredStreamError(encode(oldest, key))
    return position
