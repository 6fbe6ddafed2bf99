"""Events that fill every field, and what can be put in the wrong place. All of our own making."""

import copy
from collections.abc import Iterator
from typing import Any

from traverse_schemas.decisions import DecisionKind
from traverse_schemas.events import EVENT_TYPES, Action, EventType

_RECORD: dict[str, Any] = {
    "title": "Rénovation du gymnase",
    "description": "Isolation et chauffage.",
    "language": "fr",
    "references": ["26-1234"],
    "url": "https://exemple.fr/1",
    "owner": {"id": "211300553", "name": "Marseille", "kind": "commune"},
    "themes": ["energie"],
    "place": ["com:13055"],
    "eligible_area": ["fr"],
    "zones": ["qpv-nord"],
    "location": {"lat": 43.5, "lon": 5.5},
    "amounts": [{"value": 1234.5, "kind": "cost", "tax": "unknown"}],
    "deadlines": [{"kind": "tender", "at": "2026-12-12T12:00", "zone": "Europe/Paris"}],
    "actions": [{"kind": "apply", "url": "https://exemple.fr/1", "label": "Candidater"}],
    "contact": {"name": "Service achats", "email": "achats@exemple.fr", "phone": "1"},
    "visibility": "restricted",
    "audience": ["211300553"],
    "licence": "LO-2.0",
    "expires": "2026-12-31",
    "cpv": ["45233140"],
}
_HOLDER = {"id": "35600000000048", "name": "Une entreprise", "role": "leader"}
_SUM = {"value": 1000, "kind": "awarded"}
_RECORDS: dict[str, dict[str, Any]] = {
    "project": {
        **_RECORD,
        "subtype": "project",
        "stage": "idea",
        "window": {"from": "2026-01-01", "to": "2026-02-01"},
        "recurrence": "once",
        "financing": [{"funder": "État", "amount": 1}],
    },
    "call": {
        **_RECORD,
        "subtype": "contract",
        "nature": "works",
        "procedure": "Procédure adaptée",
        "techniques": ["design_contest"],
        "naf": ["42.11Z"],
        "lots": [
            {
                "number": "1",
                "title": "Gros œuvre",
                "description": "Murs.",
                "cpv": ["45233140"],
                "amount": _SUM,
                "deadline": {"at": "2026-12-12"},
                "outcome": "awarded",
                "holders": [_HOLDER],
            }
        ],
        "published_on": "2026-01-01",
        "notified": "2026-01-01",
        "duration_months": 1,
        "renewals": 1,
        "end_min": "2026-01-01",
        "end_max": "2026-01-01",
        "holders": [_HOLDER],
        "joint": {"coordinator": "211300553", "members": ["211300553"]},
        "access": ["sme"],
        "financing": [{"funder": "État"}],
    },
    "need": {
        **_RECORD,
        "subtype": "purchase",
        "stage": "reported",
        "on_behalf": "Une menuiserie",
        "on_behalf_id": "211300553",
        "naf": ["42.11Z"],
        "window": {"from": "2026-01-01", "to": "2026-02-01"},
        "recurrence": "once",
        "joint": {"coordinator": "211300553"},
    },
}
_OUTCOMES = {"project": "completed", "call": "awarded", "need": "met"}


def full_event(known: EventType) -> dict[str, Any]:
    """A valid event of this type with every field that it may have."""
    return copy.deepcopy(
        {
            "specversion": "1.0",
            "id": "e-1",
            "source": "urn:siren:211300553",
            "type": known.name,
            "subject": "R-1",
            "time": "2026-01-01T12:00:00Z",
            "datacontenttype": "application/json",
            "dataschema": "urn:traverse:schema:essai",
            "sequence": 1,
            "data": _full_data(known),
        }
    )


def _full_data(known: EventType) -> dict[str, Any]:
    if known.kind is DecisionKind.GROUPING:
        return {
            "grouping": "0123abcd" + "a" * 16,
            "record": {"source": "urn:siren:211300553", "subject": "R-1"},
            "on": "2026-01-01",
            "reason": "Conseil municipal du 1er janvier.",
        }
    if not isinstance(known.action, Action):
        return {
            "records": [
                {"source": "urn:siren:211300553", "subject": "R-1"},
                {"source": "urn:siren:181300013:boamp", "subject": "26-1"},
            ],
            "reason": "Deux tranches.",
        }
    record = _RECORDS[known.kind]
    data: dict[str, Any] = {
        Action.PUBLISHED: record,
        Action.UPDATED: {**record, "reason": "correction"},
        Action.CLOSED: {
            "outcome": _OUTCOMES[known.kind],
            "on": "2026-01-01",
            "reason": "Offre retenue",
            "record": record,
        },
        Action.WITHDRAWN: {"reason": "error"},
    }[known.action]
    if known.action is Action.CLOSED and known.kind == "call":
        lot = {"number": "1", "outcome": "awarded", "holders": [_HOLDER], "amount": _SUM}
        data = {**data, "lots": [lot], "holders": [_HOLDER], "amount": _SUM}
    return data


FULL_EVENTS = {name: full_event(known) for name, known in EVENT_TYPES.items()}

MISFITS: tuple[Any, ...] = (
    None, True, -1, 1.5, 10**30, "", "x" * 60_000, "2026-02-31", "2026-01-01T12:00:00", "\n", [],
    ["x"] * 1001, [None], {}, {"a": 1}, "ftp://exemple.fr/1", "restricted",
)  # fmt: skip
"""Values that fit in few places; each place of an event is given each of them."""


def spoilt(event: dict[str, Any], misfits: tuple[Any, ...] = MISFITS) -> Iterator[Any]:
    """The event with one place changed: each misfit in turn, the place gone, a field too many."""
    for path in _paths(event):
        if not path:
            yield from misfits
            continue
        for misfit in misfits:
            whole, parent = _copy(event, path)
            parent[path[-1]] = misfit
            yield whole
        whole, parent = _copy(event, path)
        del parent[path[-1]]
        yield whole
        whole, parent = _copy(event, path)
        if isinstance(parent, dict):
            parent["inconnu"] = 1
            yield whole


def _copy(event: dict[str, Any], path: tuple[Any, ...]) -> tuple[dict[str, Any], Any]:
    """The event, to be changed at this place: copied on the way there, the rest being shared."""
    whole = copy.copy(event)
    parent: Any = whole
    for part in path[:-1]:
        parent[part] = copy.copy(parent[part])
        parent = parent[part]
    return whole, parent


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    parts = value.items() if isinstance(value, dict) else ()
    for key, inner in parts or (enumerate(value) if isinstance(value, list) else ()):
        yield from _paths(inner, (*path, key))
