"""Who buys, or wins, as notices say it: number, seat, and the zone in which it reads the clock."""

import re
from dataclasses import dataclass

from traverse_producers.importers.places import Places
from traverse_schemas.values.instant import zone_of_department
from traverse_schemas.values.siren import normalise_siret

# ISO 3166-1 codes under which French buyers appear, with their département's number.
FRENCH_COUNTRIES = {
    "FR": "", "GP": "971", "MQ": "972", "GF": "973", "RE": "974", "PM": "975", "YT": "976",
    "BL": "977", "MF": "978", "TF": "984", "WF": "986", "PF": "987", "NC": "988",
}  # fmt: skip
# Many local bodies declare themselves of another type: their names tell.
_LOCAL_NAME = re.compile(
    r"\b(?:commune|ville|mairie|communauté|métropole|syndicat|agglo\w*|département|région|ccas|"
    r"oph|conseil (?:départemental|général|régional)|caisse des écoles|centre hospitalier|chu?)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Body:
    """What an address block says, contact details left out. `country` is ISO 3166-1, 2 letters."""

    name: str
    number: str
    town: str
    postal_code: str
    country: str
    nuts: str


NOBODY = Body("", "", "", "", "", "")


def is_french(body: Body) -> bool:
    """Whether a body has its seat in France, overseas included."""
    return body.country in FRENCH_COUNTRIES or body.nuts.startswith("FR")


def has_local_name(body: Body) -> bool:
    """Whether its name is that of a commune, a syndicat, a hospital…"""
    return bool(_LOCAL_NAME.search(body.name))


def french_number(body: Body) -> str | None:
    """The SIREN or SIRET of a French body, where the notice gives one."""
    return normalise_siret(body.number) if is_french(body) else None


def zone_of(body: Body, places: Places) -> str:
    """The IANA zone of a body: overseas départements and collectivities have their own."""
    department: str | None = FRENCH_COUNTRIES.get(body.country, "")
    if not department:
        territory = places.of_nuts(body.nuts) or places.of_address(body.postal_code, body.town)
        department = places.department_of(territory) if territory else None
    return zone_of_department(department)


def seat_of(body: Body, places: Places) -> str | None:
    """The territory of a body: the one it governs, else its commune, else its département."""
    if own := places.of_owner(french_number(body)):
        return own
    address = places.of_address(body.postal_code, body.town)
    department = places.department_of(address) if address else None
    if department is None:
        return places.of_nuts(body.nuts)
    return places.of_site(body.name, department) or f"dep:{department}"
