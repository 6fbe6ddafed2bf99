"""A DECP row as a record: a `call` that is closed, for the contract is awarded.

Fields and their meaning: arrêté du 22 mars 2019 relatif aux données essentielles, annexes 1 and 2
(2019 format); arrêtés du 22 décembre 2022 (schema 2.0). Natural persons among the holders stay as
published (number and name are open data by those texts), and nothing else of them.
"""

import re
from datetime import date, datetime
from typing import Any

from traverse_producers.importers.days import add_months, read_day, start_of_day
from traverse_producers.importers.emit import short_hash, without_empty
from traverse_producers.importers.json_items import Row
from traverse_producers.importers.money import euros
from traverse_producers.importers.places import Places
from traverse_producers.importers.text import clean, cut, title_and_description
from traverse_schemas.records.codes import FRAMEWORK
from traverse_schemas.values.cpv import normalise_cpv
from traverse_schemas.values.instant import zone_of_department
from traverse_schemas.values.siren import normalise_siret

_TECHNIQUES = {
    "accord-cadre": "framework_agreement",
    "concours": "design_contest",
    "système de qualification": "qualification_system",
    "système d'acquisition dynamique": "dynamic_purchasing_system",
    "catalogue électronique": "electronic_catalogue",
    "enchère électronique": "electronic_auction",
}
_MAX_MONTHS = 1200
_HOLDER_ID_LIMIT = 40


def subject_of(row: Row) -> str:
    """The record's own reference: buyer, contract number, and a mark of what tells it apart.

    Numbers repeat (one for several lots, or the same for other contracts, years later), so holders,
    date and amount of the contract as it was signed are part of it: whatever the order of the
    file, and although its object or the date of its publication be corrected.
    """
    mark = short_hash([_holder_keys(row), clean(_signed_on(row)), str(euros(_amount(row)))])
    number = "".join(clean(row.get("id")).split())[:100]
    return f"{_buyer_id(row) or '-'}:{number or '-'}:{mark}"


def record_of(row: Row, places: Places) -> dict[str, Any]:
    """The `Call` of a row as JSON. `title` is missing when the row has no object."""
    concession = _is_concession(row)
    buyer = _buyer_id(row)
    title, description = title_and_description(clean(row.get("objet")))
    signed = read_day(_signed_on(row))
    framework = "framework_agreement" in (techniques := _techniques(row))
    cpv = normalise_cpv(clean(row.get("codeCPV")))
    record = {
        "title": title,
        "description": description,
        "language": "fr",
        "references": _references(row),
        "owner": without_empty({"id": buyer, "name": cut(_buyer_name(row), 500)}),
        "place": [_place(row, buyer, places)],
        "amounts": _amounts(row, framework),
        "subtype": "concession" if concession else "contract",
        "nature": _concession_nature(clean(row.get("nature"))) if concession else None,
        "procedure": cut(clean(row.get("procedure")), 500),
        "techniques": techniques,
        "cpv": [cpv] if cpv else [],
        "published_on": _iso(read_day(row.get("datePublicationDonnees"))),
        "notified": _iso(signed),
        "holders": _holders(row),
        "access": _access(row),
    }
    return without_empty(record) | duration(row, signed)


def duration(row: Row, signed: date | None) -> dict[str, Any]:
    """`duration_months` and `end_max`: `dureeMois` counts renewals, so it is the latest end.

    The earliest end is not known. A duration of 0, or of more than a century, says nothing.
    """
    digits = clean(row.get("dureeMois")).removesuffix(".0")
    months = int(digits) if digits.isdecimal() and len(digits) < 6 else 0
    if not 0 < months <= _MAX_MONTHS:
        return {}
    end = add_months(signed, months) if signed else None
    return without_empty({"duration_months": months, "end_max": _iso(end)})


def time_of(row: Row, place: str, places: Places, as_of: datetime | None) -> datetime | None:
    """When the row was published, else signed: the day's first moment where the contract is.

    Without any of them, `as_of`; None when that is missing too.
    """
    day = read_day(row.get("datePublicationDonnees")) or read_day(_signed_on(row))
    if day is None:
        return as_of
    return start_of_day(day, zone_of_department(places.department_of(place)))


def amended(record: dict[str, Any], row: Row, change: Row) -> dict[str, Any]:
    """The record with what a modification (avenant) changes: amount, duration, holders, text."""
    result = dict(record)
    amount = euros(change.get("montant", change.get("valeurGlobale")))
    if amount is not None:
        kind = next((a["kind"] for a in record.get("amounts", ()) if a["kind"] != "subsidy"), None)
        others = [a for a in record.get("amounts", ()) if a["kind"] == "subsidy"]
        result["amounts"] = [_amount_part(amount, kind or "awarded"), *others]
    result |= duration(change, read_day(_signed_on(row)))
    if holders := _holders({**change, "typeGroupementOperateurs": None}):
        result["holders"] = holders
    if text := clean(change.get("objetModification")):
        said = [part for part in (record.get("description"), f"Modification : {text}") if part]
        result["description"] = cut("\n".join(said), 50_000)
    return result


def modifications(row: Row) -> list[Row]:
    """The modifications of a row, in its order, in both formats."""
    return [_unwrap(item, "modification") for item in _items(row.get("modifications"))]


def modified_on(change: Row) -> date | None:
    """The day a modification was published, else notified or signed."""
    names = (
        "datePublicationDonneesModification",
        "dateNotificationModification",
        "dateSignatureModification",
    )
    return next((day for name in names if (day := read_day(change.get(name)))), None)


def _is_concession(row: Row) -> bool:
    return "autoriteConcedante" in row or "concessionnaires" in row


def _buyer(row: Row) -> Row:
    buyer = row.get("acheteur") or row.get("autoriteConcedante")
    return buyer if isinstance(buyer, dict) else {}


def _buyer_id(row: Row) -> str | None:
    return normalise_siret(clean(_buyer(row).get("id")))


def _buyer_name(row: Row) -> str:
    return clean(_buyer(row).get("nom"))


def _signed_on(row: Row) -> object:
    return row.get("dateNotification") or row.get("dateSignature")


def _amount(row: Row) -> object:
    return row.get("montant") if row.get("montant") is not None else row.get("valeurGlobale")


def _amounts(row: Row, framework: bool) -> list[dict[str, Any]]:
    # "Montant forfaitaire ou estimé maximum en euros HT" (arrêté of 2019, annex 1).
    amount = euros(_amount(row))
    subsidy = euros(row.get("montantSubventionPublique"))
    parts = []
    if amount is not None:
        parts.append(_amount_part(amount, "maximum" if framework else "awarded"))
    if subsidy is not None:
        parts.append({"value": subsidy, "kind": "subsidy"})
    return parts


def _amount_part(value: float, kind: str) -> dict[str, Any]:
    return {"value": value, "kind": kind, "tax": "excluded"}


def _references(row: Row) -> list[str]:
    """Its number; and that of the framework agreement which it is an order of (marché subséquent),
    told as such, for all orders of one agreement share it."""
    own, framework = clean(row.get("id")), clean(row.get("idAccordCadre"))
    numbers = (own, f"{FRAMEWORK}{framework}" if framework not in ("", own) else "")
    return [cut(number, 200) for number in numbers if number]


def _place(row: Row, buyer: str | None, places: Places) -> str:
    place = row.get("lieuExecution")
    place = place if isinstance(place, dict) else {}
    return places.of_coded(
        clean(place.get("code")), clean(place.get("typeCode")), clean(place.get("nom")), buyer
    )


def _techniques(row: Row) -> list[str]:
    said = [clean(row.get("nature")), *_words(row.get("techniques"), "technique")]
    found = (_TECHNIQUES.get(word.lower().replace("’", "'")) for word in said)
    return sorted({technique for technique in found if technique})


def _access(row: Row) -> list[str]:
    social = _words(row.get("considerationsSociales"), "considerationSociale")
    green = _words(row.get("considerationsEnvironnementales"), "considerationEnvironnementale")
    said = {
        "reserved": any("réservé" in word.lower() for word in social),
        "social": any(word.lower().startswith(("clause", "critère")) for word in social),
        "green": any(word.lower().startswith(("clause", "critère")) for word in green),
    }
    return [name for name, true in said.items() if true]


def _concession_nature(nature: str) -> str | None:
    if "travaux" in nature.lower():
        return "works"
    return "services" if "service" in nature.lower() else None


def _holders(row: Row) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for holder in _holder_rows(row):
        number = "".join(clean(holder.get("id")).split())
        number = normalise_siret(number) or number[:_HOLDER_ID_LIMIT]
        part = without_empty(
            {"id": number, "name": cut(clean(holder.get("denominationSociale")), 500)}
        )
        if part and part not in found:
            found.append(part)
    # Schema 2.0 shows only the leader (mandataire) of a group of firms.
    group = clean(row.get("typeGroupementOperateurs")).lower()
    if found and re.match(r"conjoint|solidaire", group):
        found[0]["role"] = "leader"
    elif len(found) == 1 and group == "pas de groupement":
        found[0]["role"] = "single"
    return found[:1000]


def _holder_rows(row: Row) -> list[Row]:
    holders = _items(row.get("titulaires")) + _items(row.get("concessionnaires"))
    return [_unwrap(_unwrap(item, "titulaire"), "concessionnaire") for item in holders]


def _holder_keys(row: Row) -> list[str]:
    keys = (
        "".join(clean(holder.get("id")).split()) or clean(holder.get("denominationSociale"))
        for holder in _holder_rows(row)
    )
    return sorted(key for key in keys if key)


def _items(value: object) -> list[Row]:
    if isinstance(value, dict):
        value = [value]
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _unwrap(item: Row, name: str) -> Row:
    inner = item.get(name)
    return inner if isinstance(inner, dict) else item


def _words(value: object, name: str) -> list[str]:
    if isinstance(value, dict):
        value = value.get(name)
    if isinstance(value, str):
        value = [value]
    return [clean(word) for word in value] if isinstance(value, list) else []


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
