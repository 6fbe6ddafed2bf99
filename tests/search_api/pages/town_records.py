"""What is published in the town that the browser looks at, and what was said of it before."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from tests.documents import deadline, document, stub
from traverse_schemas.documents.grouping import GroupingMessage, grouping_id
from traverse_schemas.log.identity import opportunity_id
from traverse_search_api.groupings.groupings import PATIENCE

MARSEILLE, CHAMBER = "211300553", "181300013"
_WASTE = (
    "déchets verts", "gravats", "encombrants", "fête de quartier", "chantier du stade", "cartons",
    "bois", "ferraille", "plage du Prado",
)  # fmt: skip
GROUPING = grouping_id("buyers", opportunity_id(f"urn:siren:{MARSEILLE}", "N1"))
NEED, CALL, TWICE, OVER, GONE = (
    opportunity_id(f"urn:siren:{MARSEILLE}", one) for one in ("N2", "V1", "V2", "V3", "V4")
)
"""The ids of a need, of the call that may answer it, of a call that two institutions publish, of
one that is closed, of one that was withdrawn."""
COPY = (f"urn:siren:{CHAMBER}:boamp", "26-112233")
"""What the other one calls it."""
EVIL = "<script>document.title='pris'</script><img src=x onerror=\"document.title='pris'\"> tramway"


def documents() -> list[dict[str, Any]]:
    """What is published: open and planned, needed with and without an answer, withdrawn."""
    answer = {
        "type": "answers",
        "id": opportunity_id(f"urn:siren:{MARSEILLE}", "V1"),
        "role": "need",
        "score": 0.8,
        "reason": "même objet",
        "title": "Réfection de la voirie du quartier de la Belle-de-Mai",
        "owner": "Ville de Marseille",
        "state": "proposed",
        "audience": "public",
    }
    dismissed = {
        "source": f"urn:siren:{MARSEILLE}:si",
        "subject": "REF-9",
        "word": "dismissed",
        "version": [0, "2026-03-01T08:00:00.000000Z", "d"],
    }
    answers = [
        answer,
        answer | {
            "id": opportunity_id(f"urn:siren:{MARSEILLE}", "P1"),
            "title": "Rénovation de la cantine de l’école Pagnol",
            "state": "dismissed",
            "said": [dismissed],
        },
    ]  # fmt: skip
    twice = [
        {"source": source, "subject": subject, "updated_at": "2026-03-01T08:00:00.000000Z"}
        for source, subject in ((f"urn:siren:{MARSEILLE}", "V2"), COPY)
    ]
    need = {"kind": "need", "subtype": "purchase", "window": {"from": "2026-03-01"}}
    recent = {"updated_at": "2026-03-10T08:00:00.000000Z"}
    towns = ["com:13055", "com:13005", "com:13001", "com:13103"]
    return [
        document(
            "V1",
            "Réfection de la voirie du quartier de la Belle-de-Mai",
            description="Enrobés et trottoirs de la rue Nationale.",
            deadline=deadline("2026-03-17T11:00:00Z"),
            published_at="2026-03-04T08:00:00.000000Z",
            amount=120000.0,
            themes=["voirie"],
            cpv=["45233140"],
            url="https://example.org/avis/V1",
            lots=[{"number": "1", "title": "Chaussée", "amount": {"value": 80000}}],
        ),
        document(
            "V2", "Toiture de la halle", deadline=deadline("2026-04-02T10:00:00Z"), sources=twice
        ),
        document(
            "V3",
            "Restauration du kiosque à musique",
            deadline=deadline("2026-03-06T11:00:00Z"),
            actions=[
                {"kind": "respond", "url": "https://example.org/repondre/V3"},
                {"kind": "contact", "url": "https://example.org/contact"},
            ],
            lots=[
                {"number": "1", "title": "Charpente", "deadline": {"at": "2026-03-06T12:00"}},
                {"number": "2", "title": "Peinture", "deadline": {"at": "2026-03-05"}},
            ],
        ),
        {
            "id": opportunity_id(*COPY),
            "stub": True,
            "merged_into": opportunity_id(f"urn:siren:{MARSEILLE}", "V2"),
        },
        document(
            "P1", "Rénovation de la cantine de l’école Pagnol", kind="project", subtype="project"
        ),
        document(
            "N1",
            "Nettoyage de la plage",
            themes=["proprete"],
            published_at="2026-03-09T08:00:00.000000Z",
            **need,
            **recent,
        ),
        document("N2", "Bornes de recharge", themes=["energie"], links=answers, **need, **recent),
        *(
            document(
                f"N{number}",
                f"Location de benne : {_WASTE[number - 3]}",
                themes=["dechets"],
                place=[towns[number % 4]],
                **need,
                **recent,
            )
            for number in range(3, 12)
        ),
        document("N12", "Papier pour les mairies", visibility="buyers", **need, **recent),
        stub("V4"),
    ]


def hostile() -> dict[str, Any]:
    """What somebody publishes to have it run in the pages of others."""
    recent = {"updated_at": "2026-03-10T08:00:00.000000Z", "window": {"from": "2026-03-01"}}
    return document(
        "X1", EVIL, kind="need", subtype="purchase", description=EVIL, owner=EVIL, **recent
    )


class Proposed:
    """One grouping, that the beach be cleaned together: for buyers."""

    def rows(self, patience: float = PATIENCE) -> Mapping[str, GroupingMessage]:
        member = {"owner_kind": "commune", "window": {"from": "2026-03-01"}, "renewal": False}
        found: dict[str, Any] = {
            "id": GROUPING,
            "layer": "buyers",
            "state": "proposed",
            "subject": "Nettoyage de plages",
            "reason": "Marseille et La Ciotat ont besoin de la même chose au même moment.",
            "score": 0.9,
            "owners": 2,
            "members": [
                {
                    "record": opportunity_id(f"urn:siren:{MARSEILLE}", "N1"),
                    "owner": "Ville de Marseille",
                    "siren": MARSEILLE,
                    "title": "Nettoyage de la plage",
                    "territory": "Marseille",
                    "amount": 30000.0,
                    **member,
                },
                {
                    "record": opportunity_id("urn:siren:211300280", "LC1"),
                    "owner": "Ville de La Ciotat",
                    "siren": "211300280",
                    "title": "Nettoyage des plages",
                    "territory": "La Ciotat",
                    **member,
                },
            ],
            "others": [
                {
                    "record": opportunity_id("urn:siren:211300223", "C1"),
                    "owner": "Ville de Cassis",
                    "siren": "211300223",
                    "title": "Entretien des plages",
                    "territory": "Cassis",
                    **member,
                    "renewal": True,
                    "guess": True,
                    "counted": True,
                }
            ],
            "cpv": [],
            "themes": ["proprete"],
            "within": ["epci:200054807", "dep:13"],
            "places": ["com:13055", "com:13028", "epci:200054807", "dep:13"],
            "window": {"from": "2026-03-01", "to": "2026-06-30"},
            "total": 30000.0,
            "unknown_amounts": 1,
            "lots": [{"title": "Plages du nord", "members": []}],
            "coordinator": {
                "owner": "Ville de Marseille",
                "reason": "son besoin est le plus important",
            },
            "interested": 0,
            "acts": [],
            "declined": [],
            "model": "m",
        }
        message = {"id": GROUPING, "layer": "buyers", "grouping": found}
        return {GROUPING: cast(GroupingMessage, message)}

    def close(self) -> None:
        pass


def versions() -> Iterator[tuple[str, str, str, bytes]]:
    """What was said of the call, version after version: source, subject, id, and the event."""
    first = {
        "title": "Réfection de la voirie",
        "subtype": "contract",
        "place": ["com:13055"],
        "deadlines": [{"at": "2026-03-12T12:00"}],
        "amounts": [{"kind": "estimate", "value": 100000}],
        "description": "Enrobés de la rue Nationale.",
    }
    later = first | {
        "deadlines": [
            {"kind": "tender", "at": "2026-03-17T12:00"},
            {"kind": "question", "at": "2026-03-13"},
        ],
        "description": "Enrobés et trottoirs de la rue Nationale.",
    }
    whole = later | {
        "title": "Réfection de la voirie du quartier de la Belle-de-Mai",
        "amounts": [{"kind": "estimate", "value": 120000}],
        "lots": [{"number": "1", "title": "Chaussée", "amount": {"value": 80000}}],
    }
    source, subject = f"urn:siren:{MARSEILLE}", "V1"
    for at, data in (
        ("2026-03-04T08:00:00Z", first),
        ("2026-03-06T08:30:00Z", later),
        ("2026-03-06T14:05:00Z", whole),
        ("2026-03-09T08:00:00Z", whole),
    ):
        event = {
            "specversion": "1.0",
            "id": f"version-{at}",
            "source": source,
            "subject": subject,
            "type": f"fr.traverse.call.{'published' if data is first else 'updated'}.v1",
            "time": at,
            "data": data,
        }
        yield source, subject, f"version-{at}", json.dumps(event).encode()
