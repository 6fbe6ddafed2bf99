"""A notice as a record of a `call`, whatever its subtype."""

from collections.abc import Iterator
from typing import Any

from lxml.etree import _Element as Element

from traverse_producers.importers.bodies import french_number
from traverse_producers.importers.eforms import awards as ended
from traverse_producers.importers.eforms.notice import Notice, earlier_notices, is_true
from traverse_producers.importers.eforms.subject import (
    amount,
    cpv_of,
    deadlines_of,
    duration_of,
    estimates,
    is_divided,
    lots_as_json,
    lots_of,
    places_of,
)
from traverse_producers.importers.emit import without_empty
from traverse_producers.importers.places import Places
from traverse_producers.importers.text import clean, cut, title_and_description, web_address
from traverse_schemas.values.siren import is_siren

# BT-105, in the words of the Code de la commande publique.
_PROCEDURES = {
    "open": "Procédure ouverte",
    "restricted": "Procédure restreinte",
    "neg-w-call": "Procédure avec négociation",
    "neg-wo-call": "Procédure sans publicité ni mise en concurrence préalables",
    "comp-dial": "Dialogue compétitif",
    "innovation": "Partenariat d'innovation",
    "comp-tend": "Mise en concurrence (règlement n° 1370/2007, art. 5)",
    "exp-int-rail": "Manifestation d'intérêt (règlement n° 1370/2007, art. 5)",
    "oth-single": "Autre procédure en une étape",
    "oth-mult": "Autre procédure en plusieurs étapes",
}
_NATURES = {"works": "works", "supplies": "supplies", "services": "services"}
_CONCESSIONS = frozenset({"14", "19", "28", "32", "35", "40"})
_CONCESSION_LAW = "32014L0023"
_REGISTRY = "https://ted.europa.eu/fr/notice/-/detail/"
_SUITS_SME = "ProcurementProject/SMESuitableIndicator"
_RESERVED = "TendererQualificationRequest/SpecificTendererRequirement/TendererRequirementTypeCode"
_DESIGN = ("cn-desg", "can-desg")


def record_of(notice: Notice, awards: list[ended.Award], places: Places) -> dict[str, Any]:
    """The `Call` of a notice as JSON. `title` and `place` are missing when they are not known."""
    lots = lots_of(notice)
    divided = is_divided(lots)
    whole = [notice.root, *([] if divided else lots)]
    title, description = title_and_description(
        notice.text(notice.root, "ProcurementProject/Name")
        or next((t for lot in lots if (t := notice.text(lot, "ProcurementProject/Name"))), ""),
        *_paragraphs(notice, [] if divided else lots),
    )
    number = french_number(notice.buyer)
    record = {
        "title": title,
        "description": description,
        "language": notice.language_code,
        "references": _references(notice),
        "url": _address(notice, lots),
        "owner": without_empty(
            {
                "id": number,
                "name": cut(notice.buyer.name, 500),
                "kind": "state" if _is_state(notice) else None,
            }
        ),
        "place": list(places_of(notice, lots, places)),
        "amounts": _amounts(notice, awards, whole),
        "deadlines": [] if awards else deadlines_of(notice, lots, places),
        "actions": [] if awards else list(_actions(lots)),
        "subtype": _subtype(notice),
        "nature": _nature(notice, lots),
        "procedure": _procedure(notice),
        "techniques": _techniques(notice, lots),
        "cpv": cpv_of([notice.root, *lots]),
        "lots": with_awards(lots_as_json(notice, lots, places), awards) if divided else [],
        "published_on": notice.published.isoformat(),
        "holders": ended.all_holders(awards),
        "joint": _joint(notice, number),
        "access": _access(lots),
    }
    return without_empty(record) | duration_of(lots, ended.signed_on(notice))


def with_awards(lots: list[dict[str, Any]], awards: list[ended.Award]) -> list[dict[str, Any]]:
    """The lots with how each ended; several results of one lot add up."""
    by_number = {lot["number"]: dict(lot) for lot in lots}
    for award in awards:
        lot = by_number.setdefault(award.lot, {"number": award.lot})
        if lot.get("outcome") == ended.AWARDED and award.outcome != ended.AWARDED:
            continue
        known = lot.get("amount", {}) if lot.get("outcome") == ended.AWARDED else {}
        lot["outcome"] = award.outcome
        holders = lot.get("holders", [])
        if new := [holder for holder in award.holders if holder not in holders]:
            lot["holders"] = [*holders, *new]
        if award.value is not None:
            before = known.get("value", 0) if known.get("kind") == "awarded" else 0
            lot["amount"] = amount(round(before + award.value, 2), "awarded")
    return list(by_number.values())[:1000]


def _paragraphs(notice: Notice, lots: list[Element]) -> Iterator[str]:
    yield from _changes(notice)
    for part in (notice.root, *lots):
        yield notice.text(part, "ProcurementProject/Description")
    for part in (notice.root, *lots):
        yield notice.text(part, "ProcurementProject/Note")
    others = ", ".join(dict.fromkeys(body.name for body in notice.buyers[1:] if body.name))
    if others:
        yield f"Avec : {others}."


def _changes(notice: Notice) -> Iterator[str]:
    """What a change notice corrects (BT-141, BT-762), or a modification alters (BT-202, BT-201)."""
    for part in notice.extension.iterfind("Changes"):
        yield notice.text(part, "ChangeReason/ReasonDescription")
        for change in part.iterfind("Change"):
            yield notice.text(change, "ChangeDescription")
    for part in notice.extension.iterfind("ContractModification"):
        for change in part.iterfind("Change"):
            yield notice.text(change, "ChangeDescription")
        yield notice.text(part, "ChangeReason/ReasonDescription")


def _references(notice: Notice) -> list[str]:
    own = clean(notice.root.findtext("ProcurementProject/ID"))
    found = [notice.number, notice.publication or "", own if _tells(own) else ""]
    found += earlier_notices(notice)
    return list(dict.fromkeys(cut(each, 200) for each in found if each))[:50]


def _tells(reference: str) -> bool:
    return any(char.isdigit() for char in reference)


def _address(notice: Notice, lots: list[Element]) -> str | None:
    """Its page in French; before it is published, where the documents or the buyer are."""
    if notice.publication:
        return f"{_REGISTRY}{notice.publication}"
    paths = (
        "TenderingTerms/CallForTendersDocumentReference/Attachment/ExternalReference/URI",
        "TenderingTerms/TenderRecipientParty/EndpointID",
        "TenderingProcess/AccessToolsURI",
    )
    found = [lot.findtext(path) for path in paths for lot in lots]
    found.append(notice.root.findtext("ContractingParty/BuyerProfileURI"))
    found += [part.findtext("Company/WebsiteURI") for part in notice.organizations.values()][:1]
    return next((url for text in found if (url := web_address(text))), None)


def _actions(lots: list[Element]) -> Iterator[dict[str, Any]]:
    for path, kind, label in (
        ("TenderingTerms/TenderRecipientParty/EndpointID", "respond", "Répondre"),
        (
            "TenderingTerms/CallForTendersDocumentReference/Attachment/ExternalReference/URI",
            "procedure",
            "Dossier de consultation",
        ),
    ):
        urls = (web_address(part.text) for lot in lots for part in lot.iterfind(path))
        if url := next((url for url in urls if url), None):
            yield {"kind": kind, "url": url, "label": label}


def _amounts(
    notice: Notice, awards: list[ended.Award], whole: list[Element]
) -> list[dict[str, Any]]:
    found = []
    if (total := ended.total_of(notice, awards)) is not None:
        found.append(amount(total, "awarded"))
    if (maximum := ended.framework_maximum(notice)) is not None:
        found.append(amount(maximum, "maximum"))
    # The procedure's values, else those of its only lot; the same one is said twice by many.
    for each in estimates(whole):
        if each["kind"] not in {one["kind"] for one in found}:
            found.append(each)
    return found


def _subtype(notice: Notice) -> str:
    law = clean(notice.root.findtext("RegulatoryDomain"))
    if notice.subtype in _CONCESSIONS or law == _CONCESSION_LAW:
        return "concession"
    if notice.subtype == "CEI":
        return "expression_of_interest"
    return "sourcing" if notice.form == "consultation" else "contract"


def _nature(notice: Notice, lots: list[Element]) -> str | None:
    said = [clean(part.findtext("ProcurementProject/ProcurementTypeCode"))
            for part in (notice.root, *lots)]  # fmt: skip
    return next((_NATURES[code] for code in said if code in _NATURES), None)


def _procedure(notice: Notice) -> str | None:
    process = notice.root.find("TenderingProcess")
    if process is None or ended.is_withheld(process, "pro-typ"):
        return None
    label = _PROCEDURES.get(clean(process.findtext("ProcedureCode")))
    fast = any(
        is_true(part.text)
        for part in process.iterfind("ProcessJustification/ProcessReasonCode")
        if part.get("listName") == "accelerated-procedure"
    )
    return f"{label} (accélérée)" if label and fast else label


def _techniques(notice: Notice, lots: list[Element]) -> list[str]:
    found = set()
    for lot in lots:
        for part in lot.iterfind("TenderingProcess/ContractingSystem/ContractingSystemTypeCode"):
            if clean(part.text) in ("", "none"):
                continue
            if part.get("listName") == "framework-agreement":
                found.add("framework_agreement")
            elif part.get("listName") == "dps-usage":
                found.add("dynamic_purchasing_system")
        if is_true(lot.findtext("TenderingProcess/AuctionTerms/AuctionConstraintIndicator")):
            found.add("electronic_auction")
        if _code(lot, "ContractExecutionRequirement/ExecutionRequirementCode",
                 "ecatalog-submission") == {"required"}:  # fmt: skip
            found.add("electronic_catalogue")
    if notice.type == "qu-sy":
        found.add("qualification_system")
    if notice.type in _DESIGN:
        found.add("design_contest")
    return sorted(found)


def _access(lots: list[Element]) -> list[str]:
    reserved = (
        "TendererQualificationRequest/SpecificTendererRequirement/TendererRequirementTypeCode"
    )
    strategic = {
        clean(part.text)
        for lot in lots
        for part in lot.iterfind("ProcurementProject/ProcurementAdditionalType/ProcurementTypeCode")
        if part.get("listName") == "strategic-procurement"
    }
    said = {
        "sme": any(
            is_true(lot.findtext("ProcurementProject/SMESuitableIndicator")) for lot in lots
        ),
        "reserved": any(
            _code(lot, reserved, "reserved-procurement") - {"", "none"} for lot in lots
        ),
        "social": "soc-obj" in strategic,
        "green": "env-imp" in strategic,
    }
    return [name for name, true in said.items() if true]


def _code(lot: Element, path: str, list_name: str) -> set[str]:
    parts = lot.iterfind(f"TenderingTerms/{path}")
    return {clean(part.text) for part in parts if part.get("listName") == list_name}


def _joint(notice: Notice, number: str | None) -> dict[str, Any] | None:
    """A groupement de commandes: several buyers, all known by right SIRENs; the lead first."""
    if len(notice.buyers) < 2 or number is None or not is_siren(number[:9]):
        return None
    others = [(french_number(body) or "")[:9] for body in notice.buyers[1:]]
    members = [other for other in dict.fromkeys(others) if is_siren(other) and other != number[:9]]
    return {"coordinator": number[:9], "members": members} if members else None


def _is_state(notice: Notice) -> bool:
    legal = notice.root.findtext("ContractingParty/ContractingPartyType/PartyTypeCode")
    return clean(legal) in ("cga", "body-pl-cga")
