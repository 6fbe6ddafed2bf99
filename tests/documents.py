"""Documents of our own writing, for the tests that need an index."""

from typing import Any

from traverse_schemas.log.identity import opportunity_id
from traverse_schemas.reference.territories import Territories
from traverse_schemas.values.cpv import cpv_ancestors

SOURCE = "urn:siren:211300553"


def document(subject: str, title: str, **fields: Any) -> dict[str, Any]:
    """A public call of the town of Marseille; `fields` replace or add.

    `place` (typed codes) fills `within`, `covers`, `place_names` and `territory` as enrichment
    does, `cpv` fills `cpv_within`, `owner` (a name) the institutions.
    """
    places = fields.pop("place", ["com:13055"])
    owner = fields.pop("owner", "Ville de Marseille")
    cpv = fields.pop("cpv", [])
    chains = [chain for code in places if (chain := Territories.load().chain(code))]
    made: dict[str, Any] = {
        "id": opportunity_id(SOURCE, subject),
        "stub": False,
        "kind": "call",
        "subtype": "contract",
        "title": title,
        "language": "fr",
        "visibility": "public",
        "institutions": [{"siren": "211300553", "name": owner, "kind": "commune", "role": "owner"}],
        "owner_siren": "211300553",
        "owner_kind": "commune",
        "place": places,
        "within": list(dict.fromkeys(code for chain in chains for code in chain.codes)),
        "covers": [*places, *fields.pop("eligible_area", [])],
        "place_names": [chain.name for chain in chains],
        "territory": {
            "code": chains[0].code,
            "name": chains[0].name,
            "level": chains[0].levels[0].level,
        },
        "location": {"lat": chains[0].lat, "lon": chains[0].lon},
        "themes": [],
        "state": "active",
        "published_at": "2026-03-01T08:00:00.000000Z",
        "updated_at": "2026-03-01T08:00:00.000000Z",
        "sources": [
            {"source": SOURCE, "subject": subject, "updated_at": "2026-03-01T08:00:00.000000Z"}
        ],
        "links": [],
        "references": [subject],
    }
    if cpv:
        made["cpv"] = cpv
        made["cpv_within"] = list(dict.fromkeys(up for code in cpv for up in cpv_ancestors(code)))
    return made | fields


def deadline(until: str, precision: str = "minute") -> dict[str, str]:
    """A deadline by its first too-late instant (UTC text)."""
    return {"until": until, "kind": "tender", "zone": "Europe/Paris", "precision": precision}


def stub(subject: str) -> dict[str, Any]:
    """What remains of a withdrawn document."""
    return {"id": opportunity_id(SOURCE, subject), "stub": True}
