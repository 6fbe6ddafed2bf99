"""What is judged here is what a search finds, on a real Elasticsearch."""

import asyncio
import random
from collections.abc import Iterator
from itertools import cycle
from typing import Any

import pytest

from tests.documents import deadline, document
from tests.engines import RunningEngines
from tests.search_api.accounts.people import CHAMBER, MARSEILLE
from tests.search_api.alerts.changing import Changing, changing
from traverse_schemas.clock import clock_from
from traverse_schemas.documents.indexed import indexed
from traverse_schemas.reference.territories import Territories
from traverse_search_api.access.reader import ANYBODY, Reader
from traverse_search_api.alerts.look import look
from traverse_search_api.changes.change_log import Change
from traverse_search_api.engines.elasticsearch_client import Indices, connect
from traverse_search_api.matching import finding
from traverse_search_api.matching.searches import Searches, search_of
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.query.queries import search_body
from traverse_search_api.text.plan import plan_of
from traverse_search_api.words.synonym_book import SynonymBook

pytestmark = pytest.mark.engines

NOW = clock_from("2026-03-12T10:00:00Z").now()
PLACES = Territories.load()
SYNONYMS = SynonymBook()
READERS = (ANYBODY, Reader(MARSEILLE, buyer=True), Reader(CHAMBER))

TITLES = (
    ("Réfection de l'école Jean-Jaurès", "fr"), ("École primaire : réfection des façades", "fr"),
    ("Totalenergies : bornes", "fr"), ("Fourniture d'énergies totales", "fr"), ("Façade", "fr"),
    ("Les écoles", "fr"), ("Sanierung der Schulgebäude am Markt", "de"),
    ("The renovation of schools", "en"), ("Vidéo-protection du port", "fr"),
    ("Entretien de la RD543, lot 2", "fr"), ("Bornes pour la recharge de véhicules", "fr"),
    ("Installation de bornes de recharge", "fr"), ("Salle multisport et vidéosurveillance", "fr"),
    ("Maçonnerie du mur, MAPA", "fr"), ("Traiteur pour une réception", "fr"),
)  # fmt: skip
TEXTS = (
    "école", "ecoles", "réfection façade", "façades école", "total energies", "totalenergies",
    "ref-7", "REF 7", "énergie", "jean-jaurès", "jaures", "école pas", "de la", "?",
    "réfection de école", "the schools", "am Markt", "Schulgebäude", "der Sanierung Markt",
    "renovation the", "RD 543",
    "RD543 lot", "vidéoprotection", "vidéo-protection", "éco-quartier 𝔘", "port vidéo-protection",
    "s.d.i.s. l’école", "auto-école", "réfection total energies", "total energies bornes", "borne",
    "IRVE", "bornes de recharge", "recharge véhicules", "gymnase", "gymnase vidéoprotection",
    "maçon", "traiteur réception", "MAPA", "mapa mur", "école Marseille", "Aubagne",
    "appel à projets",
    "clôture cette semaine", "échéance 2026 école", '"bornes de recharge" installation',
    '"façade"', "école -primaire", "faç*", "Marseille", "travaux façade école", "l'école",
)  # fmt: skip
CHOICES: dict[str, tuple[Any, ...]] = {
    "q": TEXTS,
    "kind": ("call", "need", ["call", "project"]),
    "status": ("open", "closing_soon", "under_review", "announced", "reported", "to_confirm",
               "running", "ended", "idea", ["open", "ended"]),
    "territory": ("com:13055", "dep:13", "com:13001", "reg:93", "fr", ["com:13001", "dep:75"]),
    "reach": ("within", "applies"),
    "cpv": ("45", "09"),
    "institution_kind": ("commune", "epci"),
    "institution": ("211300553", "marseille"),
    "amount_min": (1000, 2000.5),
    "amount_max": (1000, 2000.5),
    "deadline_from": ("2026-03-14", "2026-03-20T10:00:00Z"),
    "deadline_to": ("2026-03-14", "2026-03-20"),
    "published_from": ("2026-03-01", "2026-03-05"),
    "published_to": ("2026-03-01", "2026-03-05T08:00:00Z"),
    "near": ("43.3,5.4",),
}  # fmt: skip


def documents() -> list[dict[str, Any]]:
    """All kinds and states, in all indices."""
    found = []
    for number in range(60):
        title, language = TITLES[number % len(TITLES)]
        kind = ("call", "need", "project")[number % 3]
        fields: dict[str, Any] = {
            "kind": kind,
            "language": language,
            "place": [("com:13055", "dep:13", "com:13001")[number // 2 % 3]],
            "cpv": [("45000000-7", "09310000-5")[number % 2]],
            "description": "Travaux de façade" if number % 7 == 3 else "",
            "references": ["REF 7"] if number % 11 == 2 else [],
            "published_at": f"2026-03-0{number % 9 + 1}T08:00:00.000000Z",
            "updated_at": f"202{5 + number % 2}-03-01T08:00:00.000000Z",
        }
        if number % 5 == 1:
            fields["expires"] = ("2026-03-11", "2026-03-12")[number % 2]
        if number % 2:
            fields["amount"] = (999.99, 1000, 2000.5, 2001)[number // 2 % 4]
        if kind == "call" and number % 4:
            day = ("2026-03-12", "2026-03-14", "2026-03-20", "2026-04-20")[number // 3 % 4]
            fields["deadline"] = deadline(f"{day}T10:00:00.000000Z")
        if number % 6 == 0:
            ends = ("2026-03-11", "2026-03-12", "2027-01-01")[number % 9 // 3]
            fields |= {"outcome": "awarded", "notified": "2026-01-01", "end_max": ends}
        if kind == "project":
            fields["stage"] = ("studies", "funded", "idea")[number // 3 % 3]
        if number % 4 == 3:
            fields["visibility"] = ("members", "buyers", "restricted")[number // 4 % 3]
            fields["audience"] = [CHAMBER] if fields["visibility"] == "restricted" else []
        found.append(document(f"pareil-{number}", title, **fields))
    return found


def parameters() -> list[SearchParameters]:
    """Each choice by itself, and many together."""
    chance = random.Random(5)  # noqa: S311 -- the same searches each time
    asked = [{name: value} for name, values in CHOICES.items() for value in values]
    for _ in range(80):
        names = chance.sample(sorted(CHOICES), chance.randint(2, 4))
        asked.append({name: chance.choice(CHOICES[name]) for name in names})
    return [SearchParameters.model_validate({**each, "facets": "none"}) for each in asked]


@pytest.fixture(scope="module")
def changes(engines: RunningEngines) -> Iterator[Changing]:
    with changing(engines) as made:
        made.write(*(dict(indexed(one)) for one in documents()))
        yield made


def test_what_is_judged_here_is_what_a_search_finds(
    changes: Changing, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted: list[int] = []
    asked = finding.asked

    async def counted(index: Any, ids: Any, queries: Any) -> Any:
        wanted.append(len(queries))
        return await asked(index, ids, queries)

    monkeypatch.setattr(finding, "asked", counted)

    async def journey() -> None:
        client = connect(changes.address, 60)
        indices = Indices(client, client, changes.aliases)
        try:
            searches = Searches(PLACES, SYNONYMS)
            followed = [search_of(one, reader) for one, reader in zip(parameters(), cycle(READERS))]
            for search in followed:
                searches.put(search, NOW)
            written = documents()
            changed = [Change(one["id"], one["visibility"], 0, 0, 0) for one in written]
            sight = await look(changed, indices)
            assert len(sight.documents) == len(written)
            told = await finding.found_by(sight.shown(), searches, indices, NOW)
            some = 0
            for search in followed:
                given, reader = search.parameters, search.reader
                plan = plan_of(given.q, PLACES, SYNONYMS.meanings(), NOW)
                body = search_body(given, NOW, PLACES, plan, reader) | {"size": 100}
                hits = (await indices.of(reader).search(body)).get("hits", {}).get("hits", ())
                found = {hit["_source"]["id"] for hit in hits}
                mine = set().union(*(each.get(search.key, ()) for each in told.values()))
                assert mine == found, (given.model_dump(exclude_defaults=True), reader)
                some += bool(found)
            assert some > len(followed) / 3
            # Most are judged here; phrases, beginnings, names and distances are not.
            assert sum(wanted) < len(followed) / 2

            # One that Elasticsearch refuses does not take the others with it.
            every: dict[str, dict[str, Any]] = {
                f"all-{number}": {"match_all": {}} for number in range(5)
            }
            bad = {"range": {"deadline.until": {"lte": "998-12-31T23:50:39.000Z"}}}
            public = [one["id"] for one in written if one["visibility"] == "public"]
            seen, refused = await asked(indices.one("public"), public, {**every, "bad": bad})
            assert refused == {"bad"}
            assert seen == dict.fromkeys(every, frozenset(public))
        finally:
            await client.close()

    asyncio.run(journey())
