"""Reads the body of a request: as a stream, within octets, seconds and a shared memory."""

import asyncio
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import ClientDisconnect, Request

from traverse_producers.gateway.errors import (
    BusyError,
    MalformedBodyError,
    SlowBodyError,
    TooLargeBodyError,
    UnsupportedContentError,
)

_GZIP = 16 + zlib.MAX_WBITS  # zlib's way to say: with gzip's own header and trailer
_STEP = 64 * 1024  # octets that are unpacked at a time


class Memory:
    """The octets that all bodies may hold at one time. For one event loop."""

    def __init__(self, octets: int) -> None:
        self._free = octets

    def take(self, octets: int) -> None:
        """Raises BusyError when there is not so much left: waiting could wait for ever, for
        everybody may hold a half."""
        if octets > self._free:
            raise BusyError
        self._free -= octets

    def give_back(self, octets: int) -> None:
        """What was taken is free again."""
        self._free += octets


class BodyReader:
    """Reads bodies of at most `octets` octets (unpacked) within `seconds`."""

    def __init__(self, memory: Memory, *, octets: int, seconds: float) -> None:
        self._memory = memory
        self._octets = octets
        self._seconds = seconds

    @contextmanager
    def room(self, most: int | None = None) -> Iterator["Body"]:
        """A place for one body (of `most` octets, where less than all may have), whose memory is
        given back at the end."""
        octets = self._octets if most is None else min(most, self._octets)
        body = Body(self._memory, octets, self._seconds)
        try:
            yield body
        finally:
            body.release()


class Body:
    """One body, while it is held."""

    def __init__(self, memory: Memory, octets: int, seconds: float) -> None:
        self._memory = memory
        self._most = octets
        self._seconds = seconds
        self._taken = 0

    async def read(self, request: Request) -> bytes:
        """The whole body, unpacked when it came in gzip.

        Raises TooLargeBodyError as soon as it is known, SlowBodyError, BusyError,
        UnsupportedContentError for another coding, MalformedBodyError for a body that breaks off.
        """
        unpack = _unpacker(request.headers.get("content-encoding"))
        length = request.headers.get("content-length", "")
        if unpack is None and length.isdigit() and int(length) > self._most:
            raise self._too_large()
        whole = bytearray()
        came = 0
        try:
            async with asyncio.timeout(self._seconds):
                async for chunk in request.stream():
                    came += len(chunk)
                    if came > self._most:  # packed octets too: they may unpack to nothing
                        raise self._too_large()
                    for piece in (chunk,) if unpack is None or not chunk else unpack.feed(chunk):
                        self._keep(whole, piece)
        except TimeoutError:
            raise SlowBodyError(self._seconds) from None
        except ClientDisconnect:
            raise MalformedBodyError("L'envoi s'est interrompu avant la fin.") from None
        if unpack is not None and not unpack.ended:
            raise MalformedBodyError("Le corps en gzip n'est pas complet : envoyez-le de nouveau.")
        return bytes(whole)

    def release(self) -> None:
        """Give the memory back."""
        self._memory.give_back(self._taken)
        self._taken = 0

    def _keep(self, whole: bytearray, piece: bytes) -> None:
        if len(whole) + len(piece) > self._most:
            raise self._too_large()
        self._memory.take(len(piece))
        self._taken += len(piece)
        whole += piece

    def _too_large(self) -> TooLargeBodyError:
        return TooLargeBodyError(
            f"Le corps fait plus de {self._most // 1024} Kio : envoyez les événements en lots plus "
            "petits, et donnez les pièces par leur adresse. Rien de cet envoi n'a été retenu."
        )


class _Gunzip:
    """Unpacks gzip step by step: a small body that unpacks to a huge one is stopped on the way."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(_GZIP)
        self.ended = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        left = chunk
        while True:
            if self.ended:  # gzip allows several members, one after the other
                self._inflate, self.ended = zlib.decompressobj(_GZIP), False
            try:
                piece = self._inflate.decompress(left, _STEP)
            except zlib.error:
                raise MalformedBodyError(
                    "Le corps est annoncé en gzip (Content-Encoding) et n'en est pas."
                ) from None
            self.ended = self._inflate.eof
            left = self._inflate.unused_data if self.ended else self._inflate.unconsumed_tail
            yield piece
            # A full step may leave more inside, even when all that came is consumed.
            if not left and (self.ended or len(piece) < _STEP):
                return


def _unpacker(coding: str | None) -> _Gunzip | None:
    words = [word.strip().lower() for word in (coding or "").split(",") if word.strip()]
    if not words or words == ["identity"]:
        return None
    if words in (["gzip"], ["x-gzip"]):
        return _Gunzip()
    raise UnsupportedContentError(
        f"Le codage « {(coding or '')[:40]} » n'est pas reconnu : envoyez le corps tel quel, ou en "
        "gzip."
    )
