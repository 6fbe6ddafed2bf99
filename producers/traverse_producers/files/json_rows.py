"""Reads files of events: one CloudEvent in JSON, NDJSON, or a batch (a JSON array). Streaming."""

import json
from collections.abc import Iterator
from io import BufferedReader
from typing import BinaryIO, cast

from traverse_producers.errors import EventTooLargeError
from traverse_producers.files.json_pieces import Fault, Piece, pieces_of_lines, pieces_of_text
from traverse_producers.files.rows import Ready, Refused, Row
from traverse_schemas.errors import InvalidSourceError
from traverse_schemas.signing.sources import parse_source

_SENTENCES = {
    Fault.NO_OBJECT: "Ce n'est pas un objet JSON : un événement est entre accolades.",
    Fault.UNFINISHED: (
        "L'événement qui commence ici n'est pas terminé à la fin du fichier : vérifiez ses "
        "accolades et ses guillemets."
    ),
}


def read_json(
    stream: BinaryIO, name: str, *, by_line: bool, institution: str | None
) -> Iterator[Row]:
    """The events of a file, as they are written in it.

    `by_line` reads NDJSON, else a JSON text. `institution` (a SIREN) refuses the events of others.
    """
    pieces = pieces_of_lines(stream) if by_line else pieces_of_text(stream)
    empty = True
    for piece in pieces:
        empty = False
        yield _row(piece, name, institution)
    if empty:
        sentence = "Le fichier ne contient aucun événement : vérifiez qu'il s'agit du bon fichier."
        yield Refused(name, 1, None, "", sentence)


def is_by_line(stream: BinaryIO) -> bool:
    """Whether the first line is an object by itself: then the file is NDJSON."""
    head = cast(BufferedReader, stream).peek(1).lstrip()
    first, newline, _ = head.partition(b"\n")
    if not newline:
        return False
    try:
        return isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def _row(piece: Piece, name: str, institution: str | None) -> Row:
    if piece.fault is Fault.TOO_LARGE:
        return Refused(name, piece.line, None, "", str(EventTooLargeError(piece.size)))
    if piece.fault is not None:
        return Refused(name, piece.line, None, "", _SENTENCES[piece.fault])
    source, reference = _who(piece.octets)
    if institution is not None and source is not None and not _speaks(source, institution):
        sentence = (
            f"La source de cet événement n'est pas l'institution {institution} donnée par "
            "--institution : publiez-le au nom de la sienne."
        )
        return Refused(name, piece.line, reference, "/source", sentence)
    return Ready(name, piece.line, reference, piece.octets)


def _who(octets: bytes) -> tuple[str | None, str | None]:
    """Source and subject of an event, as far as they can be read."""
    try:
        event = json.loads(octets)
    except (ValueError, RecursionError):
        return None, None
    source, subject = event.get("source"), event.get("subject")
    return (
        source if isinstance(source, str) else None,
        subject if isinstance(subject, str) else None,
    )


def _speaks(source: str, institution: str) -> bool:
    try:
        return parse_source(source).siren == institution
    except InvalidSourceError:
        return True  # the check of the event says it better
