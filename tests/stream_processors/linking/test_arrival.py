"""What is written does not depend on what came first (decision 7): opportunities, links and
groupings, through all that links and matches."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache, partial
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stream_processors.matching.factory import METROPOLE, TOWNS, reader, state
from traverse_schemas.documents.grouping import grouping_id
from traverse_schemas.log.identity import opportunity_id
from traverse_schemas.log.record_state import RecordState
from traverse_stream_processors.likeness.model import base_model
from traverse_stream_processors.linking.linker import Linker
from traverse_stream_processors.linking.opportunities import (
    Formed,
    LinkMessage,
    Opportunities,
    digest_of,
)
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
    """What was told, and what is written for it, as on the log; whoever is killed is followed by
    one that knows the log alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._records: list[tuple[str, int, bytes]] = []
        self._words: list[bytes] = []
        self._octets: dict[str, bytes] = {}
        self.links: dict[str, bytes] = {}
        self.groupings: dict[str, bytes] = {}
        self._known = self._born()

    def tell(self, *those: Told) -> None:
        """In one batch."""
        self.handle(*self.log(*those))

    def log(self, *those: Told) -> tuple[list[tuple[str, int, bytes]], list[bytes]]:
        """Records and words come to the log, in one batch, which nobody has handled."""
        records: list[tuple[str, int, bytes]] = []
        for said in those:
            if isinstance(said, dict):
                key = f"{said['source']} {said['subject']}"
                records.append((key, len(self._records) + len(records), orjson.dumps(said)))
        words = [one for one in those if isinstance(one, bytes)]
        self._records += records
        self._words += words
        return records, words

    def handle(self, records: Sequence[tuple[str, int, bytes]], words: Sequence[bytes]) -> None:
        known = self._known
        touched = known.put_records(records) | known.put_decisions(words)
        self._write(known.form(touched))
        _put(self.links, known.links())
        _put(self.groupings, known.groupings())

    def take_over(self, random: Any = None) -> None:
        """Whoever handled batches is gone; the next reads the log, and writes what is missing.
        With `random` it is gone, too, before it has written all of that."""
        known = self._known = self._born()
        known.put_written(self._octets.items())
        half = len(self._words) // 2
        known.put_decisions(self._words[:half])
        for start in range(0, len(self._records), 3):
            known.put_records(self._records[start : start + 3])
        known.put_decisions(self._words[half:])
        left = sorted(known.everything_linked())
        for start in range(0, len(left), 3):
            if random is not None and random.random() < 0.3:
                return
            self._write(known.form(left[start : start + 3]))
        digests = {key: digest_of(value) for key, value in self.links.items()}
        links = list(known.missing_links(digests))
        if random is not None:
            _put(self.links, links[: random.randrange(len(links) + 1)])
            return
        _put(self.links, links)
        _put(self.groupings, known.missing_groupings(dict(self.groupings)))

    def _born(self) -> Opportunities:
        matches = Matches(base_model(), reader())
        return Opportunities(Linker(), Shelf(self._folder), matches)

    def _write(self, formed: Sequence[Formed]) -> None:
        self._octets |= {one.message["id"]: one.octets for one in formed}
        self._known.remember(formed)

    @property
    def documents(self) -> dict[str, Any]:
        return _read(self._octets)

    def written(self) -> tuple[Any, ...]:
        """All that holds; but not which groupings there were on the way."""
        groupings = _read(self.groupings)
        standing = {key: one for key, one in groupings.items() if "grouping" in one}
        return self.documents, _read(self.links), standing


def _read(written: Mapping[str, bytes]) -> dict[str, Any]:
    return {key: orjson.loads(value) for key, value in written.items()}


def _put(written: dict[str, bytes], messages: Iterable[LinkMessage]) -> None:
    """As a compacted topic holds them."""
    for key, value in messages:
        written.pop(key, None)
        if value is not None:
            written[key] = value


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
    and come back on the way, or told of another thing, of another owner, until then."""
    told = list(FINAL)
    random.shuffle(told)
    for one in random.choices(RECORDS, k=random.randrange(6)):
        change = random.choice([hidden, closed, withdrawn, partial(mistaken, random)])
        told.insert(random.randint(0, told.index(one)), change(one))
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


def mistaken(random: Any, one: RecordState) -> RecordState:
    """Told as what another is, in whole or in part, and since later."""
    other: Any = copy.deepcopy(random.choice(RECORDS))
    if random.random() < 0.5:
        return {**one, "content": other["content"], "life": other["life"],
                "first_time": max(one["first_time"], other["first_time"])}  # fmt: skip
    fields = other["content"]["content"]
    names = random.sample(sorted(fields), k=4)
    whole = [("place", "within", "covers", "territory", "place_names", "location"),
             ("institutions", "owner_siren", "owner_kind"), ("kind", "subtype")]  # fmt: skip
    for together in whole:
        if not set(together).isdisjoint(names):
            names += [name for name in together if name in fields]
    return with_content(one, **{name: fields[name] for name in names})


def hidden(one: RecordState) -> RecordState:
    return with_content(one, visibility="restricted", audience=["211300553"])
