"""A stream as an HTTP answer: written message by message, until its reader goes or stands still."""

from collections.abc import AsyncIterator

from traverse_search_api.stream.message import HEARTBEAT, Form, Message, Refused
from traverse_search_api.web.patient_answer import PatientAnswer


class StreamAnswer(PatientAnswer):
    """The messages of `Hub.open`."""

    def __init__(self, told: AsyncIterator[Message | Refused | None], form: Form) -> None:
        """Takes over the stream: it is ended here, however the answer ends."""
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        super().__init__(told, form, headers)
        self._told = told
        self._form = form

    def octets(self, piece: Message | Refused | None) -> bytes:
        """A message, or a sign of life."""
        return piece.octets(self._form) if piece else HEARTBEAT[self._form]

    async def end(self) -> None:
        """Ends the stream, which gives its place back."""
        close = getattr(self._told, "aclose", None)
        if close is not None:
            await close()
