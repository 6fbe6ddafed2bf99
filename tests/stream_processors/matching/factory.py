"""States of our own writing, as `traverse.records` holds them, for the tests of matching."""

from functools import lru_cache
from types import SimpleNamespace
from typing import Any, cast

from traverse_schemas.log.identity import opportunity_id
from traverse_schemas.log.record_state import RecordState
from traverse_schemas.records.models import Record
from traverse_schemas.reference.cpv import cpv_labels_up
from traverse_schemas.reference.institutions import Institutions
from traverse_schemas.reference.territories import Territories
from traverse_schemas.reference.themes import themes_of_cpv, themes_of_text
from traverse_stream_processors.enriching.places import locate
from traverse_stream_processors.likeness.model import base_model
from traverse_stream_processors.matching.facts import Facts, Reader

TOWNS = {
    "Gardanne": ("211300413", "13041"),
    "Aix": ("211300017", "13001"),
    "Marseille": ("211300553", "13055"),
    "Arles": ("211300041", "13004"),
    "Apt": ("218400034", "84003"),
    "Rustrel": ("218401032", "84103"),
    "Manosque": ("210401121", "04112"),
    "Gap": ("210500617", "05061"),
}
METROPOLE = ("200054807", "epci:200054807", "epci")
DEPARTMENT = ("221300015", "dep:13", "department")
REGION = ("231300021", "reg:93", "region")


@lru_cache(maxsize=1)
def reader() -> Reader:
    return Reader(base_model())


def state(subject: str, title: str, **fields: Any) -> RecordState:
    """The state of a record; `fields` replace or add to its content.

    `owner` is a town of TOWNS or (SIREN, place, kind), `cpv` a list of codes, `outcome` closes it,
    `first_time` is when it was first told.
    """
    owner = fields.pop("owner", "Gardanne")
    siren, place, kind = (
        (TOWNS[owner][0], f"com:{TOWNS[owner][1]}", "commune") if isinstance(owner, str) else owner
    )
    outcome = fields.pop("outcome", None)
    first = fields.pop("first_time", "2026-11-01T09:00:00.000000Z")
    territories = Territories.load()
    places = fields.pop("place", [place])
    area = fields.pop("eligible_area", [])
    said = SimpleNamespace(place=places, eligible_area=area, location=None)
    known = Institutions(territories, {}).find(siren)
    cpv = fields.pop("cpv", [])
    themes = list(dict.fromkeys(theme for code in cpv for theme in themes_of_cpv(code)))
    labels = [label for code in cpv for _, label in cpv_labels_up(code)]
    content: dict[str, Any] = {
        "kind": "need",
        "subtype": "purchase",
        "title": title,
        "language": "fr",
        "visibility": "public",
        "institutions": [
            {"siren": siren, "name": known.name if known else siren, "kind": kind, "role": "owner"}
        ],
        "owner_siren": siren,
        "owner_kind": kind,
        **locate(cast("Record", said), territories),
        "themes": themes or list(themes_of_text(title)),
        **({"cpv": cpv, "cpv_labels": labels} if cpv else {}),
        **fields,
    }
    source = f"urn:siren:{siren}"
    return {
        "id": opportunity_id(source, subject),
        "source": source,
        "subject": subject,
        "kind": content["kind"],
        "first_time": first,
        "content": {"version": [0, first, "e"], "content": content},  # type: ignore[typeddict-item]
        "life": {
            "version": [0, first, "e"],
            "state": "closed" if outcome else "active",
            **({"outcome": outcome, "closed_on": "2026-11-01"} if outcome else {}),
        },  # type: ignore[typeddict-item]
        "withdrawn": None,
        "indices": [],
    }


def need(subject: str, title: str, **fields: Any) -> Facts:
    """The facts of a need to buy, in spring 2027 unless told otherwise."""
    whole = {"window": {"from": "2027-02-01", "to": "2027-05-31"}, **fields}
    return facts(state(subject, title, **whole))


def call(subject: str, title: str, **fields: Any) -> Facts:
    """The facts of an open call for tender, until 12 March 2027 unless told otherwise."""
    deadline = {
        "until": "2027-03-12T11:00:00Z", "kind": "tender", "zone": "Europe/Paris",
        "precision": "minute",
    }  # fmt: skip
    whole = {"kind": "call", "subtype": "contract", "deadline": deadline, **fields}
    return facts(state(subject, title, **whole))


def facts(said: RecordState) -> Facts:
    found = reader().read(said)
    assert found is not None
    return found
