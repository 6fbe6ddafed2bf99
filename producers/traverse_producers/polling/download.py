"""Downloads a listing whole before any of it is read, and asks only for what changed.

What stops before its end never looks whole: fewer octets than announced, a chunk cut off, an error
of the server. An answer that does not announce its end is read, and not taken for complete.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from tempfile import TemporaryFile
from typing import BinaryIO, NamedTuple, cast

import httpx

from traverse_producers.errors import UnreadableInputError
from traverse_producers.files.input_streams import TIMEOUT, check_coding, mapped
from traverse_producers.polling.position import Validators

_CHUNK = 64 * 1024
LARGEST = 4 << 30


class Download(NamedTuple):
    """The octets, from their beginning; whether their end is known to be the listing's end."""

    stream: BinaryIO
    validators: Validators
    whole: bool


@contextmanager
def download(
    address: str, known: Validators, *, largest: int = LARGEST
) -> Iterator[Download | None]:
    """The listing in a temporary file; None when it has not changed since `known` was given.

    Raises UnreadableInputError.
    """
    headers = {"Accept-Encoding": "gzip"}
    if known.etag:
        headers["If-None-Match"] = known.etag
    if known.modified:
        headers["If-Modified-Since"] = known.modified
    with TemporaryFile() as file:
        answer = _answer(address, headers, cast(BinaryIO, file), largest)
        if answer is None:
            yield None
            return
        file.seek(0)
        yield Download(cast(BinaryIO, file), *answer)


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """httpx's own certificates, read once for all listings."""
    return httpx.create_ssl_context()


def _answer(
    address: str, headers: dict[str, str], file: BinaryIO, largest: int
) -> tuple[Validators, bool] | None:
    size = 0
    with (
        mapped(address),
        httpx.Client(timeout=TIMEOUT, follow_redirects=True, verify=_trust()) as client,
        client.stream("GET", address, headers=headers) as answer,
    ):
        if answer.status_code == httpx.codes.NOT_MODIFIED:
            return None
        if answer.status_code != httpx.codes.OK:
            raise UnreadableInputError(
                f"L'adresse {address} répond {answer.status_code} : rien n'est publié ni retiré ; "
                "réessayez plus tard, ou vérifiez-la dans un navigateur."
            )
        check_coding(answer, address)
        for chunk in answer.iter_bytes(_CHUNK):
            size += len(chunk)
            if size > largest:
                raise UnreadableInputError(
                    f"L'adresse {address} donne plus de {largest >> 20} Mio : découpez la liste."
                )
            file.write(chunk)
        announced = "content-length" in answer.headers or (
            "chunked" in answer.headers.get("transfer-encoding", "").lower()
        )
        validators = Validators(answer.headers.get("etag"), answer.headers.get("last-modified"))
        return validators, announced
