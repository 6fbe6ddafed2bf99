"""Zones: whose clock the dates of a record are told by. Pure."""

from collections.abc import Sequence

from traverse_schemas.reference.territories import Territories
from traverse_schemas.values.instant import PARIS, zone_of_department


def zone_of_buyer(siren: str | None, places: Sequence[str], territories: Territories) -> str:
    """The IANA zone in which a buyer reads a date without one: that of its own territory, where its
    SIREN is a territory's, else of the first place of its record (typed codes); that of Paris where
    neither lies in one département or overseas collectivity."""
    owner = territories.by_siren(siren) if siren else None
    code = owner.territory if owner else next(iter(places), "fr")
    chain = territories.chain(code)
    if chain is None:
        return PARIS
    department = chain.first("dep")
    if department is not None:
        return zone_of_department(department.code.partition(":")[2])
    region = chain.first("reg")
    inside = [one for one in territories.departments() if region and one.region == region.code[4:]]
    return zone_of_department(inside[0].code.partition(":")[2]) if len(inside) == 1 else PARIS
