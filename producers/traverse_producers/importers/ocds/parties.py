"""Who takes part in a contracting process: organizations by their numbers, and where they are.

Schemes are those of org-id.guide: FR-SIRET, FR-SIRENE, FR-RCS and their like hold a SIREN or SIRET.
"""

from collections.abc import Iterator
from typing import Any

from traverse_producers.importers.bodies import NOBODY, Body
from traverse_producers.importers.emit import without_empty
from traverse_producers.importers.json_items import Row
from traverse_producers.importers.text import clean, cut
from traverse_schemas.values.siren import normalise_siret

_FRENCH = ("FR-SIRET", "FR-SIREN", "FR-SIRENE", "FR-RCS", "FR-INSEE", "SIRET", "SIREN")
_BUYERS = ("buyer", "procuringEntity")


def parties_of(release: Row) -> dict[str, Row]:
    """The parties by their ids."""
    return {key: part for part in items(release.get("parties")) if (key := clean(part.get("id")))}


def buyers_of(release: Row) -> list[Body]:
    """The buyer first, then others with that role."""
    parties = parties_of(release)
    found: list[Row] = []
    for reference in (release.get("buyer"), object_of(release, "tender").get("procuringEntity")):
        if isinstance(reference, dict):
            found.append(_whole(reference, parties))
    for part in parties.values():
        if any(role in _BUYERS for role in _words(part.get("roles"))) and part not in found:
            found.append(part)
    bodies = [body_of(part) for part in found]
    return list(dict.fromkeys(body for body in bodies if body != NOBODY))


def body_of(party: Row) -> Body:
    """What a party says of itself, its contact point left out."""
    address = object_of(party, "address")
    country = clean(address.get("countryName") or address.get("country")).casefold()
    number = _number(party)
    french = bool(number) or country in ("france", "fr", "fra")
    return Body(
        name=clean(party.get("name") or object_of(party, "identifier").get("legalName")),
        number=number or "",
        town=clean(address.get("locality")),
        postal_code=clean(address.get("postalCode")),
        country="FR" if french else country.upper()[:40],
        nuts="",
    )


def holders_of(suppliers: Any, parties: dict[str, Row]) -> list[dict[str, Any]]:
    """Suppliers as holders: number and name."""
    found: list[dict[str, Any]] = []
    for reference in items(suppliers):
        party = _whole(reference, parties)
        number = _number(party) or clean(object_of(party, "identifier").get("id"))[:40]
        name = clean(party.get("name") or object_of(party, "identifier").get("legalName"))
        holder = without_empty({"id": number, "name": cut(name, 500)})
        if holder and holder not in found:
            found.append(holder)
    return found[:1000]


def items(value: Any) -> list[Row]:
    """The objects of a list; [] for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def object_of(parent: Row, name: str) -> Row:
    """The object of this name; {} when there is none."""
    value = parent.get(name)
    return value if isinstance(value, dict) else {}


def _whole(reference: Row, parties: dict[str, Row]) -> Row:
    """The party that a reference means; before 1.1 the reference held it all."""
    return {**reference, **parties.get(clean(reference.get("id")), {})}


def _number(party: Row) -> str | None:
    """The SIREN or SIRET of a party: by its scheme, else by its id (`FR-SIRET-2113…`)."""
    for identifier in _identifiers(party):
        scheme = clean(identifier.get("scheme")).upper()
        if scheme in _FRENCH and (number := normalise_siret(clean(identifier.get("id")))):
            return number
    name = clean(party.get("id")).upper()
    known = next((each for each in _FRENCH if name.startswith(f"{each}-")), None)
    return normalise_siret(name[len(known) + 1 :]) if known else None


def _identifiers(party: Row) -> Iterator[Row]:
    yield object_of(party, "identifier")
    yield from items(party.get("additionalIdentifiers"))


def _words(value: Any) -> list[str]:
    return [clean(word) for word in value] if isinstance(value, list) else []
