"""The body of a PUT: a record as plain JSON, or as the fields of a form. Pure.

A form's fields are the columns of a table (`tables.columns`), read by the same rules. What reading
takes in memory is bounded before it is taken: a body of nothing but values, or of nothing but
percent signs, takes a hundred times its octets.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from traverse_producers.errors import InvalidEventError
from traverse_producers.event_builder import octets_of
from traverse_producers.gateway.errors import (
    MalformedBodyError,
    RefusedRecordError,
    TooLargeBodyError,
    UnsupportedContentError,
)
from traverse_producers.tables.cells import UnreadableCellError, plain
from traverse_producers.tables.columns import BY_HEADER
from traverse_producers.tables.record import Cell, event_of
from traverse_producers.tables.rows import unknown_column
from traverse_schemas.events import Action
from traverse_schemas.log.topics import MAX_EVENT_BYTES
from traverse_schemas.records.codes import Kind

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"

MOST_OCTETS: Final = 4 * MAX_EVENT_BYTES
"""Of a body: indented, and with each accent as \\u00e9, a record has no more."""
_DENSE: Final = 50_000
"""Values in a body: a record has a hundred in 4 KiB."""
_MOST_ESCAPES: Final = 150_000
"""Octets of a form in percents: the longest text (50,000 characters) in any script."""
_MOST_FIELDS = 200
_UTF_8: Final = "utf-8"
_CHARSETS: Final = {_UTF_8, "utf8", "us-ascii", "windows-1252", "iso-8859-1", "iso-8859-15"}
"""Of forms. Not whatever Python knows: punycode takes a minute for a mebibyte."""
_OURS = {"event_id", "time"}  # the gateway gives them


class Content(NamedTuple):
    """What is said of a record: what happened, its data, its place among the versions."""

    action: Action
    data: Any
    sequence: int | None = None


async def content_of(
    headers: Headers, body: bytes, kind: Kind, reference: str, *, is_open: bool
) -> Content:
    """Read a body. `is_open`: the record was published before, so that this is an update.

    Raises UnsupportedContentError, MalformedBodyError, TooLargeBodyError, RefusedRecordError.
    """
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == JSON:
        return _from_json(body, is_open=is_open)
    if media_type == FORM:
        fields = _urlencoded(body, _charset(headers))
    elif media_type == MULTIPART:
        fields = await _multipart(headers, body)
    else:
        raise UnsupportedContentError(
            f"Le type de contenu « {media_type[:60]} » n'est pas reconnu : envoyez le dossier en "
            f"JSON ({JSON}) ou comme un formulaire ({FORM}, {MULTIPART})."
        )
    return _from_fields(fields, kind, reference, is_open=is_open)


def _from_json(body: bytes, *, is_open: bool) -> Content:
    if sum(map(body.count, (b",", b"[", b"{"))) > _DENSE:
        raise _too_large()
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedBodyError(
            "Ce n'est pas du JSON en UTF-8 : envoyez le dossier, sans enveloppe, comme un objet."
        ) from None
    if not isinstance(data, dict):
        raise MalformedBodyError("Le dossier est un objet JSON, entre accolades.")
    if len(body) > MAX_EVENT_BYTES and len(_compact(data)) > MAX_EVENT_BYTES:
        raise _too_large()
    if "outcome" in data:
        return Content(Action.CLOSED, data)
    updates = is_open or "reason" in data
    return Content(Action.UPDATED if updates else Action.PUBLISHED, data)


def _from_fields(
    fields: Sequence[tuple[str, str]], kind: Kind, reference: str, *, is_open: bool
) -> Content:
    cells = [Cell(BY_HEADER["reference"], "reference", reference)]
    for name, text in fields:
        column = BY_HEADER.get(plain(name))
        if column is None:
            raise RefusedRecordError(unknown_column(name))
        if column.name in _OURS and text.strip():
            raise RefusedRecordError(
                f"Le champ {name[:40]} n'est pas à donner ici : la passerelle date et nomme "
                "l'événement elle-même ; retirez-le."
            )
        if column.name == "reference" and text.strip() not in ("", reference):
            raise RefusedRecordError(
                f"Le champ {name[:40]} et l'adresse donnent deux références : retirez le champ."
            )
        if text.strip() and column.name != "reference":
            cells.append(Cell(column, name[:40], text.strip()))
    given = {cell.column.name for cell in cells}
    if "kind" not in given:
        cells.append(Cell(BY_HEADER["kind"], "type", kind))
    if "action" not in given and is_open:
        cells.append(Cell(BY_HEADER["action"], "action", Action.UPDATED))
    event = _event(cells)
    said_kind, action = event["type"].split(".")[2:4]
    if said_kind != kind:
        raise RefusedRecordError(
            f"Le champ type dit que c'est un « {said_kind} », et l'adresse un « {kind} » : "
            f"envoyez-le à /v1/records/{said_kind}/…, ou corrigez le type."
        )
    return Content(Action(action), event["data"], event.get("sequence"))


def _event(cells: Sequence[Cell]) -> dict[str, Any]:
    # Any time and source do: the caller gives the event its own.
    now: Callable[[], datetime] = lambda: datetime.fromisoformat("2000-01-01T00:00:00Z")  # noqa: E731
    try:
        return event_of(cells, source="", now=now)
    except (UnreadableCellError, InvalidEventError) as error:
        raise RefusedRecordError(str(error).replace("La colonne", "Le champ")) from None


def _urlencoded(body: bytes, charset: str) -> list[tuple[str, str]]:
    """Old tools send Windows-1252 and do not say so: what is no UTF-8 is read so."""
    if body.count(b"%") > _MOST_ESCAPES:
        raise _too_large()
    for encoding in dict.fromkeys((charset, "cp1252")):
        try:
            return parse_qsl(
                body.decode("ascii"),
                keep_blank_values=True,
                encoding=encoding,
                errors="strict",
                max_num_fields=_MOST_FIELDS,
            )
        except UnicodeDecodeError:
            continue
        except ValueError:
            break
    raise MalformedBodyError(
        f"Le formulaire ne se lit pas : codez-le en pourcents (UTF-8), {_MOST_FIELDS} champs au "
        "plus."
    )


async def _multipart(headers: Headers, body: bytes) -> list[tuple[str, str]]:
    async def whole() -> Any:
        yield body

    _charset(headers)  # the parser reads it by itself
    parser = MultiPartParser(headers, whole(), max_files=0, max_fields=_MOST_FIELDS)
    try:
        form = await parser.parse()
    except (MultiPartException, UnicodeDecodeError, LookupError, KeyError):
        raise MalformedBodyError(
            f"Le formulaire en plusieurs parties ne se lit pas : {_MOST_FIELDS} champs de texte au "
            "plus, en UTF-8, sans fichier."
        ) from None
    return [
        (name, value) for name, value in form.multi_items() if not isinstance(value, UploadFile)
    ]


def _compact(data: Any) -> bytes:
    try:
        return octets_of(data)
    except InvalidEventError as error:
        raise RefusedRecordError(str(error)) from None


def _too_large() -> TooLargeBodyError:
    return TooLargeBodyError(
        f"Le dossier dépasse {MAX_EVENT_BYTES // 1024} Kio, ce qu'un événement peut porter, ou "
        f"{_DENSE} valeurs : donnez les pièces par leur adresse (url, actions). Rien n'en a été "
        "retenu."
    )


def _charset(headers: Headers) -> str:
    """Read as the parser of multipart forms reads it: of two, the last."""
    _, options = parse_options_header(headers.get("content-type"))
    charset = options.get(b"charset", b"").decode("latin-1").strip().lower() or _UTF_8
    if charset not in _CHARSETS:
        raise UnsupportedContentError(
            f"Le jeu de caractères « {charset[:40]} » n'est pas reconnu : envoyez de l'UTF-8."
        )
    return charset
