"""The lots of a process: what is planned of each, and how it ended; sums and CPV codes."""

from typing import Any

from traverse_producers.importers.emit import without_empty
from traverse_producers.importers.json_items import Row
from traverse_producers.importers.money import euros
from traverse_producers.importers.ocds.parties import holders_of, items, object_of, parties_of
from traverse_producers.importers.text import clean, cut
from traverse_schemas.values.cpv import normalise_cpv

OUTCOMES = {
    "active": "awarded",
    "unsuccessful": "unsuccessful",
    "cancelled": "dropped",
    "complete": "awarded",
}
"""How an award's status ends its lots; a pending one does not."""


def lots_of(release: Row) -> list[dict[str, Any]]:
    """The lots (extension) as they are planned."""
    tender = object_of(release, "tender")
    found: dict[str, dict[str, Any]] = {}
    for lot in items(tender.get("lots"))[:1000]:
        number = cut(clean(lot.get("id")), 40)
        if not number or number in found:
            continue
        mine = [i for i in items(tender.get("items")) if clean(i.get("relatedLot")) == number]
        value = money(lot.get("value"))
        found[number] = without_empty(
            {
                "number": number,
                "title": cut(clean(lot.get("title")), 500),
                "description": cut(clean(lot.get("description")), 5000),
                "cpv": cpv_of(mine, {}),
                "amount": None if value is None else amount(value, "estimate"),
            }
        )
    return list(found.values())


def closings_of(release: Row) -> list[dict[str, Any]]:
    """How lots ended, by the awards that name them: `{number, outcome, holders, amount}`."""
    parties = parties_of(release)
    found: dict[str, dict[str, Any]] = {}
    for award in items(release.get("awards")):
        outcome = OUTCOMES.get(clean(award.get("status")) or "active")
        lots = award.get("relatedLots")
        names = [cut(clean(name), 40) for name in lots] if isinstance(lots, list) else []
        for number in names[:1000]:
            if outcome is None or not number:
                continue
            known = found.get(number)
            if known and known["outcome"] == "awarded" and outcome != "awarded":
                continue
            holders = holders_of(award.get("suppliers"), parties) if outcome == "awarded" else []
            value = money(award.get("value")) if outcome == "awarded" and len(names) == 1 else None
            found[number] = without_empty(
                {
                    "number": number,
                    "outcome": outcome,
                    "holders": [*(known or {}).get("holders", []), *holders],
                    "amount": None if value is None else amount(value, "awarded"),
                }
            )
    return list(found.values())[:1000]


def cpv_of(rows: list[Row], tender: Row) -> list[str]:
    """The CPV codes of items, main ones first; of the whole tender where it has its own."""
    main = [object_of(row, "classification") for row in (tender, *rows)]
    more = [each for row in (tender, *rows) for each in items(row.get("additionalClassifications"))]
    codes = (
        normalise_cpv(clean(each.get("id")))
        for each in [*main, *more]
        if clean(each.get("scheme")).upper() in ("CPV", "EU-CPV")
    )
    return list(dict.fromkeys(code for code in codes if code))[:100]


def money(value: Any) -> float | None:
    """A Value in euros; None for another currency, 0 or a mistake."""
    if not isinstance(value, dict) or clean(value.get("currency")) not in ("EUR", ""):
        return None
    return euros(value.get("amount"))


def amount(value: float, kind: str) -> dict[str, Any]:
    """A sum; OCDS does not say whether it is with taxes."""
    return {"value": value, "kind": kind, "tax": "unknown"}
