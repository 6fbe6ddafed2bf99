"""Procedure: one document of the lots of one procedure, which lists them. Pure."""

import re
from collections.abc import Iterable, Sequence
from math import fsum
from typing import Any, Final

from traverse_stream_processors.linking.merge import Document, merge

_LOT: Final = re.compile(r"\s*[-–—:,(]*\s*\blots?\b\s*(?:n\s*[o°º]?\s*)?[0-9ivxIVX]*.*$", re.I)
_ENDS: Final = " -–—:,;.(/"
_SHORTEST_TITLE: Final = 12
_MOST_PLACES: Final = 1000
_MOST_CODES: Final = 300
_LOT_FIELDS: Final = ("title", "cpv", "outcome", "holders", "notified", "url")


def procedure(things: Sequence[tuple[Document, str]]) -> Document:
    """One document of several lots, each as (its document, its number).

    What all share is merged as for one thing; sums are added, holders, places and codes united.
    It is closed when every lot is.
    """
    documents = [document for document, _ in things]
    whole = merge(documents)
    whole["title"] = _common_title([document["title"] for document in documents])
    whole["lots"] = [lot for document, number in things for lot in _lots(document, number)]
    for said in whole["provenance"].values():
        said.pop("claims", None)  # a lot says other things than the next: none of them is doubted
    for name in ("description", "duration_months", "location"):
        if any(one.get(name) != documents[0].get(name) for one in documents):
            whole.pop(name, None)
            whole["provenance"].pop(name, None)
    for name, most in (
        ("place", _MOST_PLACES),
        ("within", _MOST_PLACES),
        ("covers", _MOST_PLACES),
        ("place_names", _MOST_PLACES),
        ("themes", 20),
        ("cpv", _MOST_CODES),
        ("cpv_within", _MOST_CODES),
        ("cpv_labels", _MOST_CODES),
    ):
        if values := _union(documents, name)[:most]:
            whole[name] = values
    _add_sums(whole, documents)
    if holders := _holders(documents):
        whole["holders"] = holders
    ends = [one["end_max"] for one in documents if "end_max" in one]
    if ends:
        whole["end_max"] = max(ends)
    if any(one["state"] == "active" for one in documents):
        whole["state"] = "active"
        whole.pop("outcome", None)
        whole.pop("closed_on", None)
    return whole


def _common_title(titles: Sequence[str]) -> str:
    """What the titles of the lots begin with; else the first without its lot's part."""
    shortest = min(map(len, titles))
    first = titles[0]
    same = next(
        (at for at in range(shortest) if len({title[at].lower() for title in titles}) > 1), shortest
    )
    begin = first[:same]
    if same < len(first) and first[same].isalnum():
        begin = begin.rpartition(" ")[0]
    begin = _LOT.sub("", begin).strip(_ENDS)
    if len(begin) >= _SHORTEST_TITLE:
        return begin
    alone = _LOT.sub("", first).strip(_ENDS)
    return alone if len(alone) >= _SHORTEST_TITLE else first


def _lots(document: Document, number: str) -> Iterable[dict[str, Any]]:
    """The lots that a document has already, else the one that it is."""
    if document.get("lots"):
        yield from document["lots"]
        return
    lot: dict[str, Any] = {"number": number}
    lot |= {name: document[name] for name in _LOT_FIELDS if name in document}
    if "amount" in document:
        lot["amount"] = _main_amount(document)
    source = document["sources"][0]
    lot |= {"source": source["source"], "subject": source["subject"]}
    yield lot


def _main_amount(document: Document) -> dict[str, Any]:
    for part in document.get("amounts", ()):
        if part["value"] == document["amount"]:
            return dict(part)
    return {"value": document["amount"], "kind": "estimate"}


def _add_sums(whole: Document, documents: Sequence[Document]) -> None:
    """The sums of the lots, by what they are and by their taxes: what is told with taxes is not
    added to what is told without, nor a maximum to what was awarded. Lots of which some are awarded
    and others estimated make an estimate. The main sum is that of the most lots."""
    parts = [_main_amount(one) for one in documents if "amount" in one]
    whole.pop("amount", None)
    whole.pop("amounts", None)
    whole.get("provenance", {}).pop("amount", None)
    if not parts:
        return
    estimated = any(part["kind"] == "estimate" for part in parts)
    sums: dict[tuple[str, str], list[float]] = {}
    for part in parts:
        kind = "estimate" if estimated and part["kind"] == "awarded" else part["kind"]
        sums.setdefault((kind, part.get("tax", "unknown")), []).append(part["value"])
    ordered = sorted(sums.items(), key=lambda found: (-len(found[1]), found[0]))
    whole["amounts"] = [
        {"value": round(fsum(values), 2), "kind": kind, "tax": tax}
        for (kind, tax), values in ordered
    ]
    whole["amount"] = whole["amounts"][0]["value"]


def _holders(documents: Iterable[Document]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for one in documents:
        for holder in one.get("holders", ()):
            found.setdefault(holder.get("id") or holder.get("name", ""), holder)
    return list(found.values())


def _union(documents: Iterable[Document], field: str) -> list[Any]:
    return list(dict.fromkeys(value for one in documents for value in one.get(field, ())))
