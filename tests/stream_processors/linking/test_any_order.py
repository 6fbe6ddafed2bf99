"""Whatever people and institutions say, in whatever order it is accepted, comes to the same
(decision 7): events and decisions, as they are published, through all the pure steps."""

from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stream_processors.factory import RECEIVED, event
from tests.stream_processors.linking.test_arrival import World
from tests.stream_processors.matching.factory import METROPOLE, TOWNS
from traverse_schemas.decisions import GroupingStep, Word
from traverse_schemas.documents.grouping import grouping_id
from traverse_schemas.events import Action
from traverse_schemas.log.identity import opportunity_id
from traverse_schemas.log.record_state import RecordState
from traverse_schemas.reference.institutions import Institutions
from traverse_schemas.reference.territories import Territories
from traverse_stream_processors.enriching.enrich import enrich
from traverse_stream_processors.enriching.fold import fold
from traverse_stream_processors.validating.decide import decided
from traverse_stream_processors.validating.validate import Accepted, validate

_TERRITORIES = Territories.load()
_ENRICH = partial(
    enrich,
    territories=_TERRITORIES,
    institutions=Institutions.load(Path("no-such-file"), _TERRITORIES),
)
GARDANNE, AIX, MARSEILLE = (TOWNS[name][0] for name in ("Gardanne", "Aix", "Marseille"))
PLACES = {siren: f"com:{insee}" for siren, insee in TOWNS.values()} | {METROPOLE[0]: METROPOLE[1]}
RELAY, OTHER_RELAY = "181300013:boamp", "231300021:portail"
NOTICE = "3f2b8c1e-1111-4222-8333-444455556666"
Whole = dict[str, Any]
Said = tuple[str, str]
"""A record: who says it (the source without `urn:siren:`), and the subject."""


def said(by: str, subject: str, kind: str, *steps: tuple[str, int, Whole]) -> list[Whole]:
    """The events of a record: actions, with the day of November and the data of each."""
    return [
        event(
            action, kind, id=f"{subject}-{number}", source=f"urn:siren:{by}", subject=subject,
            time=f"2026-11-{day:02}T09:00:00Z", data=data,
        )
        for number, (action, day, data) in enumerate(steps)
    ]  # fmt: skip


def need(owner: str, title: str = "Achat de défibrillateurs", **fields: Any) -> Whole:
    return {
        "title": title, "subtype": "purchase", "cpv": ["33182100"], "place": [PLACES[owner]],
        "window": {"from": "2027-02-01", "to": "2027-05-31"}, **fields,
    }  # fmt: skip


def call(owner: str, title: str = "Fourniture de défibrillateurs", **fields: Any) -> Whole:
    return {
        "title": title, "subtype": "contract", "nature": "supplies", "cpv": ["33182100"],
        "owner": {"id": owner}, "place": [PLACES[owner]], "url": "https://exemple.fr/dae",
        "deadlines": [{"at": "2027-02-18T12:00"}], **fields,
    }  # fmt: skip


def lots(*numbers: int) -> Whole:
    return {"lots": [{"number": str(it), "title": f"Lot {it}"} for it in numbers]}


NUMBERED: Whole = {"references": [NOTICE]}
ERASED = {"reason": "erasure"}
RECORDS: tuple[list[Whole], ...] = (
    said(GARDANNE, "N", "need", ("published", 2, need(GARDANNE)),
         ("updated", 8, need(GARDANNE, visibility="public", reason="correction"))),
    said(AIX, "B", "need", ("published", 3, need(AIX)),
         ("updated", 9, need(AIX, visibility="restricted", audience=[GARDANNE])),
         ("updated", 12, need(AIX, visibility="members"))),
    said(MARSEILLE, "O", "need", ("published", 4, need(MARSEILLE, visibility="public")),
         ("closed", 7, {"outcome": "met"}), ("published", 10, need(MARSEILLE))),
    said(MARSEILLE, "O2", "need", ("published", 5, need(MARSEILLE, "Défibrillateurs à acheter")),
         ("withdrawn", 13, {"reason": "error"})),
    said(METROPOLE[0], "C", "call", ("published", 1, call(METROPOLE[0], **NUMBERED, **lots(1, 2))),
         ("closed", 14, {"outcome": "awarded", "on": "2026-11-13",
                         "lots": [{"number": "1", "outcome": "awarded"}]})),
    said(RELAY, "C-relay", "call", ("published", 2, call(METROPOLE[0], **NUMBERED)),
         ("updated", 6, call(METROPOLE[0], **NUMBERED, reason="extension",
                             deadlines=[{"at": "2027-03-18T12:00"}]))),
    said(OTHER_RELAY, "C-lot", "call",
         ("published", 3, call(METROPOLE[0], "Fourniture de défibrillateurs - Lot 2",
                               **NUMBERED, **lots(2))),
         ("updated", 11, call(METROPOLE[0], "Fourniture de défibrillateurs - Lot 2",
                              **NUMBERED, **lots(2), visibility="buyers"))),
    said(AIX, "C-own", "call", ("published", 5, call(AIX, **NUMBERED)),
         ("withdrawn", 9, ERASED), ("published", 12, call(AIX, **NUMBERED))),
    said(RELAY, "C-gone", "call", ("published", 1, call(METROPOLE[0], **NUMBERED)),
         ("withdrawn", 15, ERASED)),
)  # fmt: skip
EVENTS = [one for record in RECORDS for one in record]
NAMES = {opportunity_id(one["source"], one["subject"]): one for one in EVENTS}
NEEDS = [name for name, one in NAMES.items() if ".need." in one["type"]]
SPEAKERS = (GARDANNE, AIX, MARSEILLE, METROPOLE[0], "181300013", "231300021")
LINK_WORDS, STEPS = list(map(str, Word)), list(map(str, GroupingStep))


def reference(name: str) -> Whole:
    return {"source": NAMES[name]["source"], "subject": NAMES[name]["subject"]}


@st.composite
def words(draw: st.DrawFn) -> list[Whole]:
    """What people say: of two records, or of the one that they have in a grouping; mostly those
    whose word counts, often under a subject that they spoke under before."""
    found = []
    for number in range(draw(st.integers(0, 10))):
        base = {
            "id": f"w-{number}", "subject": f"S{draw(st.integers(0, 4))}",
            "time": f"2026-11-{draw(st.integers(14, 20)):02}T09:00:00Z",
        }  # fmt: skip
        about: Whole
        if draw(st.booleans()):
            name = draw(st.sampled_from(NEEDS))
            layer = draw(st.sampled_from(["public", "members", "buyers"]))
            anchor = draw(st.sampled_from(NEEDS))
            about = {"grouping": grouping_id(layer, anchor), "record": reference(name)}
            word, kind = draw(st.sampled_from(STEPS)), "grouping"
            speakers = [NAMES[name]["source"][10:19]]
        else:
            pair = draw(st.lists(st.sampled_from(sorted(NAMES)), min_size=2, max_size=2,
                                 unique=True))  # fmt: skip
            about = {"records": [reference(one) for one in pair]}
            word, kind = draw(st.sampled_from(LINK_WORDS)), "link"
            speakers = [NAMES[one]["source"][10:19] for one in pair]
        by = draw(st.sampled_from([*speakers, *speakers, *SPEAKERS]))
        base["subject"] += kind
        found.append(event(word, kind, **base, source=f"urn:siren:{by}", data=about))
    return found


class Told:
    """All pure steps from what is accepted to what is written."""

    def __init__(self, folder: Path) -> None:
        self._world = World(folder)
        self._states: dict[str, RecordState] = {}

    def tell(self, batch: list[Whole]) -> None:
        self._world.tell(*self._folded(batch))

    def tell_the_killed(self, batch: list[Whole], random: Any) -> None:
        """Somebody is killed over a batch, before or after it is written; the next, as may be,
        while it takes over. Whoever takes over in the end is given the batch again."""
        rows = self._world.log(*self._folded(batch))
        if random.random() < 0.5:
            self._world.handle(*rows)
        while random.random() < 0.4:
            self._world.take_over(random)
        self._world.take_over()
        self._world.handle(*rows)

    def _folded(self, batch: list[Whole]) -> list[RecordState | bytes]:
        told: list[RecordState | bytes] = []
        for whole in batch:
            accepted = accept(orjson.dumps(whole))
            if accepted.type.kind in ("link", "grouping"):
                told.append(decided(accepted, 0).value or b"")
                continue
            name = opportunity_id(whole["source"], whole["subject"])
            self._states[name] = fold(self._states.get(name), accepted, _ENRICH(accepted))
            told.append(self._states[name])
        return told

    def written(self) -> tuple[Any, ...]:
        """What people may find; not what only tells that something was there once, which depends
        on whether it was written before it was erased or left its readers."""
        documents, links, groupings = self._world.written()
        shown = {}
        for name, message in documents.items():
            document = message["document"]
            if not document["stub"] or "merged_into" in document:
                shown[name] = (message["index"], document)
        return shown, links, groupings


@cache
def accept(whole: bytes) -> Accepted:
    return validate(whole, RECEIVED, _TERRITORIES)


def outcome(batches: list[list[Whole]]) -> tuple[Any, ...]:
    with TemporaryDirectory() as folder:
        told = Told(Path(folder))
        for batch in batches:
            told.tell(batch)
        return told.written()


def test_every_word_is_drawn() -> None:
    actions = {one["type"].split(".")[3] for one in EVENTS}
    assert actions == {str(action) for action in Action}
    assert {"lots", "audience", "reason"} <= {key for one in EVENTS for key in one["data"]}


@settings(max_examples=60, deadline=None)
@given(words(), st.randoms(use_true_random=False))
def test_events_and_words_come_to_the_same_in_any_order(spoken: list[Whole], random: Any) -> None:
    everything = [*EVENTS, *spoken]
    order = random.sample(everything, k=len(everything)) + random.sample(everything, k=3)
    batches = []
    while order:
        size = random.choice([1, 1, 1, 2, 4])
        batches.append(order[:size])
        del order[:size]
    assert outcome(batches) == outcome([everything])


@settings(max_examples=25, deadline=None)
@given(words(), st.randoms(use_true_random=False))
def test_whoever_is_killed_the_next_comes_to_the_same(spoken: list[Whole], random: Any) -> None:
    everything = [*EVENTS, *spoken]
    order = random.sample(everything, k=len(everything))
    with TemporaryDirectory() as folder:
        told = Told(Path(folder))
        while order:
            size = random.choice([1, 1, 2, 4])
            if random.random() < 0.8:
                told.tell(order[:size])
            else:
                told.tell_the_killed(order[:size], random)
            del order[:size]
        assert told.written() == outcome([everything])
