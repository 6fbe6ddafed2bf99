"""Where a notice's contract is, and in which zone its buyer reads the clock."""

import re

from traverse_producers.importers.places import FRANCE, Places
from traverse_producers.importers.ted.notice import (
    FRENCH_COUNTRIES,
    Body,
    Notice,
    published_parts,
    text_of,
)
from traverse_schemas.values.instant import zone_of_department
from traverse_schemas.values.siren import normalise_siret

_LOCAL_TYPES = frozenset({"3", "R"})  # AA_AUTHORITY_TYPE: regional or local authority, agency
# Many local bodies declare themselves of another type: their names tell.
_LOCAL_NAME = re.compile(
    r"\b(?:commune|ville|mairie|communauté|métropole|syndicat|agglo\w*|département|région|ccas|"
    r"oph|conseil (?:départemental|général|régional)|caisse des écoles|centre hospitalier|chu?)\b",
    re.IGNORECASE,
)
_MANY = 1000


def is_french(body: Body) -> bool:
    """Whether a body has its seat in France, overseas included."""
    return body.country in FRENCH_COUNTRIES or body.nuts.startswith("FR")


def french_number(body: Body) -> str | None:
    """The SIREN or SIRET of a French body, where the notice gives one."""
    return normalise_siret(body.number) if is_french(body) else None


def places_of(notice: Notice, places: Places) -> tuple[str, ...]:
    """The territories of a notice; () when neither its buyer nor its contract is in France.

    The places of execution (NUTS), as a commune when the site is named and there is one
    département. "France" from a local buyer, or nothing, gives the buyer's own territory, else its
    commune or département. A French buyer that buys for abroad is shown for the whole of France.
    """
    codes = _performance(notice)
    found = tuple(dict.fromkeys(t for code in codes if (t := places.of_nuts(code))))
    precise = tuple(place for place in found if place != FRANCE)
    if precise:
        return (_sites(notice, precise, places) or precise)[:_MANY]
    if not is_french(notice.buyer):
        return found
    abroad = bool(codes) and not found
    local = notice.code("AA_AUTHORITY_TYPE") in _LOCAL_TYPES or bool(
        _LOCAL_NAME.search(notice.buyer.name)
    )
    if abroad or (found and not local):
        return (FRANCE,)
    return (_of_buyer(notice.buyer, places) or FRANCE,)


def zone_of(body: Body, places: Places) -> str:
    """The IANA zone of a body: overseas départements and collectivities have their own."""
    department: str | None = FRENCH_COUNTRIES.get(body.country, "")
    if not department:
        territory = places.of_nuts(body.nuts) or places.of_address(body.postal_code, body.town)
        department = places.department_of(territory) if territory else None
    return zone_of_department(department)


def _of_buyer(buyer: Body, places: Places) -> str | None:
    if own := places.of_owner(french_number(buyer)):
        return own
    address = places.of_address(buyer.postal_code, buyer.town)
    department = places.department_of(address) if address else None
    if department is None:
        return places.of_nuts(buyer.nuts)
    return places.of_site(buyer.name, department) or f"dep:{department}"


def _performance(notice: Notice) -> list[str]:
    parts = [
        nuts
        for around in notice.form.iter("OBJECT_DESCR", "LOCATION_NUTS", "DESCRIPTION_PROCUREMENT")
        for nuts in published_parts(around, "NUTS")
    ]
    parts += notice.coded.iter("PERFORMANCE_NUTS")
    return [part.get("CODE", "") for part in parts]


def _sites(notice: Notice, precise: tuple[str, ...], places: Places) -> tuple[str, ...]:
    if len(precise) != 1 or not precise[0].startswith("dep:"):
        return ()
    texts = {text_of(site) for site in notice.form.iter("MAIN_SITE", "LOCATION")}
    found = [places.of_site(text, precise[0][4:]) for text in sorted(texts) if text]
    return tuple(dict.fromkeys(site for site in found if site)) if all(found) else ()
