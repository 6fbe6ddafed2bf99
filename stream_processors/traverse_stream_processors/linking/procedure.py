"""Procedure: one document of the lots of one procedure, and perhaps of the whole of it, which lists
them. Pure."""

import re
from collections.abc import Iterable, Sequence
from math import fsum
from typing import Any, Final

from traverse_stream_processors.linking.ended import Document, holders_of, joined_lots, lot_key
from traverse_stream_processors.linking.lots import by_number
from traverse_stream_processors.linking.merge import merge, said_by

_LOT: Final = re.compile(r"\s*[-–—:,(]*\s*\blots?\b\s*(?:n\s*[o°º]?\s*)?[0-9ivxIVX]*.*$", re.I)
_ENDS: Final = " -–—:,;.(/"
_SHORTEST_TITLE: Final = 12
_MOST_PLACES: Final = 1000
_MOST_CODES: Final = 300
_LOT_FIELDS: Final = ("title", "cpv", "outcome", "holders", "notified", "url")


def procedure(things: Sequence[tuple[Document, str | None]]) -> Document:
    """One document of several lots, each as (its document, its number; None: the whole of them).

    What all share is merged as for one thing, what is said of the whole first; sums are added,
    holders, places and codes united. It is closed when every lot is, or the whole.
    """
    documents = [document for document, _ in things]
    wholes = [document for document, number in things if number is None]
    whole = merge(documents, before={one["id"] for one in wholes})
    if not wholes:
        whole["title"] = _common_title([document["title"] for document in documents])
    whole["lots"] = _all_lots(things)
    for said in whole["provenance"].values():
        said.pop("claims", None)  # a lot says other things than the next: none of them is doubted
    for name in ("description", "duration_months", "location"):
        told = any(name in one for one in wholes)
        if not told and any(one.get(name) != documents[0].get(name) for one in documents):
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
    _add_sums(whole, things)
    if holders := holders_of(documents):
        whole["holders"] = holders
    ends = [one["end_max"] for one in documents if "end_max" in one]
    if ends:
        whole["end_max"] = max(ends)
    if not any("deadline" in one for one in wholes):
        _close_with_the_last(whole, documents)
    if not _is_over(whole, documents, wholes):
        whole["state"] = "active"
        whole.pop("outcome", None)
        whole.pop("closed_on", None)
    return whole


def _close_with_the_last(whole: Document, lots: Iterable[Document]) -> None:
    """Until when one may answer, of lots alone: until the last that has not ended closes."""
    closing = [one for one in lots if "deadline" in one]
    if closing:
        going_on = [one for one in closing if one["state"] != "closed"] or closing
        last = max(going_on, key=lambda one: (one["deadline"]["until"], one["id"]))
        told = ("deadline", "deadlines")
        whole.update({name: last[name] for name in told if name in last})
        said = last.get("provenance", {}).get("deadline")
        whole["provenance"]["deadline"] = said or said_by(last)


def _is_over(whole: Document, documents: Iterable[Document], wholes: Sequence[Document]) -> bool:
    if whole["state"] != "closed":
        return False
    if wholes:
        ended = all(lot.get("outcome") for lot in whole["lots"])
        return ended or any(one["state"] == "closed" for one in wholes)
    return all(one["state"] == "closed" for one in documents)


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


def _all_lots(things: Iterable[tuple[Document, str | None]]) -> list[dict[str, Any]]:
    """Each lot once: as the whole lists them, then by number; what a lot's own record tells of it
    goes first."""
    listed: list[Document] = []
    own: list[Document] = []
    for document, number in things:
        if number is None or document.get("lots"):
            listed.append({"lots": document.get("lots", ()), "sources": document["sources"]})
        if number is not None and _is_one_lot(document):
            own.append({"lots": [_lot(document, number)]})
    order = {lot_key(lot["number"]): at for one in listed for at, lot in enumerate(one["lots"])}

    def place(lot: dict[str, Any]) -> tuple[int, tuple[int, str]]:
        return order.get(lot_key(lot["number"]), len(order)), by_number(lot["number"])

    return sorted(joined_lots([*own, *listed]), key=place)


def _is_one_lot(document: Document) -> bool:
    return len(document.get("lots", ())) < 2


def _lot(document: Document, number: str) -> dict[str, Any]:
    """The lot that a document is."""
    lot: dict[str, Any] = {"number": number}
    lot |= {name: document[name] for name in _LOT_FIELDS if name in document}
    if "amount" in document:
        lot["amount"] = _main_amount(document)
    source = document["sources"][0]
    return lot | {"source": source["source"], "subject": source["subject"]}


def _main_amount(document: Document) -> dict[str, Any]:
    for part in document.get("amounts", ()):
        if part["value"] == document["amount"]:
            return dict(part)
    return {"value": document["amount"], "kind": "estimate"}


def _add_sums(whole: Document, things: Iterable[tuple[Document, str | None]]) -> None:
    """The sums of the lots, by what they are and by their taxes: what is told with taxes is not
    added to what is told without, nor a maximum to what was awarded. Lots of which some are awarded
    and others estimated make an estimate. The main sum is that of the most lots. What is said of
    the whole stays while a lot of it has no sum."""
    if all(number is not None and _is_one_lot(one) for one, number in things):
        parts = [_main_amount(one) for one, _ in things if "amount" in one]
    else:
        parts = [lot["amount"] for lot in whole["lots"] if "amount" in lot]
        if "amount" in whole and len(parts) < len(whole["lots"]):
            return
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


def _union(documents: Iterable[Document], field: str) -> list[Any]:
    return list(dict.fromkeys(value for one in documents for value in one.get(field, ())))
