"""A cursor comes back as it went, and only to the search that it belongs to."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traverse_search_api.access.reader import ANYBODY, Reader
from traverse_search_api.access.sealed import seal
from traverse_search_api.errors import InvalidCursorError
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.query.cursor import Cursor, decode, encode, fingerprint
from traverse_search_api.query.paging import next_page

KEY = b"a key of the tests"
PARAMETERS = SearchParameters(q="école")


def cursor(**changes: object) -> Cursor:
    values: dict[str, object] = {
        "snapshot": "pit",
        "asked": 1_773_309_600.25,
        "shown": ("a", "b"),
        "after": (1.5, "b"),
        "total": 12,
        "exact": True,
        "as_of": "2026-03-12T10:00:00.000999+00:00",
        "search": fingerprint(PARAMETERS, ANYBODY),
        "text": "école",
    }
    return Cursor(**(values | changes))  # type: ignore[arg-type]


@given(
    st.one_of(st.none(), st.tuples(st.one_of(st.floats(allow_nan=False), st.integers()), st.text()))
)
def test_a_cursor_survives_the_journey(after: tuple[object, ...] | None) -> None:
    """Sort values of every type come back as they were, or pages would drift."""
    made = cursor(after=after)
    assert decode(encode(made, KEY), PARAMETERS, ANYBODY, KEY) == made


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_a_cursor_with_any_octet_changed_is_refused(position: int, flip: int) -> None:
    """It names a snapshot of the index: nobody may write another into it."""
    text = encode(cursor(), KEY)
    raw = bytearray(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    raw[position % len(raw)] ^= flip
    with pytest.raises(InvalidCursorError):
        decode(urlsafe_b64encode(bytes(raw)).decode(), PARAMETERS, ANYBODY, KEY)


@given(st.text(max_size=200))
def test_any_other_text_is_refused(text: str) -> None:
    """Garbage is a refusal, never a failure."""
    with pytest.raises(InvalidCursorError):
        decode(text, PARAMETERS, ANYBODY, KEY)


def test_a_cursor_of_another_search_reader_or_service_is_refused() -> None:
    """Its position means nothing there."""
    text = encode(cursor(), KEY)
    with pytest.raises(InvalidCursorError, match="autre recherche"):
        decode(text, SearchParameters(q="mairie"), ANYBODY, KEY)
    with pytest.raises(InvalidCursorError, match="autre recherche"):
        decode(text, PARAMETERS, Reader("211300553"), KEY)
    with pytest.raises(InvalidCursorError):
        decode(text, PARAMETERS, ANYBODY, b"another key")


def test_a_cursor_of_an_earlier_version_is_refused() -> None:
    """The key may outlive the form."""
    payload = json.dumps({"snapshot": "pit", "shown": [], "after": None}).encode()
    with pytest.raises(InvalidCursorError):
        decode(seal(payload, KEY, b"cursor"), PARAMETERS, ANYBODY, KEY)


def test_what_a_page_shows_may_change_between_pages() -> None:
    """It does not move the place in the order."""
    assert fingerprint(PARAMETERS, ANYBODY) == fingerprint(
        SearchParameters(q="école", size=5, facets=(), explain=True, cursor="x"), ANYBODY
    )


def test_the_second_page_begins_at_the_top_without_what_was_shown() -> None:
    """Scores of the live index are not those of the snapshot: they cannot say where to begin."""
    choice = {"bool": {"filter": [{"terms": {"kind": ["call"]}}]}}
    first = cursor(after=None, snapshot=None)
    page = next_page({"query": {}, "post_filter": choice}, first, "pit", "5m")
    assert "search_after" not in page
    assert page["track_total_hits"]
    assert page["pit"] == {"id": "pit", "keep_alive": "5m"}
    assert page["post_filter"] == {
        "bool": {"must_not": [{"terms": {"id": ["a", "b"]}}], "filter": [choice]}
    }


def test_later_pages_go_on_after_the_last_hit() -> None:
    """Within one snapshot the order does not move."""
    page = next_page({"query": {}}, cursor(), "pit", "5m")
    assert page["search_after"] == [1.5, "b"]
    assert page["track_total_hits"] is False
