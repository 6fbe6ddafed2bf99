"""What a notice is about: CPV, places, amounts, deadlines, duration, lots."""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from lxml.etree import _Element as Element

from traverse_producers.importers.bodies import has_local_name, is_french, seat_of, zone_of
from traverse_producers.importers.days import read_day
from traverse_producers.importers.eforms.notice import EXTENSION, Notice, when
from traverse_producers.importers.emit import without_empty
from traverse_producers.importers.money import euros
from traverse_producers.importers.places import FRANCE, Places
from traverse_producers.importers.text import clean, cut
from traverse_schemas.values.cpv import normalise_cpv

_LOT_TEXT_LIMIT = 5_000
_MAX_LOTS = 1000
_MANY = 1000
_NUMBERED = re.compile(r"(?:LOT|PAR)-0*([0-9]+)")
_SYMBOLIC = 1  # "1 EUR" is how forms that require a sum say nothing
_MONTHS = {"MONTH": 1.0, "YEAR": 12.0, "WEEK": 12 / 52.18, "DAY": 12 / 365.25}
# BT-131, BT-1311, BT-630, BT-13: until when; BT-130: when the buyer invites those it chose.
_PERIODS = (
    ("TenderSubmissionDeadlinePeriod", "End", "tender"),
    ("ParticipationRequestReceptionPeriod", "End", "application"),
    (f"{EXTENSION}/InterestExpressionReceptionPeriod", "End", "application"),
    ("AdditionalInformationRequestPeriod", "End", "question"),
    ("InvitationSubmissionPeriod", "Start", "decision"),
)
_LOCAL_TYPES = frozenset({"la", "ra", "body-pl-la", "body-pl-ra", "pub-undert-la", "pub-undert-ra"})


def lots_of(notice: Notice) -> list[Element]:
    """The lots (BT-137) or, in a prior information, its parts; groups of lots are none."""
    found = []
    for part in notice.root.iterfind("ProcurementProjectLot"):
        name = part.find("ID")
        if name is not None and name.get("schemeName") != "LotsGroup" and clean(name.text):
            found.append(part)
    return found[:_MAX_LOTS]


def lot_number(identifier: str) -> str:
    """`LOT-0001` as people write it: `1`; other identifiers as they stand."""
    match = _NUMBERED.fullmatch(identifier)
    return match[1] if match else cut(identifier, 40)


def is_divided(lots: list[Element]) -> bool:
    """Whether the procedure has lots: every eForms notice has at least one, even without."""
    return len(lots) > 1 or any(lot_number(_name(lot)) not in ("0", "1") for lot in lots)


def lots_as_json(notice: Notice, lots: list[Element], places: Places) -> list[dict[str, Any]]:
    """The lots with number, title, text, CPV, estimate and, where it is their own, deadline."""
    common = len({repr(deadlines_of(notice, [lot], places)) for lot in lots}) < 2
    return [
        without_empty(
            {
                "number": lot_number(_name(lot)),
                "title": cut(notice.text(lot, "ProcurementProject/Name"), 500),
                "description": cut(
                    notice.text(lot, "ProcurementProject/Description"), _LOT_TEXT_LIMIT
                ),
                "cpv": cpv_of([lot]),
                "amount": next(iter(estimates([lot])), None),
                "deadline": None
                if common
                else next(iter(deadlines_of(notice, [lot], places)), None),
            }
        )
        for lot in lots
    ]


def cpv_of(parts: Iterable[Element]) -> list[str]:
    """The CPV codes of the procedure or of lots: BT-262 of all, then BT-263."""
    parts = list(parts)
    codes = []
    for name in ("MainCommodityClassification", "AdditionalCommodityClassification"):
        for part in parts:
            for each in part.iterfind(f"ProcurementProject/{name}/ItemClassificationCode"):
                if each.get("listName", "cpv") == "cpv":
                    codes.append(normalise_cpv((each.text or "").strip()))
    return list(dict.fromkeys(code for code in codes if code))[:100]


def money(element: Element | None, path: str) -> float | None:
    """A sum in euros at a path; None when it is withheld (-1), symbolic or in another currency."""
    part = None if element is None else element.find(path)
    if part is None or part.get("currencyID", "EUR") != "EUR":
        return None
    value = euros((part.text or "").strip())
    return value if value is not None and value > _SYMBOLIC else None


def amount(value: float, kind: str) -> dict[str, Any]:
    """An amount of a notice: they are all without VAT (Implementing Regulation, annex)."""
    return {"value": value, "kind": kind, "tax": "excluded"}


def estimates(parts: Iterable[Element]) -> list[dict[str, Any]]:
    """BT-27, and the maximum of a framework agreement (BT-271), of the procedure or of a lot."""
    found = []
    for part in parts:
        total = part.find("ProcurementProject/RequestedTenderTotal")
        for path, kind in (
            ("EstimatedOverallContractAmount", "estimate"),
            (f"{EXTENSION}/FrameworkMaximumAmount", "maximum"),
        ):
            if (value := money(total, path)) is not None:
                found.append(amount(value, kind))
    return found


def deadlines_of(notice: Notice, lots: list[Element], places: Places) -> list[dict[str, Any]]:
    """Until when one may answer: the hour and offset as written, in the buyer's zone.

    One that precedes the dispatch of the notice is a mistake, which nobody can use: left out.
    """
    zone = zone_of(notice.buyer, places)
    sent = notice.dispatched.date().isoformat()
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for path, end, kind in _PERIODS:
        for lot in lots:
            at = when(lot.find(f"TenderingProcess/{path}"), f"{end}Date", f"{end}Time")
            if at is not None and at[:10] >= sent:
                found.setdefault((kind, at), {"kind": kind, "at": at, "zone": zone})
    return list(found.values())[:20]


def duration_of(lots: list[Element], signed: date | None) -> dict[str, Any]:
    """How long it runs (BT-36, without renewals), how often it is renewed, its ends where known."""
    periods = [p for lot in lots for p in lot.iterfind("ProcurementProject/PlannedPeriod")]
    months = max((m for period in periods if (m := _months(period))), default=None)
    ends = [day for p in periods if (day := read_day(p.findtext("EndDate"))) and day.year > 1970]
    end = max(ends, default=None)
    if signed and end and end < signed:
        end = None
    times = max((_renewals(lot) for lot in lots), default=0)
    return without_empty(
        {
            "notified": signed.isoformat() if signed else None,
            "duration_months": months,
            "renewals": times or None,
            "end_min": end.isoformat() if end else None,
            "end_max": end.isoformat() if end and not times else None,
        }
    )


def places_of(notice: Notice, lots: list[Element], places: Places) -> tuple[str, ...]:
    """The territories of a notice; () when neither its buyer nor its contract is in France.

    The addresses of performance, from the most precise: postal code, town, NUTS (BT-5121, BT-5131,
    BT-5071), country. "France" from a local buyer, or nothing, gives the buyer's own territory.
    """
    found: dict[str, None] = {}
    country = abroad = False
    for address in _addresses(notice, lots):
        territory = _territory(address, places)
        if territory:
            found[territory] = None
        elif _is_france(address):
            country = True
        else:
            abroad = True
    precise = [place for place in found if place != FRANCE]
    if precise:
        return tuple(precise)[:_MANY]
    if not is_french(notice.buyer):
        return (FRANCE,) if country or found else ()
    legal = clean(
        notice.root.findtext("ContractingParty/ContractingPartyType/PartyTypeCode")
    ).lower()
    local = legal in _LOCAL_TYPES or has_local_name(notice.buyer)
    if (abroad or country or found) and not local:
        return (FRANCE,)
    return (seat_of(notice.buyer, places) or FRANCE,)


def _addresses(notice: Notice, lots: list[Element]) -> Iterator[Element]:
    for part in (notice.root, *lots):
        yield from part.iterfind("ProcurementProject/RealizedLocation/Address")


def _territory(address: Element, places: Places) -> str | None:
    nuts = places.of_nuts(clean(address.findtext("CountrySubentityCode")))
    town = clean(address.findtext("CityName"))
    postal = clean(address.findtext("PostalZone"))
    if _is_france(address) and postal and (found := places.of_address(postal, town)):
        return found
    if nuts and nuts.startswith("dep:") and town and (site := places.of_site(town, nuts[4:])):
        return site
    return nuts


def _is_france(address: Element) -> bool:
    country = clean(address.findtext("Country/IdentificationCode")).upper()
    nuts = clean(address.findtext("CountrySubentityCode")).upper()
    return country == "FRA" or (not country and nuts.startswith("FR"))


def _months(period: Element) -> int | None:
    measure = period.find("DurationMeasure")
    digits = "" if measure is None else (measure.text or "").strip()
    unit = _MONTHS.get("" if measure is None else measure.get("unitCode", ""))
    if unit is None or not digits.isdecimal() or not 0 < int(digits[:6]) < 100_000:
        first, last = (read_day(period.findtext(name)) for name in ("StartDate", "EndDate"))
        if first is None or last is None or last <= first:
            return None
        months = round((last - first).days * _MONTHS["DAY"])
    else:
        months = round(int(digits) * unit)
    return max(1, months) if months <= 1200 else None


def _renewals(lot: Element) -> int:
    text = lot.findtext("ProcurementProject/ContractExtension/MaximumNumberNumeric") or ""
    digits = text.strip().removesuffix(".0")
    return int(digits) if digits.isdecimal() and int(digits[:4]) <= 100 else 0


def _name(lot: Element) -> str:
    return clean(lot.findtext("ID"))
