"""A BOAMP notice as a record of a `call`: the flat fields of the API, and what `donnees` adds.

`donnees` holds the notice in the form that it was written in: FNSimple (national form), MAPA, DSP,
DIVERS, or the older IDENTITE/OBJET; eForms have a reader of their own. Only what is named here is
read of it: never its contact blocks.
"""

import html
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from traverse_producers.importers.days import read_day
from traverse_producers.importers.emit import without_empty
from traverse_producers.importers.json_items import Row
from traverse_producers.importers.money import euros
from traverse_producers.importers.places import FRANCE, Places
from traverse_producers.importers.text import clean, cut, title_and_description, web_address
from traverse_schemas.values.cpv import normalise_cpv
from traverse_schemas.values.instant import zone_of_department
from traverse_schemas.values.siren import normalise_siret

_PAGE = "https://www.boamp.fr/pages/avis/?q=idweb:"
_NATURES = {"TRAVAUX": "works", "FOURNITURES": "supplies", "SERVICES": "services"}
_FORMS = ("FNSimple", "MAPA", "DSP", "DIVERS")
_STATES = ("initial", "rectificatif", "attribution", "annulation", "modification")
_NUMBER = re.compile(r"(?<![0-9])([0-9]{2})-([0-9]{3,8})(?![0-9-])")
_MIDNIGHT = re.compile(r"T00:00(?::00(?:\.0+)?)?(?:Z|\+00:?00)?$")


def record_of(row: Row, places: Places) -> dict[str, Any]:
    """The `Call` of a notice as JSON. `title` is missing when the notice has no object."""
    inside = _inside(row)
    body, form = _body(inside), _form(inside)
    market = _dict(form, "natureMarche", "descriptionMarche", "description")
    buyer = normalise_siret(text(body.get("codeIdentificationNational"))) or normalise_siret(
        text(_dict(inside, "IDENTITE").get("CODE_IDENT_NATIONAL"))
    )
    title, description = title_and_description(
        text(row.get("objet")) or text(market.get("intitule")) or text(market.get("titreMarche")),
        *_paragraphs(row, inside, form, market),
    )
    where = places_of(row, buyer, text(market.get("lieuExecution")), places)
    record = {
        "title": title,
        "description": description,
        "language": "fr",
        "references": references_of(row),
        "url": web_address(row.get("url_avis")) or address_of(number_of(row)),
        "owner": without_empty({"id": buyer, "name": cut(text(row.get("nomacheteur")), 500)}),
        "place": list(where),
        "amounts": _amounts(market),
        "deadlines": _deadlines(row, where, places),
        "subtype": "concession" if "DSP" in inside else "contract",
        "nature": next((_NATURES[w] for w in texts(row.get("type_marche")) if w in _NATURES), None),
        "procedure": cut(text(row.get("procedure_libelle")), 500),
        "cpv": _cpv(form, inside),
        "lots": _lots(form),
        "published_on": day.isoformat() if (day := read_day(row.get("dateparution"))) else None,
        "duration_months": _months(market),
        "holders": holders_of(row),
    }
    return without_empty(record)


def number_of(row: Row) -> str:
    """The notice's number, `26-91551`; "" when it has none."""
    return text(row.get("idweb")) or text(row.get("id"))


def address_of(number: str) -> str | None:
    """Its page."""
    return f"{_PAGE}{number}" if _NUMBER.fullmatch(number) else None


def linked_to(row: Row) -> str | None:
    """The first of the notices that this one goes with (`annonce_lie`), or None."""
    found = {match for each in texts(row.get("annonce_lie")) for match in _NUMBER.findall(each)}
    own = _NUMBER.fullmatch(number_of(row))
    found.discard((own[1], own[2]) if own else ("", ""))
    earliest = min(found, key=lambda parts: (int(parts[0]), int(parts[1])), default=None)
    return None if earliest is None else f"{earliest[0]}-{earliest[1]}"


def references_of(row: Row) -> list[str]:
    """Its number, and those of the notices that it goes with."""
    numbers = [number_of(row)]
    for each in texts(row.get("annonce_lie")):
        numbers += [f"{year}-{number}" for year, number in _NUMBER.findall(each)]
    return [cut(number, 200) for number in dict.fromkeys(numbers) if number][:50]


def holders_of(row: Row) -> list[dict[str, Any]]:
    """The holders: BOAMP gives their names only."""
    return [{"name": cut(name, 500)} for name in dict.fromkeys(texts(row.get("titulaire")))][:1000]


def places_of(row: Row, buyer: str | None, site: str, places: Places) -> tuple[str, ...]:
    """The départements of the notice; one alone gives way to the commune that is named in it, or
    to the territory of the buyer that lies in it."""
    said = texts(row.get("code_departement_prestation")) or texts(row.get("code_departement"))
    codes = [code.upper().zfill(2) if len(code) < 3 else code.upper() for code in said]
    alone = len(codes) == 1
    each = (
        places.of_commune("", site if alone else "", code, buyer if alone else None)
        for code in codes
    )
    found = tuple(dict.fromkeys(place for place in each if place != FRANCE))
    return found[:1000] or (places.of_owner(buyer) or FRANCE,)


def text(value: Any) -> str:
    """A value as one line without HTML entities (BOAMP's texts have them) nor contact details."""
    if isinstance(value, dict):
        value = value.get("#text")
    if value is None or isinstance(value, dict | list | bool):
        return ""
    return clean(html.unescape(html.unescape(str(value))))


def texts(value: Any) -> list[str]:
    """The texts of a field of several values, which some exports join or write as JSON."""
    if isinstance(value, str):
        value = [part.strip(" \"'") for part in value.strip(" []").split(",")]
    parts = value if isinstance(value, list) else [value]
    return [said for part in parts if (said := text(part))]


def _inside(row: Row) -> Row:
    value = row.get("donnees")
    return value if isinstance(value, dict) else {}


def _body(inside: Row) -> Row:
    return next((b for name in _FORMS if (b := _dict(_dict(inside, name), "organisme"))), {})


def _form(inside: Row) -> Row:
    for name in _FORMS:
        document = _dict(inside, name)
        for state in _STATES:
            if form := _dict(document, state):
                return form
    return {}


def _dict(parent: Row, *names: str) -> Row:
    """The first object of these names; {} when there is none."""
    found = (parent.get(name) for name in names)
    return next((each for each in found if isinstance(each, dict)), {})


def _items(value: Any) -> list[Row]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]


def _paragraphs(row: Row, inside: Row, form: Row, market: Row) -> Iterator[str]:
    yield text(market.get("description")) or text(market.get("objet"))
    yield text(_dict(inside, "OBJET").get("OBJET_COMPLET"))
    yield text(_dict(form, "caracteristiques").get("principales"))
    for name in ("rectificatif", "annulation"):
        yield text(form.get(name)) or text(_dict(form, name).get("description"))
    yield text(_dict(form, "informComplementaire").get("autresInformComplementaire"))
    if words := texts(row.get("descripteur_libelle")):
        yield f"Descripteurs : {', '.join(dict.fromkeys(words))}."


def _amounts(market: Row) -> list[dict[str, Any]]:
    value = market.get("valeurEstimee")
    said = value if isinstance(value, dict) else {"valeur": value}
    bounds = _dict(said, "fourchette")
    found = []
    if (estimate := euros(said.get("valeur"))) is not None:
        found.append({"value": estimate, "kind": "estimate", "tax": "excluded"})
    if (most := euros(bounds.get("valeurHaute"))) is not None:
        found.append({"value": most, "kind": "maximum", "tax": "excluded"})
    return found


def _deadlines(row: Row, where: tuple[str, ...], places: Places) -> list[dict[str, Any]]:
    """Until when one may answer. BOAMP gives the instant in UTC: midnight is a date without hour.

    One that precedes the publication is a mistake: left out.
    """
    said = text(row.get("datelimitereponse"))
    day = read_day(said)
    published = read_day(row.get("dateparution"))
    if day is None or (published and day < published):
        return []
    zone = zone_of_department(places.department_of(where[0]))
    at = day.isoformat()
    if "T" in said and not _MIDNIGHT.search(said):
        try:
            instant = datetime.fromisoformat(said)
        except ValueError:
            instant = None
        if instant is not None:
            local = instant.astimezone(ZoneInfo(zone)) if instant.tzinfo else instant
            at = local.isoformat(timespec="minutes")
    return [{"kind": "tender", "at": at, "zone": zone}]


def _cpv(form: Row, inside: Row) -> list[str]:
    found: list[Any] = []
    for part in (_dict(form, "natureMarche", "descriptionMarche", "description"), *_lot_rows(form)):
        box = _dict(part, "codeCPV", "CPV")
        for name in ("objetPrincipal", "objetComplementaire"):
            found += [each.get("classPrincipale") for each in _items(box.get(name))]
    found.append(_dict(_dict(inside, "OBJET"), "CPV").get("PRINCIPAL"))
    codes = (normalise_cpv(text(code)) for code in found)
    return list(dict.fromkeys(code for code in codes if code))[:100]


def _lot_rows(form: Row) -> list[Row]:
    box = form.get("lots")
    return _items(box.get("lot") if isinstance(box, dict) else box)


def _lots(form: Row) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for order, part in enumerate(_lot_rows(form)[:1000], start=1):
        number = text(part.get("numLot")) or text(part.get("numero")) or str(order)
        number = cut(number, 30)
        if number in found:
            number = f"{number} ({order})"
        box = _dict(part, "codeCPV", "CPV")
        cpv = [
            normalise_cpv(text(c.get("classPrincipale"))) for c in _items(box.get("objetPrincipal"))
        ]
        value = part.get("valeurEstimee")
        sums = _amounts({"valeurEstimee": value})
        title = text(part.get("intitule"))
        said = text(part.get("description"))
        found[number] = without_empty(
            {
                "number": number,
                "title": cut(title or said, 500),
                "description": cut(said, 5000) if title else None,
                "cpv": [code for code in cpv if code],
                "amount": sums[0] if sums else None,
            }
        )
    return list(found.values())


def _months(market: Row) -> int | None:
    digits = text(market.get("dureeMois")).removesuffix(".0")
    months = int(digits) if digits.isdecimal() and len(digits) < 5 else 0
    return months if 0 < months <= 1200 else None
