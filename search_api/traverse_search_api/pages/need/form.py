"""« Signaler un besoin »: from what somebody typed to a need, or to what is still missing. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from traverse_schemas.documents.status import french_day
from traverse_schemas.events import event_type
from traverse_schemas.french.numbers import euros
from traverse_schemas.log.identity import utc_text
from traverse_schemas.records.codes import SUBTYPE_LABELS, NeedSubtype
from traverse_schemas.reference.territories import Territories
from traverse_schemas.registry.institutions import Institution, Role
from traverse_schemas.visibility import Visibility
from traverse_search_api.pages.audience import SEEN_BY
from traverse_search_api.pages.need.contact import contact_faults, contact_of, typed_contact
from traverse_search_api.pages.typed_place import PlaceChoice, label_of, place_choices

SYSTEM: Final = "pages"
"""What the pages are called in a source: `urn:siren:SIREN:pages`."""

_REFERENCE: Final = re.compile(r"besoin-[0-9a-f]{16}")
_AMOUNT: Final = re.compile(r"[0-9]{1,12}([.,][0-9]{1,2})?")
TITLE: Final = 200
_TEXT: Final = 5000


class When(StrEnum):
    """By when something is needed, as people say it."""

    SOON = "bientot"
    YEAR = "annee"
    LATER = "plus-tard"


WHEN_LABELS: Final[dict[When, str]] = {
    When.SOON: "Dans les trois mois",
    When.YEAR: "Dans l’année",
    When.LATER: "Plus tard, ou pas encore de date",
}
_DAYS: Final = {When.SOON: 92, When.YEAR: 365}

SUBTYPES: Final = {
    NeedSubtype.PURCHASE: "L’institution achètera",
    NeedSubtype.BUSINESS: "Une entreprise cherche quelque chose",
}
AUDIENCES: Final = {
    Visibility.BUYERS: "les acheteurs : les institutions membres qui achètent selon le Code de la "
    "commande publique",
    Visibility.MEMBERS: "toutes les institutions membres, acheteurs ou non",
    Visibility.PUBLIC: "tout le monde, entreprises comprises, sans compte",
}


@dataclass(frozen=True, slots=True)
class NeedForm:
    """What the form holds, as it was typed. `place` is the code that was chosen, once there was a
    choice; `reference` is made with the form. `said_at` is the instant at which it was read over:
    sent twice from there it is said once, and read over anew it is a newer version."""

    reference: str
    said_at: datetime
    title: str = ""
    description: str = ""
    where: str = ""
    place: str = ""
    subtype: str = NeedSubtype.PURCHASE.value
    when: str = When.YEAR.value
    amount: str = ""
    service: str = ""
    reach: str = ""
    visibility: str = Visibility.BUYERS.value
    consent: bool = False
    corrects: bool = False


_ORDER: Final = (
    "titre", "lieu", "type", "accord", "quand", "visibilite", "description", "montant",
    "service", "joindre",
)  # fmt: skip
"""The fields from the top of the page down."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of it: sentences by field, the place's choices, and the need when nothing is
    missing."""

    faults: dict[str, str] = field(default_factory=dict)
    choices: list[PlaceChoice] = field(default_factory=list)
    data: dict[str, Any] | None = None
    place_label: str = ""


def empty_form(
    reference: str, institution: Institution, now: datetime, territories: Territories
) -> NeedForm:
    """The form as somebody of this institution first sees it."""
    buys = Role.BUYER in institution.roles
    code = institution.territory or ""
    known = code if code.startswith("com:") and territories.chain(code) else ""
    return NeedForm(
        reference=reference,
        said_at=now,
        subtype=(NeedSubtype.PURCHASE if buys else NeedSubtype.BUSINESS).value,
        visibility=(Visibility.BUYERS if buys else Visibility.MEMBERS).value,
        where=label_of(known, territories) if known else "",
    )


def filled_form(fields: Mapping[str, str], reference: str, now: datetime) -> NeedForm:
    """The form as it was sent; a reference that is not one of ours is replaced by `reference`, an
    instant that is none of the past by the present one."""
    sent = fields.get("reference", "")
    confirming = fields.get("etape") == "publier"
    return NeedForm(
        reference=sent if _REFERENCE.fullmatch(sent) else reference,
        said_at=(_past(fields.get("relu", ""), now) if confirming else None) or now,
        title=" ".join(fields.get("titre", "").split()),
        description=fields.get("description", "").strip(),
        where=fields.get("lieu", "").strip(),
        place=fields.get("place", ""),
        subtype=fields.get("type", ""),
        when=fields.get("quand", ""),
        amount="".join(fields.get("montant", "").replace("€", "").split()),
        service=" ".join(fields.get("service", "").split()),
        reach=" ".join(fields.get("joindre", "").split()),
        visibility=fields.get("visibilite", ""),
        consent=fields.get("accord") == "oui",
        corrects=fields.get("correction") == "oui",
    )


def published_form(
    document: Mapping[str, Any], reference: str, now: datetime, territories: Territories
) -> NeedForm:
    """The form of a need that was said in the pages, as it is published, to be corrected."""
    place = document["place"][0]
    end = document.get("window", {}).get("to")
    days = (date.fromisoformat(end) - french_day(now)).days if end else None
    service, reach = typed_contact(document.get("contact", {}))
    estimate = next((one["value"] for one in document.get("amounts", ())), None)
    return NeedForm(
        reference=reference,
        said_at=now,
        title=document["title"],
        description=document.get("description", ""),
        where=label_of(place, territories),
        place=place,
        subtype=document["subtype"],
        when=_when(days).value,
        amount="" if estimate is None else f"{estimate:.2f}".removesuffix(".00"),
        service=service,
        reach=reach,
        visibility=document["visibility"],
        consent=document["subtype"] == NeedSubtype.BUSINESS,
        corrects=True,
    )


def checked(form: NeedForm, territories: Territories) -> Checked:
    """The need that the form says, or what is to be mended, field by field."""
    faults: dict[str, str] = {}
    if not 3 <= len(form.title) <= TITLE:
        faults["titre"] = f"Dites en quelques mots ce qui manque (de 3 à {TITLE} caractères)."
    if len(form.description) > _TEXT:
        faults["description"] = f"Raccourcissez les précisions : {_TEXT} caractères au plus."
    if form.subtype not in SUBTYPES:
        faults["type"] = "Choisissez qui a ce besoin."
    if form.when not in WHEN_LABELS:
        faults["quand"] = "Choisissez un délai."
    if form.visibility not in AUDIENCES:
        faults["visibilite"] = "Choisissez qui peut lire ce besoin."
    if form.amount and not _AMOUNT.fullmatch(form.amount):
        faults["montant"] = "Écrivez le montant en euros et en chiffres : 12000 ou 12 000,50."
    faults |= contact_faults(form.service, form.reach)
    if form.subtype == NeedSubtype.BUSINESS and not form.consent:
        faults["accord"] = (
            "L’entreprise doit être d’accord pour que son besoin soit publié, sans son nom."
        )
    choices = place_choices(form.where, territories)
    place = _place(form, choices)
    if not choices:
        faults["lieu"] = (
            "Ce lieu n’est pas connu : écrivez le nom d’une commune, d’un département ou d’une "
            "région, ou un code postal."
            if form.where
            else "Dites où : le nom d’une commune ou un code postal."
        )
    elif place is None:
        faults["lieu"] = "Plusieurs lieux portent ce nom : choisissez."
    if faults or place is None:
        return Checked({name: faults[name] for name in _ORDER if name in faults}, choices)
    return Checked(
        choices=choices,
        data=_data(form, place.code, french_day(form.said_at)),
        place_label=place.label,
    )


def need_event(form: NeedForm, data: Mapping[str, Any], siren: str) -> dict[str, Any]:
    """The CloudEvent that publishes the need, or a newer version of it."""
    return {
        "specversion": "1.0",
        "id": event_id(form.reference, version_of(form)),
        "source": source_of(siren),
        "type": event_type("need", "published"),
        "subject": form.reference,
        "time": utc_text(form.said_at),
        "datacontenttype": "application/json",
        "data": dict(data),
    }


def version_of(form: NeedForm) -> str:
    """What tells the versions of a need apart: digits of the instant at which it was said."""
    return re.sub(r"\D", "", utc_text(form.said_at))


def event_id(reference: str, version: str) -> str:
    """The id of the event that says a version of a need."""
    return f"{reference}-{version}"


def source_of(siren: str) -> str:
    """The source of what an institution says in the pages."""
    return f"urn:siren:{siren}:{SYSTEM}"


def is_reference(text: str) -> bool:
    """Whether it is the reference of a need that was said in the pages."""
    return _REFERENCE.fullmatch(text) is not None


def own_reference(document: Mapping[str, Any], siren: str) -> str | None:
    """The reference of what an institution said of it in the pages."""
    found = (one["subject"] for one in document["sources"] if one["source"] == source_of(siren))
    return next((one for one in found if is_reference(one)), None)


def facts_of(form: NeedForm, place: str) -> list[tuple[str, str]]:
    """What is about to be published, for reading over once more."""
    facts = [
        ("Besoin", form.title),
        ("Nature", SUBTYPE_LABELS[NeedSubtype(form.subtype)]),
        ("Lieu", place),
        ("Quand", WHEN_LABELS[When(form.when)]),
    ]
    if form.amount:
        facts.append(("Montant estimé", f"{euros(_value(form), cents=True)} HT"))
    if form.service or form.reach:
        facts.append(("Contact", ", ".join(filter(None, (form.service, form.reach)))))
    visibility = Visibility(form.visibility)
    facts.append(("Qui peut le lire", SEEN_BY[visibility]))
    return facts


def _past(text: str, now: datetime) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None and found <= now else None


def _when(days: int | None) -> When:
    if days is None or days > _DAYS[When.YEAR]:
        return When.LATER
    return When.SOON if days <= _DAYS[When.SOON] else When.YEAR


def _place(form: NeedForm, choices: list[PlaceChoice]) -> PlaceChoice | None:
    chosen = next((one for one in choices if one.code == form.place), None)
    return chosen or (choices[0] if len(choices) == 1 else None)


def _data(form: NeedForm, place: str, today: date) -> dict[str, Any]:
    days = _DAYS.get(When(form.when))
    window = {"from": today.isoformat()}
    if days is not None:
        window["to"] = (today + timedelta(days=days)).isoformat()
    data: dict[str, Any] = {
        "title": form.title,
        "subtype": form.subtype,
        "place": [place],
        "window": window,
        "visibility": form.visibility,
    }
    if form.description:
        data["description"] = form.description
    if form.amount:
        data["amounts"] = [{"value": _value(form), "kind": "estimate", "tax": "excluded"}]
    if contact := contact_of(form.service, form.reach):
        data["contact"] = contact
    return data


def _value(form: NeedForm) -> float:
    return float(form.amount.replace(",", "."))
