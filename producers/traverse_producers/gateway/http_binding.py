"""The CloudEvents HTTP binding (1.0.2): from a request to the octets of structured events. Pure.

Structured events travel as they came; a binary one is written once as structured JSON, with the
octets of its data in it as they are.
"""

import json
import re
from collections.abc import Iterable, Sequence
from email.message import Message
from enum import Enum, auto
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

import orjson

from traverse_producers.gateway.errors import (
    MalformedBodyError,
    TooLargeBodyError,
    UnsupportedContentError,
)
from traverse_producers.gateway.vouching import SIGNATURE, presented
from traverse_schemas.errors import Reason, RejectedError
from traverse_schemas.log.topics import MAX_EVENT_BYTES

RawHeaders = Sequence[tuple[bytes, bytes]]

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
NDJSON: Final = ("application/x-ndjson", "application/ndjson", "application/jsonl")

_PREFIX = b"ce-"
_NAME = re.compile(r"[a-z0-9]+")  # CloudEvents 1.0, "Naming conventions"
_NOT_IN_HEADERS = {"data", "datacontenttype", "database64"}
_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_INTEGER = re.compile(r"0|[1-9][0-9]{0,18}")
_WHITE = re.compile(r"[ \t\r\n]*")
_DENSE: Final = 200_000
"""Values in a body beyond which it is not read whole: in Python each takes some 100 octets, and an
event of ours, of 4 KiB, has a hundred."""


class Mode(Enum):
    """How events come in a request."""

    STRUCTURED = auto()
    BINARY = auto()
    BATCH = auto()
    LINES = auto()


class Piece(NamedTuple):
    """One event of a request: its octets in structured mode, or why there are none; the signature
    that came with it; and its JSON, where it has been read."""

    octets: bytes
    error: RejectedError | None = None
    signature: bytes | None = None
    raw: dict[str, object] | None = None


def mode_of(headers: RawHeaders) -> Mode:
    """The mode that the headers announce (HTTP binding, section 3).

    Raises UnsupportedContentError for a media type or charset that is none of ours.
    """
    media_type, charset = _content_type(_first(headers, b"content-type"))
    if charset not in ("", "utf-8", "utf8", "us-ascii"):
        raise UnsupportedContentError(
            f"Le jeu de caractères « {charset[:40]} » n'est pas reconnu : envoyez de l'UTF-8."
        )
    if media_type == STRUCTURED:
        return Mode.STRUCTURED
    if media_type == BATCH:
        return Mode.BATCH
    if media_type in NDJSON:
        return Mode.LINES
    if media_type.startswith("application/cloudevents"):
        raise UnsupportedContentError(
            f"Le format « {media_type[:60]} » n'est pas reconnu : envoyez les événements en JSON "
            f"({STRUCTURED}, ou {BATCH} pour plusieurs)."
        )
    if any(name.lower() == b"ce-specversion" for name, _ in headers):
        return Mode.BINARY
    raise UnsupportedContentError(
        f"Le type de contenu « {media_type[:60]} » n'est pas reconnu : {STRUCTURED} pour un "
        f"événement, {BATCH} pour un tableau, {NDJSON[0]} pour un par ligne, ou des en-têtes ce-… "
        "avec un contenu application/json. Un dossier sans enveloppe s'envoie par "
        "PUT /v1/records/{kind}/{reference}."
    )


def pieces_of(mode: Mode, headers: RawHeaders, body: bytes, most: int) -> list[Piece]:
    """The events of a body, in its order, at most `most`.

    Raises MalformedBodyError when the body as a whole cannot be read, TooLargeBodyError when
    there are more: nothing of it is then taken.
    """
    signatures = _first(headers, SIGNATURE.encode())
    if mode is Mode.BINARY:
        if signatures:
            raise MalformedBodyError(
                "Une signature couvre les octets d'un événement structuré, et celui-ci est en mode "
                f"binaire : envoyez-le en {STRUCTURED}. Rien n'en a été retenu."
            )
        return [_binary(headers, body)]
    if mode is Mode.BATCH:
        pieces = _batch(body, most)
    elif mode is Mode.LINES:
        pieces = _bounded(map(Piece, _lines(body)), most)
    else:
        pieces = [Piece(body)]
    if not signatures:
        return pieces
    given = presented(signatures, len(pieces))
    return [
        piece._replace(signature=signature) for piece, signature in zip(pieces, given, strict=True)
    ]


def _batch(body: bytes, most: int) -> list[Piece]:
    """The items of a JSON array; what it takes in memory is bounded before it is taken."""
    dense = sum(map(body.count, (b",", b"[", b"{"))) > _DENSE
    pieces = None if dense else _compact(body, most)
    return pieces or _bounded(map(Piece, _items(body, bounded=dense)), most)


def _bounded(items: Iterable[Piece], most: int) -> list[Piece]:
    kept: list[Piece] = []
    for item in items:
        if len(kept) == most:
            raise TooLargeBodyError(
                f"L'envoi compte plus de {most} événements : envoyez-les en lots plus petits. Rien "
                "n'en a été retenu."
            )
        kept.append(item)
    return kept


def _lines(body: bytes) -> Iterable[bytes]:
    """NDJSON: an event a line; blank lines say nothing."""
    start = 0
    while start < len(body):
        end = body.find(b"\n", start)
        end = len(body) if end < 0 else end
        line = body[start:end].strip()
        if line:
            yield line
        start = end + 1


def _no_number(name: str) -> float:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_no_number)  # NaN and Infinity are no JSON


def _compact(body: bytes, most: int) -> list[Piece] | None:
    """The items of a JSON array of at most `most` objects that is written without a blank, as
    programs write it; None when it is any other body, which is then read with more care.

    Reading it whole and writing each item again costs less than looking for the ends: where what
    is written stands in the body, the item is that, for no JSON object begins another one.
    """
    try:
        read = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(read, list) or len(read) > most or body[:1] != b"[":
        return None
    pieces: list[Piece] = []
    at = 1
    for item in read:
        try:
            octets = orjson.dumps(item) if isinstance(item, dict) else b""
        except orjson.JSONEncodeError:  # nested too deep, for the one who judges to tell
            return None
        end = at + len(octets)
        cut = body[at:end]  # what orjson writes keeps a kibibyte or more
        if not octets or cut != octets or body[end : end + 1] not in (b",", b"]"):
            return None
        pieces.append(Piece(cut, raw=item))
        at = end + 1
    return pieces if at == len(body) else None


def _items(body: bytes, *, bounded: bool = False) -> Iterable[bytes]:
    """The octets of each item of a JSON array, as they are in it (JSON format, section 4).

    `bounded`: an item that does not end within the length of an event ends the reading.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise _no_array(f"octet {error.start + 1}") from None
    at = _skip(text, 0)
    if text[at : at + 1] != "[":
        raise _no_array("au début")
    at = _skip(text, at + 1)
    first = True
    while first or text[at : at + 1] != "]":
        if first and text[at : at + 1] == "]":
            break
        if not first:
            if text[at : at + 1] != ",":
                raise _no_array(f"caractère {at + 1}")
            at = _skip(text, at + 1)
        try:
            if bounded:
                end = at + _DECODER.raw_decode(text[at : at + MAX_EVENT_BYTES])[1]
            else:
                end = _DECODER.raw_decode(text, at)[1]
        except (ValueError, RecursionError):
            if bounded and len(text) - at > MAX_EVENT_BYTES:
                raise TooLargeBodyError(
                    f"L'élément qui commence au caractère {at + 1} ne se termine pas en "
                    f"{MAX_EVENT_BYTES // 1024} Kio : rien de cet envoi n'a été retenu ; corrigez "
                    "cet élément, ou envoyez moins en une fois."
                ) from None
            raise _no_array(f"dans l'élément qui commence au caractère {at + 1}") from None
        yield text[at:end].encode()
        first = False
        at = _skip(text, end)
    if _skip(text, at + 1) != len(text):
        raise _no_array(f"caractère {at + 2}")


def _skip(text: str, at: int) -> int:
    found = _WHITE.match(text, at)
    return found.end() if found else at


def _no_array(where: str) -> MalformedBodyError:
    return MalformedBodyError(
        f"Le lot n'est pas un tableau JSON en UTF-8 ({where}) : rien n'en a été retenu ; "
        "corrigez-le, ou envoyez un événement par ligne (NDJSON), où une faute n'arrête que sa "
        "ligne."
    )


def _binary(headers: RawHeaders, body: bytes) -> Piece:
    """A binary-mode event (HTTP binding, section 3.1) as structured JSON."""
    try:
        attributes = _attributes(headers)
        media_type, _ = _content_type(_first(headers, b"content-type"))
        if media_type != "application/json":
            raise _refused(
                Reason.INVALID_ENVELOPE,
                "/datacontenttype",
                f"Le contenu est annoncé comme « {media_type[:60]} » : nos événements portent du "
                "JSON (application/json).",
            )
        data = body.strip(b" \t\r\n")
        try:
            if len(data) <= MAX_EVENT_BYTES:  # else it is refused for its size, unread
                _DECODER.decode(data.decode())
        except (ValueError, RecursionError):
            raise _refused(
                Reason.NOT_JSON, "/data", "Le contenu n'est pas du JSON en UTF-8 : corrigez-le."
            ) from None
    except RejectedError as error:
        return Piece(b"", error)
    envelope = json.dumps(
        {**attributes, "datacontenttype": media_type}, ensure_ascii=False, separators=(",", ":")
    )
    return Piece(envelope[:-1].encode() + b',"data":' + data + b"}")


def _attributes(headers: RawHeaders) -> dict[str, str | int]:
    attributes: dict[str, str | int] = {}
    for raw_name, raw_value in headers:
        if not raw_name.lower().startswith(_PREFIX):
            continue
        name = raw_name.lower()[len(_PREFIX) :].decode("latin-1")
        pointer = f"/{name}"
        if not _NAME.fullmatch(name) or name in _NOT_IN_HEADERS:
            raise _refused(
                Reason.INVALID_ENVELOPE,
                pointer,
                f"L'en-tête ce-{name[:40]} n'existe pas : un attribut s'écrit en minuscules et "
                "chiffres, et le contenu, avec son type, va dans le corps.",
            )
        if name in attributes:
            raise _refused(
                Reason.INVALID_ENVELOPE,
                pointer,
                f"L'en-tête ce-{name[:40]} est donné deux fois : gardez-en un.",
            )
        value = _value(raw_value)
        if value is None:
            raise _refused(
                Reason.INVALID_ENVELOPE,
                pointer,
                f"L'en-tête ce-{name[:40]} n'est pas de l'UTF-8 codé en pourcents : codez "
                "accents, espaces, guillemets et % ainsi (é s'écrit %C3%A9).",
            )
        # The one attribute of ours that is a number; a header cannot say so.
        whole = name == "sequence" and _INTEGER.fullmatch(value)
        attributes[name] = int(value) if whole else value
    return attributes


def _value(raw: bytes) -> str | None:
    """A header's value: unquoted (RFC 9110, 5.6.4), then percent-decoded once; None when it is
    no UTF-8 (HTTP binding, section 3.1.3.2)."""
    value = raw.strip(b" \t")
    if len(value) >= 2 and value[:1] == value[-1:] == b'"':
        value = re.sub(rb"\\(.)", rb"\1", value[1:-1])
    if _PERCENT.search(value):
        return None
    try:
        return unquote_to_bytes(value).decode()
    except UnicodeDecodeError:
        return None


def _refused(reason: Reason, pointer: str, sentence: str) -> RejectedError:
    return RejectedError(reason, pointer, sentence)


def _first(headers: RawHeaders, name: bytes) -> str:
    found = (value for header, value in headers if header.lower() == name)
    return next(found, b"").decode("latin-1")


def _content_type(text: str) -> tuple[str, str]:
    """Media type and charset of a Content-Type, in lower case."""
    message = Message()
    message["content-type"] = re.sub(r"[\r\n]", " ", text)
    if not text:
        return "", ""
    charset = message.get_param("charset", "")
    return text.partition(";")[0].strip().lower(), str(charset).strip().lower()
