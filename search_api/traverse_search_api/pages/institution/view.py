"""« Mon institution » as data for its template: what it published, how fresh it is, what was
refused. Pure."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Any, Final

from traverse_schemas.documents.status import french_day, status_of
from traverse_schemas.french.numbers import number
from traverse_search_api import labels
from traverse_search_api.deadlines import PARIS
from traverse_search_api.institutions.rhythm import (
    is_silent,
    rhythm_aggregations,
    rhythm_from,
    rhythm_of,
    rhythm_words,
    spoken,
)
from traverse_search_api.pages import words
from traverse_search_api.pages.institution.field_names import fault_of, field_of
from traverse_search_api.pages.institution.quality import REFUSAL_DAYS, SCANNED
from traverse_search_api.pages.need.form import SYSTEM

Query = dict[str, Any]

SHOWN: Final = 20
_LONGEST: Final = 30_000  # characters
_INDEX: Final = re.compile("[0-9]{1,9}")
_SAID_HERE: Final = "Saisies ici (« Signaler un besoin »)"
_LATELY: Final = timedelta(days=REFUSAL_DAYS)


@dataclass(frozen=True, slots=True)
class SourceView:
    """One source of the institution, and whether it still speaks as it used to."""

    name: str
    count: str
    last: str
    rhythm: str
    silent: bool


@dataclass(frozen=True, slots=True)
class PublishedView:
    """One thing that the institution published."""

    address: str
    title: str
    kind: str
    status: str
    status_code: str
    updated: str


@dataclass(frozen=True, slots=True)
class RejectionView:
    """One refused event: why, and where to mend it."""

    address: str
    event: str
    at: str
    sentence: str
    where: str


@dataclass(frozen=True, slots=True)
class MendView:
    """A refused event to mend: the value that is wrong, where it is one, and the whole text, if it
    is not too long for a page."""

    name: str
    event: str
    at: str
    sentence: str
    where: str
    pointer: str
    value: str
    text: str


def own_clause(siren: str) -> Query:
    """The documents that a source of the institution says something of."""
    urn = f"urn:siren:{siren}"
    either: list[Query] = [
        {"term": {"sources.source": urn}},
        {"prefix": {"sources.source": f"{urn}:"}},
    ]
    return {"bool": {"should": either, "minimum_should_match": 1}}


def own_body(siren: str, as_of: datetime) -> Query:
    """What to ask of the index beside `own_clause`: the last ones, and on which days each source
    spoke."""
    lately = {"gte": french_day(as_of - _LATELY).isoformat(), "time_zone": PARIS.key}
    return {
        "size": SHOWN,
        "track_total_hits": True,
        "sort": [{"updated_at": "desc"}, {"id": "asc"}],
        "aggs": {
            "accepted": {"filter": {"range": {"sources.updated_at": lately}}},
            "sources": {
                "terms": {
                    "field": "sources.source",
                    "include": f"urn:siren:{siren}(:.*)?",
                    "size": 50,
                },
                "aggs": rhythm_aggregations(as_of),
            },
        },
    }


def published_view(
    found: Mapping[str, Any],
    items: Iterable[Mapping[str, Any]],
    judged: Sequence[Mapping[str, Any]],
    as_of: datetime,
) -> tuple[str, list[SourceView], list[PublishedView]]:
    """How many, each source, and the last ones, of the answer to `own_body` and its items; with the
    documents that were read for quality, which tell the rhythm exactly where they are all."""
    total = found.get("hits", {}).get("total", {}).get("value", 0)
    buckets = found.get("aggregations", {}).get("sources", {}).get("buckets", ())
    return (
        number(total),
        [_source(bucket, judged, as_of) for bucket in buckets],
        [_published(item) for item in items],
    )


def rejection_view(item: Mapping[str, Any]) -> RejectionView:
    """A rejection as the gateway lists it."""
    return RejectionView(
        address=f"/mon-institution/refus/{item['id']}",
        event=str(item.get("event_id") or "sans identifiant"),
        at=words.day_of(str(item["at"])),
        sentence=fault_of(str(item["pointer"]), str(item["sentence"])),
        where=field_of(str(item["pointer"])),
    )


def mend_view(item: Mapping[str, Any]) -> MendView:
    """A rejection with its event, as the gateway shows it."""
    pointer, text = str(item["pointer"]), str(item["event"])
    event = read_object(text)
    value = value_at(event, pointer) if event is not None else None
    scalar = isinstance(value, str | int | float) and not isinstance(value, bool)
    scalar = scalar and _printable(str(value))
    return MendView(
        name=str(item["id"]),
        event=str(item.get("event_id") or "sans identifiant"),
        at=words.day_of(str(item["at"])),
        sentence=fault_of(pointer, str(item["sentence"])),
        where=field_of(pointer),
        pointer=pointer if scalar else "",
        value=str(value) if scalar else "",
        text=_shown(text, event),
    )


def _shown(text: str, event: object) -> str:
    whole = text if event is None else json.dumps(event, ensure_ascii=False, indent=2)
    if not _printable(whole):
        whole = json.dumps(event, indent=2)  # half a character (\ud800) stays as it was written
    return whole if len(whole) <= _LONGEST else ""


def _printable(text: str) -> bool:
    """Whether a page can hold it: JSON may have halves of characters, UTF-8 has none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def mended(text: str, pointer: str, value: str) -> bytes | None:
    """The event with another value at the pointer (RFC 6901), of the type that the old one had;
    None when there is no such place."""
    event = read_object(text)
    old = value_at(event, pointer) if event is not None else None
    if event is None or old is None or isinstance(old, bool | list | dict):
        return None
    new: object = value
    if isinstance(old, int | float):
        try:
            new = json.loads(value.replace(",", ".").replace(" ", ""))
        except ValueError:
            return None
        if not isinstance(new, int | float) or isinstance(new, bool) or not isfinite(new):
            return None
    *path, last = _steps(pointer)
    target: Any = event
    for step in path:
        target = target[int(step)] if isinstance(target, list) else target[step]
    target[int(last) if isinstance(target, list) else last] = new
    return json.dumps(event).encode()


def value_at(event: object, pointer: str) -> object:
    """The value at a JSON pointer, or None."""
    found = event
    for step in _steps(pointer):
        if isinstance(found, dict):
            found = found.get(step)
        elif isinstance(found, list) and _INDEX.fullmatch(step) and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    return found if pointer else None


def read_object(text: str) -> dict[str, Any] | None:
    """The JSON object that the text is, or None."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _source(
    bucket: Mapping[str, Any], judged: Sequence[Mapping[str, Any]], as_of: datetime
) -> SourceView:
    times = spoken(judged, bucket["key"])
    last, gap = (
        rhythm_from(times, as_of) if len(times) >= bucket["doc_count"] else rhythm_of(bucket)
    )
    name = bucket["key"].removeprefix("urn:siren:")[9:].lstrip(":")
    return SourceView(
        name=_SAID_HERE if name == SYSTEM else name or "Publications directes",
        count=number(bucket["doc_count"]),
        last=words.day(french_day(last)),
        rhythm=rhythm_words(gap),
        silent=is_silent(last, gap, as_of),
    )


def _published(item: Mapping[str, Any]) -> PublishedView:
    return PublishedView(
        address=f"/fiche/{item['id']}",
        title=item["title"],
        kind=item["kind_label"],
        status=item["status_label"],
        status_code=item["status"],
        updated=words.day_of(item["updated_at"]),
    )


def quality_words(documents: Sequence[Mapping[str, Any]], total: str) -> str:
    """Which publications the score is of: all of them, or the last."""
    if len(documents) < SCANNED:
        return words.count(len(documents), "publication", "publications")
    return f"{number(len(documents))} dernières publications, sur {total}"


def lacking_view(document: Mapping[str, Any], as_of: datetime) -> PublishedView:
    """A publication that lacks something."""
    status = status_of(dict(document), as_of)
    return PublishedView(
        address=f"/fiche/{document['id']}",
        title=str(document["title"]),
        kind=labels.shown_kind(document["subtype"], status),
        status=labels.status_label(status),
        status_code=status.value,
        updated=words.day_of(document["updated_at"]),
    )


def rejections_of(page: Mapping[str, Any]) -> Iterable[RejectionView]:
    """The rejections of a page of the gateway's."""
    return [rejection_view(item) for item in page["items"]]
