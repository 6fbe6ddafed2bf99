"""A short file that is asked for again and again: told once, then 304 (RFC 9110, 13)."""

from collections.abc import AsyncIterator, Mapping
from hashlib import sha256
from typing import Final

from fastapi import Request, Response

_LONG: Final = 32


async def if_changed(
    request: Request, pieces: AsyncIterator[bytes], media_type: str, headers: Mapping[str, str]
) -> Response:
    """The whole of it with its `ETag`; 304 without content to who has the same already."""
    content = b"".join([piece async for piece in pieces])
    tag = f'"{sha256(content).hexdigest()[:_LONG]}"'
    asked = request.headers.get("if-none-match", "").split(",")
    known = {each.strip().removeprefix("W/") for each in asked}  # compared weakly (13.1.2)
    told = {**headers, "ETag": tag}
    if known & {tag, "*"}:
        return Response(status_code=304, headers=told)
    return Response(content, headers=told, media_type=media_type)
