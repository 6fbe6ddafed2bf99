"""Forms that people send, and the addresses that they come back to. Bounded, and only ours."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from fastapi import Request

from traverse_search_api.accounts.errors import RefusedFormError, UnreadableFormError

MOST_OCTETS: Final = 64 * 1024
_MOST_FIELDS: Final = 100
_FORM: Final = "application/x-www-form-urlencoded"
_LOCAL: Final = re.compile(r"/(?![/\\])[\x21-\x7e]{0,2000}", re.ASCII)

Form = Mapping[str, str]


async def read_form(request: Request) -> Form:
    """The fields of a form (the last value of a repeated one).

    Raises UnreadableFormError for what is longer than 64 KiB, or no form; RefusedFormError for
    what another site sent, as far as the browser tells (Fetch Metadata; Origin, RFC 6454).
    """
    check_same_site(request)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise UnreadableFormError
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_OCTETS:
            raise UnreadableFormError
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise UnreadableFormError from None
    # What a line break is in a form is not what it is here.
    return {name: value.replace("\r\n", "\n") for name, value in pairs}


def check_same_site(request: Request) -> None:
    """Raises RefusedFormError for what another site sent, as far as the browser tells."""
    said = request.headers.get("sec-fetch-site")
    if said is not None and said not in ("same-origin", "none"):
        raise RefusedFormError
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise RefusedFormError


def local_address(text: str | None, otherwise: str = "/") -> str:
    """An address of our own to go to, else `otherwise`: never another site, however it is written
    (`//site`, `/\\site`, `https:…`, with line breaks or spaces before)."""
    if text and _LOCAL.fullmatch(text) and not urlsplit(text).netloc:
        return text
    return otherwise
