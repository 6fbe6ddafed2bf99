"""What is written does not depend on what came first (decision 7): opportunities, links and
groupings, through all that links and matches."""

import copy
from functools import lru_cache
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stream_processors.matching.factory import METROPOLE, TOWNS, reader, state
from traverse_schemas.grouping import grouping_id
from traverse_schemas.identity import opportunity_id
from traverse_schemas.record_state import RecordState
from traverse_stream_processors.likeness.model import base_model
from traverse_stream_processors.linking.linker import Linker
from traverse_stream_processors.linking.opportunities import Opportunities
from traverse_stream_processors.linking.shelf import Shelf
from traverse_stream_processors.matching.matches import Matches

BUYERS: dict[str, Any] = {"visibility": "buyers"}
DAE: dict[str, Any] = {"cpv": ["33182100"]}
SPRING = {"window": {"from": "2027-02-01", "to": "2027-05-31"}}
NOTICE = "3f2b8c1e-1111-4222-8333-444455556666"


def dae(subject: str, day: int, **fields: Any) -> RecordState:
    when = f"2026-11-{day:02}T09:00:00.000000Z"
    return state(subject, "Défibrillateurs", first_time=when, **SPRING, **DAE, **fields)


def aid(subject: str, day: int, title: str, **fields: Any) -> RecordState:
    """One call for projects, by whoever tells of it."""
    when = f"2026-11-{day:02}T09:00:00.000000Z"
    return state(
        subject, title, kind="call", subtype="call_for_projects", first_time=when,
        references=[NOTICE], url=f"https://exemple.fr/{subject}", **{"owner": METROPOLE, **fields},
    )  # fmt: skip


def decision(word: str, by: str, *records: RecordState, day: int, **more: str) -> bytes:
    return orjson.dumps(
        {
            "source": f"urn:siren:{by}",
            "subject": f"{word}-{records[0]['subject']}",
            "version": [0, f"2026-12-{day:02}T09:00:00.000000Z", "d"],
            "word": word,
            "records": [one["id"] for one in records],
            **more,
        }
    )


NEED, BESIDE = dae("N", 5, owner="Gardanne", **BUYERS), dae("B", 6, owner="Aix", **BUYERS)
OPEN = dae("O", 7, owner="Marseille")
# The head of one opportunity says too little to answer; the relay of the same call answers.
HEAD = aid("C1", 1, "Défibrillateurs : aide aux communes", themes=["voirie"], cpv=["45233140"])
RELAY = aid("C2", 2, "Défibrillateurs : aide aux communes", **DAE)
LATER = aid("C3", 3, "Défibrillateurs : aide aux communes", themes=["sante"])
FEW = dae("R", 8, owner="Aix", visibility="restricted", audience=[TOWNS["Gardanne"][0]])
FIRM = state(
    "F", "Cotraitant en défibrillateurs pour un marché", subtype="business", owner="Aix",
    first_time="2026-11-09T09:00:00.000000Z", **SPRING, **DAE,
)  # fmt: skip
OPENED = state(
    "K", "Défibrillateurs, location", kind="call", subtype="contract", owner=METROPOLE,
    joint={"coordinator": METROPOLE[0], "members": [TOWNS["Marseille"][0]]},
    deadline={"until": "2027-03-12T11:00:00Z", "precision": "minute"},
    first_time="2026-11-04T09:00:00.000000Z", **DAE,
)  # fmt: skip
ENDING = state(
    "E", "Location de défibrillateurs", kind="call", subtype="contract", owner="Aix",
    outcome="awarded", duration_months=48, end_min="2027-05-01", end_max="2027-05-01",
    first_time="2026-01-09T09:00:00.000000Z", **DAE,
)  # fmt: skip


def closed(one: RecordState) -> RecordState:
    life: Any = {**(one["life"] or {}), "state": "closed", "outcome": "dropped",
                 "closed_on": "2026-11-01"}  # fmt: skip
    return {**one, "life": life}


def withdrawn(one: RecordState) -> RecordState:
    life: Any = {**(one["life"] or {}), "state": "withdrawn"}
    return {**one, "life": life}


def with_content(one: RecordState, **fields: Any) -> RecordState:
    changed: Any = copy.deepcopy(one)
    changed["content"]["content"].update(fields)
    found: RecordState = changed
    return found


def relayed(one: RecordState, source: str = "urn:siren:181300013:boamp") -> RecordState:
    """The same, as another institution tells of it."""
    subject = f"copie {one['subject']}"
    return {**one, "source": source, "subject": subject, "id": opportunity_id(source, subject)}


# Its owner has ended it, and a relay tells of it still.
ENDED = with_content(
    closed(aid("D1", 1, "Défibrillateurs : fonds", themes=["sante"])), references=["AAP-2026-99871"]
)
STILL: RecordState = {**relayed(ENDED), "life": HEAD["life"]}
RECORDS = (NEED, BESIDE, OPEN, HEAD, RELAY, LATER, FEW, FIRM, OPENED, ENDING, ENDED, STILL)

GARDANNE, AIX, MARSEILLE = (TOWNS[name][0] for name in ("Gardanne", "Aix", "Marseille"))
BUYING = grouping_id("buyers", NEED["id"])
WORDS = (
    *(decision("not_same", METROPOLE[0], one, LATER, day=1) for one in (HEAD, RELAY)),
    decision("dismissed", GARDANNE, NEED, HEAD, day=2),
    decision("confirmed", MARSEILLE, OPEN, OPENED, day=2),
    decision("dismissed", AIX, BESIDE, NEED, day=3),
    decision("withdrawn", AIX, BESIDE, NEED, day=4, subject="dismissed-B"),
    decision("interested", AIX, BESIDE, day=3, grouping=BUYING),
    decision("not_interested", MARSEILLE, OPEN, day=4, grouping=BUYING),
)

Told = RecordState | bytes
FINAL: tuple[Told, ...] = (*RECORDS, *WORDS)


class World:
    """What was told, and what is written for it, as on the log."""

    def __init__(self, folder: Path) -> None:
        matches = Matches(base_model(), reader())
        self._opportunities = Opportunities(Linker(), Shelf(folder), matches)
        self._offset = 0
        self.documents: dict[str, Any] = {}
        self.links: dict[str, Any] = {}
        self.groupings: dict[str, Any] = {}

    def tell(self, *those: Told) -> None:
        """In one batch."""
        known = self._opportunities
        rows = []
        for said in those:
            if isinstance(said, dict):
                self._offset += 1
                key = f"{said['source']} {said['subject']}"
                rows.append((key, self._offset, orjson.dumps(said)))
        touched = known.put_records(rows)
        touched |= known.put_decisions(one for one in those if isinstance(one, bytes))
        formed = known.form(touched)
        for one in formed:
            self.documents[one.message["id"]] = orjson.loads(one.octets)
        for written, messages in ((self.links, known.links()), (self.groupings, known.groupings())):
            for key, value in messages:
                written.pop(key, None)
                if value is not None:
                    written[key] = orjson.loads(value)
        known.remember(formed)

    def written(self) -> tuple[Any, ...]:
        """All that holds; but not which groupings there were on the way."""
        standing = {key: one for key, one in self.groupings.items() if "grouping" in one}
        return self.documents, self.links, standing


def written(*batches: tuple[Told, ...]) -> tuple[Any, ...]:
    with TemporaryDirectory() as folder:
        world = World(Path(folder))
        for batch in batches:
            world.tell(*batch)
        return world.written()


def test_a_need_leads_to_the_call_wherever_that_is_merged() -> None:
    """Though only buyers may read the need, and the call is public."""
    orders = [written(*((one,) for one in order)) for order in permutations((NEED, HEAD, RELAY))]
    documents, *_ = orders[0]
    (link,) = documents[NEED["id"]]["document"]["links"]
    assert link["id"] == HEAD["id"]
    assert documents[HEAD["id"]]["document"]["links"] == []
    for other in orders[1:]:
        assert other == orders[0]


def test_a_word_counts_from_when_what_it_is_of_takes_part() -> None:
    """Said of a call that was closed by mistake, and is open again; its relay answers."""
    word = decision("dismissed", GARDANNE, NEED, HEAD, day=2)
    whole = written((NEED, RELAY, HEAD, word))
    (link,) = whole[0][NEED["id"]]["document"]["links"]
    assert link["state"] == "dismissed"
    assert written((NEED,), (RELAY,), (closed(HEAD),), (word,), (HEAD,)) == whole


@settings(max_examples=40, deadline=None)
@given(st.randoms(use_true_random=False))
def test_what_is_written_is_a_function_of_what_was_told(random: Any) -> None:
    """In any order, in any batches, with records that change their readers, close or are withdrawn
    and come back on the way."""
    told = list(FINAL)
    random.shuffle(told)
    for one in random.choices(RECORDS, k=random.randrange(4)):
        other = random.choice([hidden, closed, withdrawn])(one)
        told.insert(random.randint(0, told.index(one)), other)
    batches = []
    while told:
        size = random.choice([1, 1, 1, 2, 4])
        batches.append(tuple(told[:size]))
        del told[:size]
    assert written(*batches) == expected()


@lru_cache(maxsize=1)
def expected() -> tuple[Any, ...]:
    """Everything in one batch: what there is to tell apart is told."""
    documents, links, groupings = found = written(FINAL)
    assert len(documents) == len(RECORDS)
    shown = [link for one in documents.values() for link in one["document"].get("links", ())]
    assert {link["state"] for link in shown} == {"proposed", "confirmed", "dismissed"}
    assert {one["type"] for one in links.values()} == {"same", "answers", "joint"}
    assert {one["layer"].partition(":")[0] for one in groupings.values()} >= {"buyers"}
    return found


def hidden(one: RecordState) -> RecordState:
    return with_content(one, visibility="restricted", audience=["211300553"])
