"""What reading a file gives, row by row: an event, a refusal, or a row that may be left out."""

from typing import NamedTuple, TypeAlias

Line: TypeAlias = int | str
"""The number of a row in its file (from 1), or the name of a notice in a package of notices."""


class Ready(NamedTuple):
    """A row that gives an event: `octets` is a CloudEvent in structured mode, not yet checked."""

    file: str
    line: Line
    reference: str | None
    octets: bytes


class Refused(NamedTuple):
    """One thing that is wrong with a row: its JSON pointer ("" for the whole), one sentence."""

    file: str
    line: Line
    reference: str | None
    pointer: str
    sentence: str


class LeftOut(NamedTuple):
    """A row that says again what another said: nothing is lost without it."""

    file: str
    line: Line
    reference: str | None
    sentence: str


Row: TypeAlias = Ready | Refused | LeftOut
