"""A notice as a record of a `call`, whatever its form."""

import re
from typing import Any

from lxml.etree import _Element as Element

from traverse_producers.importers.bodies import french_number, zone_of
from traverse_producers.importers.days import add_months
from traverse_producers.importers.emit import without_empty
from traverse_producers.importers.places import Places
from traverse_producers.importers.ted import awards as ended
from traverse_producers.importers.ted.notice import Notice, body_of, ojs_number, text_of, words
from traverse_producers.importers.ted.subject import (
    awarded,
    cpv_of,
    descriptions,
    estimates,
    last_day,
    lots_of,
    months_of,
    title_of,
    values,
)
from traverse_producers.importers.text import clean, cut, title_and_description, web_address
from traverse_schemas.values.siren import is_siren

CORRECTION, MODIFICATION = "F14_2014", "F20_2014"

# PR_PROC, TED's code list of procedures, in the words of the Code de la commande publique.
_PROCEDURES = {
    "1": "Procédure ouverte",
    "2": "Procédure restreinte",
    "3": "Procédure restreinte accélérée",
    "4": "Procédure négociée avec mise en concurrence préalable",
    "6": "Procédure négociée accélérée",
    "B": "Procédure avec négociation",
    "C": "Dialogue compétitif",
    "E": "Procédure d'attribution d'une concession",
    "F": "Attribution d'une concession sans publicité préalable",
    "G": "Partenariat d'innovation",
    "T": "Procédure négociée sans mise en concurrence préalable",
    "V": "Attribution sans publicité préalable",
}
# In these, candidates answer first with an application (art. R.2144-8, R.2142-15).
_IN_TWO_STEPS = frozenset({"2", "3", "4", "6", "B", "C", "G"})
_NATURES = {"1": "works", "2": "supplies", "4": "services"}
_CONCESSIONS = frozenset({"F23_2014", "F24_2014", "F25_2014"})
_CONCESSION_LAW = ("32014L0023", "2014/23/EU")
_TECHNIQUES = {
    "FRAMEWORK": "framework_agreement",
    "DPS": "dynamic_purchasing_system",
    "EAUCTION_USED": "electronic_auction",
    "ECATALOGUE_REQUIRED": "electronic_catalogue",
    "CONCLUSION_FRAMEWORK_AGREEMENT": "framework_agreement",
}
_BY_FORM = {
    "F07_2014": "qualification_system",
    "F12_2014": "design_contest",
    "F13_2014": "design_contest",
}
_RESERVED = (
    "RESTRICTED_SHELTERED_WORKSHOP",
    "RESTRICTED_SHELTERED_PROGRAM",
    "RESERVED_ORGANISATIONS_SERVICE_MISSION",
)
_DATE_TIME = re.compile(
    r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})(?:[ T]+([01][0-9]|2[0-3]):([0-5][0-9]))?"
)


def record_of(
    notice: Notice, place: tuple[str, ...], awards: list[ended.Award], places: Places
) -> dict[str, Any]:
    """The `Call` of a notice as JSON. Its title is missing when the notice has none."""
    form = notice.form
    planned = lots_of(form)
    lots = ended.with_awards(planned, awards)
    number = french_number(notice.buyer)
    title, description = title_and_description(
        title_of(form),
        *_about(notice),
        *descriptions(form, with_lots=bool(planned)),
        *_changes(form),
        _together(form),
    )
    record = {
        "title": title,
        "description": description,
        "language": form.get("LG", "FR").lower(),
        "references": _references(notice),
        "url": notice.url,
        "owner": without_empty(
            {
                "id": number,
                "name": cut(notice.buyer.name, 500),
                "kind": "state" if notice.code("AA_AUTHORITY_TYPE") in ("1", "N") else None,
            }
        ),
        "place": list(place),
        "amounts": _amounts(form, awards, bool(planned)),
        "deadlines": [] if awards else _deadlines(notice, places),
        "actions": [] if awards else _actions(form),
        "subtype": "concession" if _is_concession(notice) else "contract",
        "nature": _NATURES.get(notice.code("NC_CONTRACT_NATURE")),
        "procedure": _PROCEDURES.get(notice.code("PR_PROC")),
        "techniques": _techniques(form),
        "cpv": cpv_of(form),
        "lots": lots,
        "published_on": notice.published.isoformat(),
        "holders": ended.all_holders(awards),
        "joint": _joint(form, number),
        "access": ["reserved"] if next(form.iter(*_RESERVED), None) is not None else [],
    }
    return without_empty(record) | _duration(form, awards)


def _about(notice: Notice) -> list[str]:
    earlier = ", ".join(_earlier(notice)) or "un avis antérieur"
    if notice.kind == CORRECTION:
        return [f"Avis rectificatif de {earlier}."]
    if notice.kind == MODIFICATION:
        return [f"Modification en cours d'exécution du contrat attribué par {earlier}."]
    return []


def _changes(form: Element) -> list[str]:
    """What a correction (F14) or a modification (F20) says that it changes."""
    found = []
    for change in form.iterfind("CHANGES/CHANGE"):
        where = text_of(change, "WHERE/LABEL") or text_of(change, "WHERE/SECTION")
        new = text_of(change, "NEW_VALUE")
        if new:
            found.append(f"{where} : {new}" if where else new)
    found.append(text_of(form, "CHANGES/INFO_ADD"))
    found += [text_of(part) for part in form.iterfind("MODIFICATIONS_CONTRACT/*/SHORT_DESCR")]
    reasons = ("UNFORESEEN_CIRCUMSTANCE", "ADDITIONAL_NEED")
    return found + [text_of(part) for part in form.iter(*reasons)]


def _together(form: Element) -> str:
    others = [body_of(part).name for part in form.iter("ADDRESS_CONTRACTING_BODY_ADDITIONAL")]
    named = ", ".join(dict.fromkeys(name for name in others if name))
    return f"Avec : {named}." if named else ""


def _joint(form: Element, number: str | None) -> dict[str, Any] | None:
    """A groupement de commandes: the first buyer coordinates it; all known by right SIRENs."""
    if next(form.iter("JOINT_PROCUREMENT_INVOLVED"), None) is None:
        return None
    if number is None or not is_siren(number[:9]):
        return None
    others = [
        (french_number(body_of(part)) or "")[:9]
        for part in form.iter("ADDRESS_CONTRACTING_BODY_ADDITIONAL")
    ]
    members = list(dict.fromkeys(other for other in others if is_siren(other)))
    return {"coordinator": number[:9], "members": [m for m in members if m != number[:9]]}


def _earlier(notice: Notice) -> list[str]:
    """The numbers of the notices that this one refers to."""
    fields = [*notice.form.iter("NOTICE_NUMBER_OJ"), *notice.coded.iterfind(".//REF_NOTICE/*")]
    numbers = (ojs_number(words(field)) for field in fields)
    return list(dict.fromkeys(n for n in numbers if n and n != notice.ojs))


def _references(notice: Notice) -> list[str]:
    own = clean(notice.form.findtext(".//REFERENCE_NUMBER"))
    own = own or text_of(notice.form, ".//FILE_REFERENCE_NUMBER")
    file_number = cut(own, 200) if any(char.isdigit() for char in own) else ""
    return [n for n in (notice.ojs, file_number, *_earlier(notice)) if n]


def _amounts(form: Element, awards: list[ended.Award], lots: bool) -> list[dict[str, Any]]:
    found = estimates(form, lots)
    if not awards:
        return found
    whole = [v for part in form.findall("OBJECT_CONTRACT") for v in _total(part)]
    after = [v for part in form.iter("INFO_MODIFICATIONS") for v in values(part, "VAL_TOTAL_AFTER")]
    each = [award.value for award in awards if award.value is not None]
    signed = after[:1] or whole[:1] or ([round(sum(each), 2)] if each else [])
    return [awarded(value) for value in signed] + found


def _total(part: Element) -> list[float]:
    return [
        value for child in part if child.tag == "VAL_TOTAL" for value in values(child, "VAL_TOTAL")
    ]


def _deadlines(notice: Notice, places: Places) -> list[dict[str, Any]]:
    """Until when one may answer, in the buyer's zone, to the minute where the hour is given.

    The coded date comes first: the Publications Office keeps it up to date with corrections. One
    that precedes the publication is a mistake, which the schema would refuse: left out.
    """
    form = notice.form
    coded = notice.coded.findtext(".//DT_DATE_FOR_SUBMISSION") or ""
    day, hour = form.findtext(".//DATE_RECEIPT_TENDERS"), form.findtext(".//TIME_RECEIPT_TENDERS")
    match = _DATE_TIME.search(coded) or _DATE_TIME.search(f"{day or ''} {hour or ''}".strip())
    if match is None:
        return []
    year, month, number, hours, minutes = match.groups()
    at = f"{year}-{month}-{number}"
    if at < notice.published.isoformat() or int(year) > 2100:
        return []
    applies = notice.code("PR_PROC") in _IN_TWO_STEPS or notice.kind == "F12_2014"
    return [
        {
            "kind": "application" if applies else "tender",
            "at": f"{at}T{hours}:{minutes}" if hours else at,
            "zone": zone_of(notice.buyer, places),
        }
    ]


def _actions(form: Element) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, kind, label in (
        ("URL_PARTICIPATION", "respond", "Répondre"),
        ("URL_PARTICIPATE", "respond", "Répondre"),
        ("URL_DOCUMENT", "procedure", "Dossier de consultation"),
    ):
        url = web_address(form.findtext(f".//{name}"))
        if url:
            found.setdefault(kind, {"kind": kind, "url": url, "label": label})
    return list(found.values())


def _is_concession(notice: Notice) -> bool:
    laws = [part.get("VALUE") for part in notice.form.iter("LEGAL_BASIS", "DIRECTIVE")]
    return notice.kind in _CONCESSIONS or any(law in _CONCESSION_LAW for law in laws)


def _techniques(form: Element) -> list[str]:
    found = {_TECHNIQUES[str(part.tag)] for part in form.iter(*_TECHNIQUES)}
    involved = (part.get("VALUE", "") for part in form.iter("NOTICE_INVOLVES_DEFENCE"))
    if any("FRAMEWORK" in value for value in involved):
        found.add("framework_agreement")
    if str(form.tag) in _BY_FORM:
        found.add(_BY_FORM[str(form.tag)])
    return sorted(found)


def _duration(form: Element, awards: list[ended.Award]) -> dict[str, Any]:
    """When the contract was signed, how long it runs, and its ends as far as they are known.

    TED's duration is without renewals: with renewals it gives the earliest end only.
    """
    changed = form.findall(".//DESCRIPTION_PROCUREMENT")
    months = months_of(changed) or months_of([form])
    start = form if not changed else changed[0]
    end = last_day(start, "DATE_END") or last_day(form, "DATE_END")
    signed = max((award.on for award in awards if award.on), default=None)
    renewed = next(form.iter("RENEWAL"), None) is not None
    if end is None and months and (first := last_day(start, "DATE_START") or signed):
        end = add_months(first, months)
    if signed and end and end < signed:
        end = None
    return without_empty(
        {
            "notified": signed.isoformat() if signed else None,
            "duration_months": months,
            "end_min": end.isoformat() if end else None,
            "end_max": end.isoformat() if end and not renewed else None,
        }
    )
