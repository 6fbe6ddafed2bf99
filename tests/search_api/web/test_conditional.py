"""A feed that says nothing new costs its reader nothing."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from fastapi import Request, Response

from tests.search_api.exports.test_formats import ITEMS, NOW, exported
from traverse_search_api.exports.formats import FEED_FORMS, Form
from traverse_search_api.web.conditional import if_changed


async def pieces() -> AsyncIterator[bytes]:
    yield b"<rss>"
    yield b"</rss>"


def answered(known: str = "") -> Response:
    headers = [(b"if-none-match", known.encode())] if known else []
    request = Request({"type": "http", "headers": headers})
    return asyncio.run(if_changed(request, pieces(), "application/rss+xml", {"X-Own": "1"}))


def test_who_has_it_already_is_told_so_and_no_more() -> None:
    """RFC 9110, 13.1.2 and 15.4.5: compared weakly, one of several or any; the headers stay."""
    whole = answered()
    tag = whole.headers["etag"]
    assert (whole.status_code, whole.body) == (200, b"<rss></rss>")
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = answered(known)
        assert (again.status_code, again.body) == (304, b"")
        assert (again.headers["etag"], again.headers["x-own"]) == (tag, "1")
    assert answered('"other"').status_code == 200


@pytest.mark.parametrize("form", [*FEED_FORMS, Form.ICS])
def test_a_file_that_says_the_same_is_the_same_octet_by_octet(
    form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever it is asked for: its dates are those of what it holds."""
    first = exported(form, ITEMS)
    monkeypatch.setattr(
        "tests.search_api.exports.test_formats.NOW", NOW + timedelta(days=1, hours=3)
    )
    assert exported(form, ITEMS) == first
