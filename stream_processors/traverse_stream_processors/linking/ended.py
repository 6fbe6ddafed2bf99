"""Ended: what several records tell in parts, put together: lots, deadlines, awards. Pure."""

import re
from collections.abc import Iterable, Sequence
from math import fsum
from typing import Any, Final

Document = dict[str, Any]

_BEFORE_NUMBER: Final = re.compile(r"^(?:lots?)?[\s°ºn:-]*0*(?=.)", re.I)
_TENDER: Final = "tender"  # what a deadline is for that does not say (`records/parts.py`)


def lot_key(number: str) -> str:
    """The number of a lot in one form: `01`, `LOT-0001`, `1`."""
    return _BEFORE_NUMBER.sub("", number).lower()


def ended_lots(documents: Iterable[Document]) -> frozenset[str]:
    """The keys of the lots of which any of these tells how they ended."""
    return frozenset(
        lot_key(lot["number"])
        for one in documents
        for lot in one.get("lots", ())
        if lot.get("outcome")
    )


def joined_lots(documents: Sequence[Document]) -> list[dict[str, Any]]:
    """The lots that these tell of, each once, in the order of the first that lists them: as whoever
    tells how it ended does, else the first; what is missing there is filled in from the others.
    What another than the first says of an end names its source."""
    found: dict[str, list[tuple[dict[str, Any], Document]]] = {}
    for one in documents:
        for lot in one.get("lots", ()):
            found.setdefault(lot_key(lot["number"]), []).append((lot, one))
    return [_joined_lot(told, documents[0]) for told in found.values()]


def _joined_lot(told: list[tuple[dict[str, Any], Document]], first: Document) -> dict[str, Any]:
    best, said_by = next(((lot, one) for lot, one in told if lot.get("outcome")), told[0])
    joined: dict[str, Any] = {}
    for lot in (best, *(lot for lot, _ in told)):
        joined = {**lot, **joined}
    joined["number"] = told[0][0]["number"]
    if said_by is not first and "source" not in best:
        source = said_by["sources"][0]
        joined |= {"source": source["source"], "subject": source["subject"]}
    return joined


def joined_deadlines(documents: Sequence[Document]) -> list[dict[str, Any]]:
    """The deadlines of the first, and of the others those of kinds that nobody before told of."""
    joined: list[dict[str, Any]] = []
    for one in documents:
        kinds = {each.get("kind", _TENDER) for each in joined}
        joined += [
            each for each in one.get("deadlines", ()) if each.get("kind", _TENDER) not in kinds
        ]
    return joined


def awards_of_lots(documents: Iterable[Document]) -> list[Document]:
    """Those that tell of the award of lots, each of others than those before it: the notices that
    end a procedure part by part, rather than one award told twice."""
    awards: list[Document] = []
    known: set[str] = set()
    for one in documents:
        if one.get("outcome") == "awarded":
            lots = {lot_key(lot["number"]) for lot in one.get("lots", ()) if lot.get("outcome")}
            if lots and known.isdisjoint(lots):
                awards.append(one)
                known |= lots
    return awards


def holders_of(documents: Iterable[Document]) -> list[dict[str, Any]]:
    """The holders that these name, each once."""
    found: dict[str, dict[str, Any]] = {}
    for one in documents:
        for holder in one.get("holders", ()):
            found.setdefault(holder.get("id") or holder.get("name", ""), holder)
    return list(found.values())


def sum_of(awards: Sequence[Document]) -> Document:
    """`amount` and `amounts` of several awards together; nothing where one of them tells no awarded
    sum, or one with other taxes: what is not known of all is no sum of them."""
    sums = [
        next((part for part in one.get("amounts", ()) if part["kind"] == "awarded"), None)
        for one in awards
    ]
    taxes = {part.get("tax", "unknown") for part in sums if part}
    if None in sums or len(taxes) != 1:
        return {}
    value = round(fsum(part["value"] for part in sums if part), 2)
    others = [part for one in awards[:1] for part in one["amounts"] if part["kind"] != "awarded"]
    return {
        "amount": value,
        "amounts": [{"value": value, "kind": "awarded", "tax": taxes.pop()}, *others],
    }
