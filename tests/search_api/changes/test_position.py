"""A position is opaque, sealed, and bound to one generation of the topic."""

from base64 import urlsafe_b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traverse_search_api.access.sealed import seal
from traverse_search_api.changes.errors import ExpiredStreamError, InvalidStreamPositionError
from traverse_search_api.changes.position import Position, decode, encode

KEY = b"secret"
OLDEST, PRESENT = Position("g1", (2, 0)), Position("g1", (9, 5))


def test_a_position_comes_back_as_it_was() -> None:
    position = Position("g1", (4, 5))
    assert decode(encode(position, KEY), KEY, PRESENT, OLDEST) == position


@given(st.text())
def test_what_this_service_did_not_seal_is_refused(text: str) -> None:
    with pytest.raises(InvalidStreamPositionError):
        decode(text, KEY, PRESENT, OLDEST)


def test_a_position_tells_nothing_of_its_offsets() -> None:
    """They count the changes of all documents, also of those that a reader may not know of."""
    few, many = (encode(Position("g1", offsets), KEY) for offsets in ((0, 0), (10**9, 10**9)))
    assert len(few) == len(many)
    raw = urlsafe_b64decode(many + "=" * (-len(many) % 4))
    assert b"g1" not in raw and (10**9).to_bytes(8, "big") not in raw


def test_what_was_sealed_for_something_else_is_refused() -> None:
    with pytest.raises(InvalidStreamPositionError):
        decode(seal(b"{}", KEY, b"cursor"), KEY, PRESENT, OLDEST)


def test_the_seal_of_another_key_is_refused() -> None:
    with pytest.raises(InvalidStreamPositionError):
        decode(encode(Position("g1", (4, 5)), b"other"), KEY, PRESENT, OLDEST)


@pytest.mark.parametrize(
    "position",
    [Position("g0", (4, 5)), Position("g1", (1, 5)), Position("g1", (4, 6)), Position("g1", (4,))],
    ids=["another generation", "before the oldest", "beyond the end", "other partitions"],
)
def test_a_position_that_the_log_does_not_hold_has_expired(position: Position) -> None:
    with pytest.raises(ExpiredStreamError) as expired:
        decode(encode(position, KEY), KEY, PRESENT, OLDEST)
    assert decode(expired.value.oldest, KEY, PRESENT, OLDEST) == OLDEST


def test_telling_a_change_never_takes_a_position_back() -> None:
    assert Position("g", (4, 5)).after(0, 1) == Position("g", (4, 5))
    assert Position("g", (4, 5)).after(1, 7) == Position("g", (4, 8))
