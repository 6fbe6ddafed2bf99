"""The items of a batch, cut with care or at once: the same octets either way."""

import json
import tracemalloc

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from traverse_producers.gateway.errors import TooLargeBodyError
from traverse_producers.gateway.http_binding import Mode, Piece, _compact, _items, pieces_of

TEXTS = st.text(max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=4)


@given(st.lists(OBJECTS, max_size=5), st.sampled_from([(",", ":"), (", ", ": ")]), st.booleans())
@example([{"a": {}}, {"a": "]},{"}], (",", ":"), False)
@example([{"é": "\u2028"}], (",", ":"), True)
def test_a_batch_is_cut_at_once_only_where_the_octets_are_the_same(
    objects: list[dict[str, object]], separators: tuple[str, str], ascii_only: bool
) -> None:
    body = json.dumps(objects, separators=separators, ensure_ascii=ascii_only).encode(
        errors="surrogatepass"
    )
    fast = _compact(body, 10)
    if fast is not None:
        assert [piece.octets for piece in fast] == list(_items(body))
        assert [piece.raw for piece in fast] == [orjson.loads(piece.octets) for piece in fast]


def test_what_programs_write_is_cut_at_once() -> None:
    objects: list[dict[str, object]] = [
        {"id": str(number), "data": {"a": [1.5, None, "é"]}} for number in range(3)
    ]
    fast = _compact(orjson.dumps(objects), 10)
    assert fast == [Piece(orjson.dumps(one), raw=one) for one in objects]


def test_whatever_else_is_left_to_the_careful_way() -> None:
    """Octets travel as they came: what would be written otherwise is not what was signed."""
    for body in (
        b'[{"a":1} ,{"b":2}]',
        b'[ {"a":1}]',
        b'[{"a":1}] ',
        b'[{"a":1,"a":1}]',
        b'[{"a":1.0e0}]',
        b'[{"a":"\\u00e9"}]',
        b"[1,2]",
        b"[]",
        b'{"a":1}',
        b'[{"a":' + b"[" * 500 + b"]" * 500 + b"}]",
    ):
        assert _compact(body, 10) is None, body
    assert pieces_of(Mode.BATCH, [], b'[ {"a":1.0e0} ]', 10) == [Piece(b'{"a":1.0e0}')]


def refused_within(body: bytes, octets: int) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeBodyError):
            pieces_of(Mode.BATCH, [], body, 1000)
        assert tracemalloc.get_traced_memory()[1] < octets
    finally:
        tracemalloc.stop()


def test_a_body_of_nothing_but_items_takes_no_more_memory_than_itself() -> None:
    """Four mebibytes of it, as any key may send in a few kibibytes of gzip."""
    room = 12 * 1024 * 1024
    for unit in (b"{}", b'{"":0}'):
        many = b",".join([unit] * (4 * 1024 * 1024 // (len(unit) + 1)))
        refused_within(b"[%s]" % many, room)
        refused_within(b"[[%s]]" % many, 3 * room)
        refused_within(b"[%s]" % many[: 90_000 * (len(unit) + 1) - 1], 3 * room)


def test_a_dense_batch_keeps_its_items() -> None:
    item = b'{"a":[%s]}' % b",".join([b"1"] * 100_000)
    assert [each.octets for each in pieces_of(Mode.BATCH, [], b"[%s,%s]" % (item, item), 2)] == [
        item,
        item,
    ]
    with pytest.raises(TooLargeBodyError, match="512 Kio"):
        pieces_of(Mode.BATCH, [], b"[%s,%s]" % (item, item.replace(b"1", b"1234567")), 2)
