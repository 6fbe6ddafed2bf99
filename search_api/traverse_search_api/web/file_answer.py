"""A file as an HTTP answer: piece by piece, for as long as its reader takes them."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import Final

from traverse_search_api.web.patient_answer import PatientAnswer

_PIECE: Final = 64 * 1024
"""Octets of which a reader takes a piece in time (`patient_answer`), or is given up: 2 KiB/s."""

_LONGEST: Final = 3600.0
"""Seconds of a whole file. At that pace one of a gigabyte would hold its point in time, and the
segments of the index that it is of, for a week."""


class FileAnswer(PatientAnswer):
    """A file in pieces. What fails midway leaves it unfinished, which its reader sees."""

    def __init__(
        self,
        pieces: AsyncGenerator[bytes, None],
        media_type: str,
        headers: Mapping[str, str],
        held: AsyncExitStack,
    ) -> None:
        """Takes over the pieces and what is `held` for them, to be given back at the end."""
        super().__init__(_cut(pieces), media_type, headers, _LONGEST)
        held.push_async_callback(pieces.aclose)
        self._held = held

    def octets(self, piece: bytes) -> bytes:
        """As it is."""
        return piece

    async def end(self) -> None:
        """Gives back the place and the point in time."""
        await self._held.aclose()


async def _cut(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for piece in pieces:
        for start in range(0, len(piece), _PIECE):
            yield piece[start : start + _PIECE]
