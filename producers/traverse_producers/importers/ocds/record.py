"""A release, or a compiled record, as a record of a `call`.

Fields are those of the release schema 1.1 and of its extensions lots, location, techniques and
additional classifications; contact points are never read.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from traverse_producers.importers.bodies import (
    NOBODY,
    french_number,
    is_french,
    seat_of,
    zone_of,
)
from traverse_producers.importers.days import add_months, read_day
from traverse_producers.importers.emit import without_empty
from traverse_producers.importers.json_items import Row
from traverse_producers.importers.ocds.lots import amount, cpv_of, lots_of, money
from traverse_producers.importers.ocds.parties import (
    buyers_of,
    holders_of,
    items,
    object_of,
    parties_of,
)
from traverse_producers.importers.places import FRANCE, Places
from traverse_producers.importers.text import clean, cut, title_and_description, web_address
from traverse_schemas.values.instant import Instant
from traverse_schemas.values.siren import is_siren

_NATURES = {"goods": "supplies", "works": "works", "services": "services"}
_PROCEDURES = {
    "open": "Procédure ouverte",
    "selective": "Procédure sélective",
    "limited": "Procédure limitée",
    "direct": "Attribution directe",
}
_PAGES = ("tenderNotice", "awardNotice", "contractNotice", "biddingDocuments")


def record_of(release: Row, places: Places) -> dict[str, Any]:
    """The `Call` as JSON. `title` and `place` are missing when they are not known."""
    tender, planning = object_of(release, "tender"), object_of(release, "planning")
    buyers = buyers_of(release)
    buyer = buyers[0] if buyers else NOBODY
    number = french_number(buyer)
    contracts = items(release.get("contracts"))
    title, description = title_and_description(
        clean(tender.get("title")) or clean(release.get("title")) or _first_title(release),
        clean(tender.get("description")),
        clean(planning.get("rationale")),
        *_amendments(release),
        _together(buyers),
    )
    record = {
        "title": title,
        "description": description,
        "language": _language(release),
        "references": _references(release),
        "url": _address(release),
        "owner": without_empty({"id": number, "name": cut(buyer.name, 500)}),
        "place": list(_places(release, places)),
        "amounts": _amounts(release),
        "deadlines": _deadlines(release, places),
        "subtype": "concession" if "concession" in _said(tender) else "contract",
        "nature": _NATURES.get(clean(tender.get("mainProcurementCategory"))),
        "procedure": cut(clean(tender.get("procurementMethodDetails")), 500)
        or _PROCEDURES.get(clean(tender.get("procurementMethod"))),
        "techniques": _techniques(tender),
        "cpv": cpv_of(_all_items(release), tender),
        "lots": lots_of(release),
        "published_on": day.isoformat() if (day := read_day(release.get("date"))) else None,
        "holders": [],
        "joint": _joint(number, buyers),
    }
    holders: list[dict[str, Any]] = []
    for award in items(release.get("awards")):
        if clean(award.get("status")) in ("active", ""):
            found = holders_of(award.get("suppliers"), parties_of(release))
            holders += [holder for holder in found if holder not in holders]
    record["holders"] = holders[:1000]
    return without_empty(record) | _duration(tender, contracts)


def _amounts(release: Row) -> list[dict[str, Any]]:
    tender = object_of(release, "tender")
    awards = [a for a in items(release.get("awards")) if clean(a.get("status")) in ("active", "")]
    signed = [v for a in awards if (v := money(a.get("value"))) is not None]
    found = [amount(round(sum(signed), 2), "awarded")] if signed else []
    budget = object_of(object_of(release, "planning"), "budget").get("amount")
    for value in (tender.get("value"), budget):
        if (estimate := money(value)) is not None:
            found.append(amount(estimate, "estimate"))
            break
    return found


def _deadlines(release: Row, places: Places) -> list[dict[str, Any]]:
    """Until when one may answer or ask, in the buyer's zone; one before the release is left out."""
    tender = object_of(release, "tender")
    buyers = buyers_of(release)
    zone = zone_of(buyers[0] if buyers else NOBODY, places)
    said = [(object_of(tender, "tenderPeriod").get("endDate"), "tender")]
    said += [(object_of(lot, "tenderPeriod").get("endDate"), "tender")
             for lot in items(tender.get("lots"))]  # fmt: skip
    said.append((object_of(tender, "enquiryPeriod").get("endDate"), "question"))
    since = clean(release.get("date"))[:10]
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for value, kind in said:
        at = _instant(clean(value), zone)
        if at and at[:10] >= since:
            found.setdefault((kind, at), {"kind": kind, "at": at, "zone": zone})
    return list(found.values())[:20]


def _instant(text: str, zone: str) -> str | None:
    """An RFC 3339 instant in the zone; midnight and the day's last second are a date alone."""
    if not text:
        return None
    try:
        read = Instant.parse(text, zone)
    except ValueError:
        return None
    if read.precision == "day" or text[10:19] in ("T00:00:00", "T23:59:59"):
        return text[:10]
    return read.at.isoformat(timespec="minutes")


def _places(release: Row, places: Places) -> tuple[str, ...]:
    """Where items are delivered; else where the buyer is; () when it is not in France."""
    buyers = buyers_of(release)
    buyer = buyers[0] if buyers else NOBODY
    found: dict[str, None] = {}
    for row in _all_items(release):
        for address in (*items(row.get("deliveryAddresses")), object_of(row, "deliveryAddress")):
            town = clean(address.get("locality"))
            where = places.of_address(clean(address.get("postalCode")), town)
            where = where or places.of_nuts(clean(address.get("region")))
            if where:
                found[where] = None
    if found:
        return tuple(found)[:1000]
    seat = seat_of(buyer, places) if is_french(buyer) else None
    return (seat or FRANCE,) if is_french(buyer) else ()


def _all_items(release: Row) -> list[Row]:
    parts = (object_of(release, "tender"), *items(release.get("awards")),
             *items(release.get("contracts")))  # fmt: skip
    return [item for part in parts for item in items(part.get("items"))]


def _first_title(release: Row) -> str:
    for name in ("awards", "contracts"):
        for part in items(release.get(name)):
            if title := clean(part.get("title")):
                return title
    return clean(object_of(object_of(release, "planning"), "budget").get("project"))


def _amendments(release: Row) -> Iterator[str]:
    """What amendments say that they change."""
    parts = (object_of(release, "tender"), *items(release.get("awards")),
             *items(release.get("contracts")))  # fmt: skip
    for part in parts:
        for amendment in (*items(part.get("amendments")), object_of(part, "amendment")):
            said = (clean(amendment.get("rationale")), clean(amendment.get("description")))
            yield " ".join(text for text in said if text)


def _together(buyers: list[Any]) -> str:
    named = ", ".join(dict.fromkeys(body.name for body in buyers[1:] if body.name))
    return f"Avec : {named}." if named else ""


def _joint(number: str | None, buyers: list[Any]) -> dict[str, Any] | None:
    others = [(french_number(body) or "")[:9] for body in buyers[1:]]
    if number is None or not is_siren(number[:9]):
        return None
    members = [other for other in dict.fromkeys(others) if is_siren(other) and other != number[:9]]
    return {"coordinator": number[:9], "members": members} if members else None


def _language(release: Row) -> str | None:
    code = clean(release.get("language")).lower().partition("-")[0]
    return code if code.isalpha() and len(code) in (2, 3) else None


def _references(release: Row) -> list[str]:
    tender = object_of(release, "tender")
    numbers = [clean(release.get("ocid")), clean(tender.get("id"))]
    numbers += [clean(contract.get("id")) for contract in items(release.get("contracts"))]
    told = (number for number in numbers if any(char.isdigit() for char in number))
    return [cut(number, 200) for number in dict.fromkeys(told)][:50]


def _address(release: Row) -> str | None:
    """The page of the notice, else of the documents, else any that the process gives."""
    parts = (object_of(release, "tender"), *items(release.get("awards")),
             *items(release.get("contracts")), object_of(release, "planning"))  # fmt: skip
    documents = [document for part in parts for document in items(part.get("documents"))]
    order = {name: place for place, name in enumerate(_PAGES)}
    documents.sort(key=lambda each: order.get(clean(each.get("documentType")), len(order)))
    found = [document.get("url") for document in documents]
    found.append(object_of(release, "tender").get("submissionMethodDetails"))
    return next((url for value in found if (url := web_address(value))), None)


def _techniques(tender: Row) -> list[str]:
    techniques = object_of(tender, "techniques")
    names = {
        "hasFrameworkAgreement": "framework_agreement",
        "hasDynamicPurchasingSystem": "dynamic_purchasing_system",
        "hasElectronicAuction": "electronic_auction",
    }
    return sorted(name for key, name in names.items() if techniques.get(key) is True)


def _said(tender: Row) -> str:
    names = ("procurementMethodDetails", "mainProcurementCategory")
    return " ".join(clean(tender.get(name)).casefold() for name in names)


def _duration(tender: Row, contracts: list[Row]) -> dict[str, Any]:
    """When the contracts were signed, and how long they run."""
    signed = [day for part in contracts if (day := read_day(part.get("dateSigned")))]
    periods = [object_of(part, "period") for part in contracts]
    periods = [p for p in periods if p] or [object_of(tender, "contractPeriod")]
    ends = [day for period in periods if (day := read_day(period.get("endDate")))]
    days = [n for p in periods if isinstance(n := p.get("durationInDays"), int) and 0 < n < 36_500]
    months = max(1, round(max(days) / 30.44)) if days else None
    if months is None:
        spans = [
            (last - first).days
            for p in periods
            if (first := read_day(p.get("startDate"))) and (last := read_day(p.get("endDate")))
        ]
        longest = max(spans, default=0)
        months = round(longest / 30.44) if 15 < longest < 36_500 else None
    end = max(ends, default=None)
    start = max(signed, default=None)
    if end is None and start is not None and months is not None:
        end = add_months(start, months)
    if start and end and end < start:
        end = None
    return without_empty(
        {
            "notified": start.isoformat() if start else None,
            "duration_months": months if months and months <= 1200 else None,
            "end_max": end.isoformat() if end else None,
        }
    )


def moment_of(release: Row) -> datetime | None:
    """When the release was made, aware; a date alone is its beginning in Paris."""
    try:
        return Instant.parse(clean(release.get("date"))).at
    except ValueError:
        return None
