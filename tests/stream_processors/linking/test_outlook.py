"""What an opportunity comes to decides whether its records go on in matching."""

from itertools import permutations
from pathlib import Path
from typing import Any

import orjson

from tests.stream_processors.linking.test_arrival import (
    DAE,
    HEAD,
    NEED,
    RELAY,
    World,
    aid,
    closed,
    relayed,
    with_content,
    withdrawn,
    written,
)
from tests.stream_processors.matching.factory import METROPOLE, REGION, reader, state
from traverse_schemas.log.record_state import RecordState
from traverse_stream_processors.likeness.model import base_model
from traverse_stream_processors.linking.linker import Linker
from traverse_stream_processors.linking.opportunities import Opportunities
from traverse_stream_processors.linking.shelf import Shelf
from traverse_stream_processors.matching.lasting import MOST
from traverse_stream_processors.matching.matches import Matches

OWN = with_content(HEAD, **DAE, themes=["sante"])
COPY = relayed(RELAY)


def later(one: RecordState, **life: Any) -> RecordState:
    """The same, closed by its owner after all that was said."""
    changed: Any = {**(one["life"] or {}), "version": [0, "2026-11-20T09:00:00.000000Z", "z"]}
    return {**one, "life": changed | life}


ENDED = later(closed(OWN), outcome="dropped")


def shown_to_need(*batches: tuple[RecordState | bytes, ...]) -> list[str]:
    """The opportunities that the need's document leads to as answers."""
    documents, links, _ = written(*batches)
    found = documents[NEED["id"]]["document"]["links"]
    assert bool(found) == any(one["type"] == "answers" for one in links.values())
    return [link["id"] for link in found if link["type"] == "answers"]


def test_what_its_owner_ended_answers_nothing_by_way_of_a_relay() -> None:
    """In whatever order it is told."""
    assert shown_to_need((NEED, OWN, COPY)) == [OWN["id"]]
    for order in permutations((NEED, ENDED, COPY)):
        assert shown_to_need(*((one,) for one in order)) == []
    assert shown_to_need((NEED,), (OWN,), (COPY,), (ENDED,)) == []
    awarded = later(closed(OWN), outcome="awarded")
    assert shown_to_need((NEED, OWN, COPY), (awarded,)) == []


def test_what_goes_on_after_all_answers_again() -> None:
    """The owner takes its end back, or its record goes: what the relay says is all there is."""
    assert shown_to_need((NEED, ENDED, COPY), (OWN,)) == [OWN["id"]]
    assert shown_to_need((NEED, ENDED, COPY), (withdrawn(OWN),)) == [COPY["id"]]


def test_a_project_that_its_owner_delivered_answers_nothing_by_way_of_a_relay() -> None:
    plan = state("P", "Défibrillateurs", kind="project", subtype="project", owner=METROPOLE,
                 references=["PRJ-2026-4417"], url="https://exemple.fr/p", **DAE)  # fmt: skip
    asking = state("A", "Défibrillateurs", owner="Aix", **DAE)
    for stage, links in (("works", 1), ("delivered", 0)):
        copy = relayed(with_content(plan, stage="works"))
        documents, *_ = written((asking, with_content(plan, stage=stage), copy))
        assert len(documents) == 3
        assert len(documents[asking["id"]]["document"]["links"]) == links


def test_the_deadline_of_the_opportunity_is_told_of_the_answer() -> None:
    """The owner gave more time, of which the relay knows nothing."""
    early, late = (
        {"deadline": {"until": f"{day}T11:00:00Z", "precision": "minute", "kind": "tender",
                      "zone": "Europe/Paris"}}
        for day in ("2027-01-15", "2027-02-15")
    )  # fmt: skip
    documents, *_ = written((NEED, with_content(OWN, **late), with_content(COPY, **early)))
    (link,) = documents[NEED["id"]]["document"]["links"]
    assert link["until"] == "2027-02-15T11:00"
    assert "15 février 2027" in link["reason"]


def test_who_takes_over_knows_what_was_ended(tmp_path: Path) -> None:
    """Nothing is proposed for a moment, and nothing is written again."""
    first = World(tmp_path / "first")
    first.tell(NEED, COPY)
    first.tell(ENDED)
    second = Opportunities(Linker(), Shelf(tmp_path / "second"), Matches(base_model(), reader()))
    second.put_written((key, orjson.dumps(one)) for key, one in first.documents.items())
    told = (NEED, COPY, ENDED)
    second.put_records(
        [
            (f"{one['source']} {one['subject']}", at, orjson.dumps(one))
            for at, one in enumerate(told)
        ]
    )
    assert second.form(second.everything_linked()) == []
    assert [one.key for one in second.missing_links({}) if one.key.endswith("answers")] == []


def test_an_opportunity_of_many_records_takes_one_place_among_answers() -> None:
    """Whenever its records come together or part; each of them alone answers better than what they
    would push out."""
    copies = [relayed(COPY, f"urn:siren:181300013:relais{at}") for at in range(MOST + 1)]
    other = aid("O1", 4, "Défibrillateurs : aide de la région", owner=REGION, **DAE)
    other = with_content(other, references=["AAP-2026-55555"])
    whole = shown_to_need((NEED, OWN, *copies, other))
    assert set(whole) == {OWN["id"], other["id"]}
    told = [NEED, OWN, *copies, other]
    assert shown_to_need(*((one,) for one in told)) == whole
    assert shown_to_need(*((one,) for one in reversed(told))) == whole
    # Each tells of another thing from here on: ten of them are nearer than the other.
    apart = [
        with_content(one, references=[f"AAP-2026-{at:05}"], url=f"https://exemple.fr/{at}",
                     title=f"Défibrillateurs pour les {at} communes de {'abcdefghijk'[at] * 9}")
        for at, one in enumerate(copies)
    ]  # fmt: skip
    assert shown_to_need(tuple(told), tuple(apart)) == shown_to_need((NEED, OWN, other, *apart))
