"""Enrich: what a record says, with what the reference tables know. Pure; one record at a time."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from traverse_schemas.documents.document import Content, DocumentDeadline, InstitutionRef
from traverse_schemas.log.identity import utc_text
from traverse_schemas.records.codes import ANSWER_BY
from traverse_schemas.records.models import Call, Need, Project, visibility_of
from traverse_schemas.records.parts import Deadline, Lot
from traverse_schemas.reference.institutions import Institution, Institutions, kind_by_number
from traverse_schemas.reference.territories import Territories
from traverse_schemas.reference.zones import zone_of_buyer
from traverse_schemas.values.instant import PARIS
from traverse_schemas.values.siren import is_siren, is_siret
from traverse_stream_processors.enriching.places import locate
from traverse_stream_processors.enriching.subject import subject_of
from traverse_stream_processors.enriching.text import (
    clean_line,
    clean_name,
    clean_text,
    language_of,
)
from traverse_stream_processors.validating.validate import Accepted

# Which sum stands for the record where it has several: what it came to, before what it was
# thought to come to.
_AMOUNT_ORDER = ("awarded", "estimate", "maximum", "cost", "subsidy")
# What passes from the record's JSON to the document unchanged.
_UNCHANGED = (
    "url", "references", "audience", "naf", "nature", "procedure", "techniques", "access", "stage",
    "amounts", "recurrence", "duration_months", "holders", "financing", "actions",
    "contact", "on_behalf", "joint", "licence", "zones",
)  # fmt: skip


def enrich(
    accepted: Accepted, *, territories: Territories, institutions: Institutions
) -> Content | None:
    """The content of the record that an event carries; None when it carries none."""
    record, raw = accepted.record, accepted.raw_record
    if record is None or raw is None:
        return None
    flags: list[str] = []
    content: dict[str, Any] = {name: raw[name] for name in _UNCHANGED if raw.get(name)}
    place = locate(record, territories)
    owner = _owner(accepted, record, institutions, place["place_names"], flags)
    names = (*place["place_names"], owner["name"])
    title = clean_line(record.title, names)
    description = clean_text(record.description, names) if record.description else ""
    content |= _days(record)
    content |= {
        "kind": str(accepted.type.kind),
        "subtype": str(record.subtype),
        "title": title,
        "language": record.language or language_of(f"{title} {description[:200]}"),
        "visibility": str(visibility_of(accepted.type.kind, record)),
        "institutions": _institutions(owner, accepted, institutions),
        "owner_kind": owner["kind"],
        **place,
        **subject_of(record, title, description),
    }
    if description:
        content["description"] = description
    if "siren" in owner:
        content["owner_siren"] = owner["siren"]
    if record.owner and record.owner.id:
        content["owner_id"] = record.owner.id
    amount = _amount(raw.get("amounts", ()))
    if amount is not None:
        content["amount"] = amount
    zone = zone_of_buyer(owner.get("siren"), record.place, territories)
    content |= _deadlines(record, raw, zone, flags)
    if isinstance(record, Call):
        content |= _of_call(record, raw, zone, names)
    if flags:
        content["flags"] = flags
    return content  # type: ignore[return-value]


def _days(record: Project | Call | Need) -> dict[str, Any]:
    """The dates without an hour, in their one form: the model also reads others (Unix time), which
    the index would take for another day or refuse."""
    found: dict[str, Any] = {}
    for name in ("notified", "end_min", "expires"):
        day: date | None = getattr(record, name, None)
        if day is not None:
            found[name] = day.isoformat()
    window = None if isinstance(record, Call) else record.window
    ends = (("from", window.start), ("to", window.end)) if window else ()
    if any(day for _, day in ends):
        found["window"] = {name: day.isoformat() for name, day in ends if day}
    return found


def _owner(
    accepted: Accepted,
    record: Project | Call | Need,
    institutions: Institutions,
    places: Sequence[str],
    flags: list[str],
) -> InstitutionRef:
    """Whose thing it is: the record's claim, else the institution that says it."""
    claim = record.owner
    number = claim.id if claim else accepted.source.siren
    siren = number[:9] if number else None
    known: Institution | None = None
    if number and siren:
        # A claim that fails the check is kept and flagged: who relays it cannot mend it.
        if not (is_siren(number) if len(number) == 9 else is_siret(number)):
            flags.append("owner_number_invalid")
        known = institutions.find(siren)
    name = claim.name if claim and claim.name else None
    if known and (name is None or name.isupper()):
        # A name in capitals says no more than the reference's own.
        name = known.name
    if name is None:
        flags.append("owner_name_unknown")
        name = f"SIREN {siren}"
    if claim and claim.kind:
        kind = claim.kind
    elif known:
        kind = known.kind
    else:
        kind = kind_by_number(siren or "")
    names = (*places, known.name) if known else places
    owner = InstitutionRef(name=clean_name(name, names), kind=str(kind), role="owner")
    if siren:
        owner["siren"] = siren
    return owner


def _institutions(
    owner: InstitutionRef, accepted: Accepted, institutions: Institutions
) -> list[InstitutionRef]:
    """The owner, and who says it when that is another."""
    siren = accepted.source.siren
    if owner.get("siren") == siren:
        return [owner]
    known = institutions.find(siren)
    return [
        owner,
        InstitutionRef(
            siren=siren,
            name=known.name if known else f"SIREN {siren}",
            kind=str(known.kind if known else kind_by_number(siren)),
            role="source",
        ),
    ]


def _amount(amounts: Iterable[dict[str, Any]]) -> float | None:
    sums = {amount["kind"]: amount["value"] for amount in reversed(list(amounts))}
    for kind in _AMOUNT_ORDER:
        if kind in sums:
            return float(sums[kind])
    return None


def _deadlines(
    record: Project | Call | Need, raw: dict[str, Any], zone: str, flags: list[str]
) -> dict[str, Any]:
    """`deadlines` as they are told, in the buyer's zone where none is given; and `deadline`, the
    last moment to answer: the latest where several phases, or lots that have not ended, have their
    own."""
    told = [one.in_zone_of(zone) for one in record.deadlines]
    found: dict[str, Any] = {}
    if told:
        pairs = zip(raw["deadlines"], told, strict=True)
        found["deadlines"] = [_in_zone(said, one) for said, one in pairs]
    answers = [one for one in told if one.kind in ANSWER_BY]
    if isinstance(record, Call):
        lots = [
            (lot.deadline.in_zone_of(zone), lot.outcome is None)
            for lot in record.lots
            if lot.deadline and lot.deadline.kind in ANSWER_BY
        ]
        answers += [one for one, goes_on in lots if goes_on]
        answers = answers or [one for one, _ in lots]
    if not answers:
        return found
    last = max(answers, key=lambda one: one.opens_until)
    instant = last.instant
    if instant.precision == "day":
        flags.append("deadline_hour_unknown")
    found["deadline"] = DocumentDeadline(
        until=utc_text(instant.opens_until),
        kind=str(last.kind),
        zone=instant.zone,
        precision=instant.precision,
    )
    return found


def _in_zone(said: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
    """A deadline's JSON with the zone in which it is read, where that is not the usual one."""
    return said if deadline.zone == PARIS else {**said, "zone": deadline.zone}


def _of_call(call: Call, raw: dict[str, Any], zone: str, names: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if call.lots:
        pairs = zip(raw["lots"], call.lots, strict=True)
        found["lots"] = [_lot(said, lot, zone, names) for said, lot in pairs]
    end = call.end_max
    if end is None and call.notified and call.duration_months:
        # The duration counts every renewal, so this is the latest end (arrêté du 22 décembre
        # 2022 on the essential data of public contracts, "dureeMois").
        end = add_months(call.notified, call.duration_months)
    if end is not None:
        found["end_max"] = end.isoformat()
    return found


def _lot(said: dict[str, Any], lot: Lot, zone: str, names: Sequence[str]) -> dict[str, Any]:
    found = dict(said)
    if said.get("title"):
        found["title"] = clean_line(said["title"], names)
    if lot.deadline:
        found["deadline"] = _in_zone(said["deadline"], lot.deadline.in_zone_of(zone))
    return found


def add_months(day: date, months: int) -> date:
    """The same day `months` later, or the last day of that month where it is shorter;
    never beyond the year 9999."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > date.max.year:
        return date.max  # the year 9999 is how some systems say "for ever"
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise ValueError(f"no such month: {year}-{month + 1}")
