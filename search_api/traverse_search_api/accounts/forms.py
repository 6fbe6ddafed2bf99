"""Forms that people send, and the addresses that they come back to. Bounded, and only ours."""

import re
from collections.abc import AsyncGenerator, Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from traverse_search_api.accounts.errors import RefusedFormError, UnreadableFormError

MOST_OCTETS: Final = 64 * 1024
_MOST_FIELDS: Final = 100
_DRAINED: Final = 16 * 1024 * 1024
_FORM: Final = "application/x-www-form-urlencoded"
_UPLOAD: Final = "multipart/form-data"
_LOCAL: Final = re.compile(r"/(?![/\\])[\x21-\x7e]{0,2000}", re.ASCII)

Form = Mapping[str, str]


async def read_form(request: Request) -> Form:
    """The fields of a form (the last value of a repeated one).

    Raises UnreadableFormError for what is longer than 64 KiB, or no form; RefusedFormError for
    what another site sent, as far as the browser tells (Fetch Metadata; Origin, RFC 6454).
    """
    check_same_site(request)
    body = await read_octets(request, MOST_OCTETS)
    if body is None or _kind(request) != _FORM:
        raise UnreadableFormError
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise UnreadableFormError from None
    # What a line break is in a form is not what it is here.
    return {name: value.replace("\r\n", "\n") for name, value in pairs}


async def read_upload(request: Request, most: int) -> tuple[Form, bytes | None]:
    """The fields of a form with a file, and the file's octets; None for more than `most`. Raises
    as `read_form` does; without the form's fields nobody can tell whose a much longer one is."""
    check_same_site(request)
    body = await read_octets(request, most + MOST_OCTETS)
    if body is None or _kind(request) != _UPLOAD:
        raise UnreadableFormError

    async def whole() -> AsyncGenerator[bytes, None]:
        yield body

    parser = MultiPartParser(request.headers, whole(), max_files=1, max_fields=_MOST_FIELDS)
    try:
        form = await parser.parse()
    except (MultiPartException, UnicodeDecodeError, LookupError):
        raise UnreadableFormError from None
    fields, octets = {}, b""
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            octets = await value.read()
        else:
            fields[name] = value
    await form.close()
    return fields, octets if len(octets) <= most else None


async def read_octets(request: Request, most: int) -> bytes | None:
    """The body of a request; None for more than `most` octets. A body that is too long is read all
    the same, up to 16 MiB, and forgotten: a browser that is answered while it still sends shows
    no answer."""
    body, count = bytearray(), 0
    async for chunk in request.stream():
        count += len(chunk)
        if count <= most:
            body += chunk
        elif count > _DRAINED:
            break
    return bytes(body) if count <= most else None


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def check_same_site(request: Request) -> None:
    """Raises RefusedFormError for what another site sent, as far as the browser tells."""
    said = request.headers.get("sec-fetch-site")
    if said is not None and said not in ("same-origin", "none"):
        raise RefusedFormError
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise RefusedFormError


def sign_in_address(back: str) -> str:
    """Where one signs in, to come back to an address of our own."""
    return f"/connexion?{urlencode({'vers': back})}"


def local_address(text: str | None, otherwise: str = "/") -> str:
    """An address of our own to go to, else `otherwise`: never another site, however it is written
    (`//site`, `/\\site`, `https:…`, with line breaks or spaces before)."""
    if text and _LOCAL.fullmatch(text) and not urlsplit(text).netloc:
        return text
    return otherwise
