"""Hits and documents as the answer shows them: status and French words added, and nothing taken
away but what their reader may not read."""

from datetime import datetime
from typing import Any, Final

from traverse_schemas.documents.indexed import INDEX_FIELDS
from traverse_schemas.documents.status import status_of
from traverse_search_api import labels
from traverse_search_api.access.reader import Reader
from traverse_search_api.answers.links import FOR_SIDES, shown_links
from traverse_search_api.deadlines import deadlines_of

_SUMMARY: Final = 240
_NOT_SHOWN: Final = frozenset({"audience", *INDEX_FIELDS})

Document = dict[str, Any]


def item_of(hit: dict[str, Any], as_of: datetime, reader: Reader) -> dict[str, Any]:
    """One item of a reader's answer, from a hit with `_source` and perhaps `highlight`."""
    document: Document = hit["_source"]
    return {
        "id": document["id"],
        "kind": document["kind"],
        "subtype": document["subtype"],
        "title": document["title"],
        "summary": summary_of(document.get("description") or ""),
        "highlights": hit.get("highlight", {}),
        **_words(document, as_of),
        "institutions": document["institutions"],
        "territory": document.get("territory"),
        "location": document.get("location"),
        "themes": document.get("themes", []),
        "cpv": document.get("cpv", []),
        "amount": document.get("amount"),
        "deadline": document.get("deadline"),
        "deadlines": deadlines_of(document),
        "published_at": document["published_at"],
        "updated_at": document["updated_at"],
        "sources": document["sources"],
        "links": _links(document, as_of, reader),
        "visibility": document["visibility"],
    }


def detail_of(document: Document, as_of: datetime, reader: Reader) -> dict[str, Any]:
    """The whole document as a reader may see it, with its status and the French words. To whom
    else it was addressed is not said, nor what is there for the search alone."""
    shown = {name: value for name, value in document.items() if name not in _NOT_SHOWN}
    return {
        **shown,
        "deadlines": deadlines_of(document),
        "links": _links(document, as_of, reader),
        **_words(document, as_of),
    }


def links_of_sides(document: Document, as_of: datetime, reader: Reader) -> list[dict[str, Any]]:
    """Those of which the reader may read both ends, as of a day, with what people `said` of them
    and those that they set aside: for who is a side of them. One that names no audience is within
    the document's own."""
    found = [
        link | {"audience": link["audience"].partition(":")[0]} if "audience" in link else link
        for link in document.get("links", [])
        if "audience" not in link or reader.reads(link["audience"])
    ]
    return shown_links(found, as_of)


def _links(document: Document, as_of: datetime, reader: Reader) -> list[dict[str, Any]]:
    """The same for everybody else."""
    return [
        {name: value for name, value in link.items() if name != "said"} if "said" in link else link
        for link in links_of_sides(document, as_of, reader)
        if link.get("state") not in FOR_SIDES
    ]


def summary_of(description: str, longest: int = _SUMMARY) -> str:
    """The beginning of a text on one line, cut at a word, with … when something was cut."""
    text = " ".join(description[: 4 * longest].split())
    if len(text) <= longest:
        return text
    cut = text[: longest - 1]
    if text[longest - 1] != " ":
        # A "word" longer than the summary is cut anywhere.
        cut = cut.rpartition(" ")[0] or cut
    return cut.rstrip(" ,;:.–-") + "…"


def _words(document: Document, as_of: datetime) -> dict[str, Any]:
    status = status_of(document, as_of)
    return {
        "status": status.value,
        "status_label": labels.status_label(status),
        "kind_label": labels.shown_kind(document["subtype"], status),
        "subtype_label": labels.subtype_label(document["subtype"]),
        "theme_labels": [labels.theme_label(slug) for slug in document.get("themes", [])],
    }
