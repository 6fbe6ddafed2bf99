"""What must be written when records and decisions change, and nothing more."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.stream_processors.linking.records import call
from traverse_schemas.decisions import Decision
from traverse_schemas.log.record_state import RecordState
from traverse_stream_processors.linking import link
from traverse_stream_processors.linking.link import document_of
from traverse_stream_processors.linking.linker import Linker
from traverse_stream_processors.linking.opportunities import Formed, Opportunities
from traverse_stream_processors.linking.procedure import procedure
from traverse_stream_processors.linking.shelf import Shelf

OWNER, RELAY = "urn:siren:211300405", "urn:siren:181300013:boamp"
OWN = call("2026-VOI-014", OWNER, time="2026-11-19T10:00:00Z")
RELAYED = call("26-112233", RELAY, url="https://exemple.fr/boamp/26-112233")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def told(known: Opportunities, *states: RecordState, offset: int = 0) -> list[Formed]:
    """What is to be written, and is written."""
    messages = [
        (f"{state['source']} {state['subject']}", offset + number, orjson.dumps(state))
        for number, state in enumerate(states)
    ]
    formed = known.form(known.put_records(messages))
    known.remember(formed)
    return formed


def ids(formed: list[Formed]) -> list[str]:
    return sorted(one.message["id"] for one in formed)


def begun(folder: Path) -> Opportunities:
    return Opportunities(Linker(), Shelf(folder))


def test_a_repetition_writes_nothing(folder: Path) -> None:
    known = begun(folder)
    assert ids(told(known, OWN)) == [OWN["id"]]
    assert told(known, OWN, offset=5) == []


def test_an_older_state_changes_nothing(folder: Path) -> None:
    known = begun(folder)
    newer = call("2026-VOI-014", OWNER, title="Nouveau", time="2026-11-19T10:00:00Z")
    told(known, newer, offset=7)
    assert told(known, OWN, offset=3) == []


def test_a_second_record_makes_one_opportunity_and_a_stub(folder: Path) -> None:
    known = begun(folder)
    told(known, OWN)
    formed = told(known, RELAYED, offset=1)
    assert ids(formed) == sorted((OWN["id"], RELAYED["id"]))
    key = " ".join(sorted((OWN["id"], RELAYED["id"])))
    assert [link.key for link in known.links()] == [key]
    assert known.links() == []
    fates = known.fates([f"{RELAY} 26-112233"])
    assert fates[f"{RELAY} 26-112233"].opportunity == OWN["id"]


def test_each_opportunity_is_put_together_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it is looked at for: what it proposes, and what is written of it."""
    put_together: list[str] = []

    def counting(things: Any) -> Any:
        put_together.append("procedure")
        return procedure(things)

    def reading(state: RecordState) -> Any:
        put_together.append(state["id"])
        return document_of(state)

    monkeypatch.setattr(link, "procedure", counting)
    monkeypatch.setattr(link, "document_of", reading)
    lots = [call(f"GYM-0{number}", OWNER, title=f"Rénovation du gymnase - lot {number}")
            for number in (1, 2)]  # fmt: skip
    told(begun(folder), *lots)
    assert sorted(put_together) == sorted(["procedure", *(one["id"] for one in lots)])


def test_a_stub_that_was_never_anything_else_was_not_shown(folder: Path) -> None:
    """Merged as it came, a record goes from no view; one that was there before does."""
    together = begun(folder / "together")
    shown = {one.message["id"]: one.shown for one in told(together, OWN, RELAYED)}
    assert shown == {OWN["id"]: True, RELAYED["id"]: False}
    apart = begun(folder / "apart")
    assert all(one.shown for one in told(apart, RELAYED))
    shown = {one.message["id"]: one.shown for one in told(apart, OWN, offset=1)}
    assert shown == {OWN["id"]: True, RELAYED["id"]: True}


def test_what_another_process_left_undone_is_done(folder: Path) -> None:
    """Killed after the records came and before anything was written: who takes over knows the
    records and what is on the log, and writes the rest."""
    first = begun(folder)
    written = told(first, OWN)
    second = begun(folder)
    second.put_written((one.message["id"], one.octets) for one in written)
    second.put_records(
        [
            (f"{OWNER} 2026-VOI-014", 0, orjson.dumps(OWN)),
            (f"{RELAY} 26-112233", 1, orjson.dumps(RELAYED)),
        ]
    )
    left = second.form(second.everything_linked())
    assert ids(left) == sorted((OWN["id"], RELAYED["id"]))
    second.remember(left)
    assert second.form(second.everything_linked()) == []


def test_a_record_that_is_gone_for_good_leaves_its_group(folder: Path) -> None:
    known = begun(folder)
    told(known, OWN, RELAYED)
    formed = known.form(known.put_records([(f"{OWNER} 2026-VOI-014", 9, None)]))
    documents = {one.message["id"]: one.message["document"] for one in formed}
    assert documents[OWN["id"]] == {"id": OWN["id"], "stub": True}
    assert documents[RELAYED["id"]]["stub"] is False
    assert b"VOI-014" not in b"".join(one.octets for one in formed)


def said(word: str, source: str, day: int) -> bytes:
    """What an institution says of the two records, always under the same subject."""
    return orjson.dumps(
        Decision(
            source=source,
            subject="dossier",
            version=[0, f"2026-11-{day}T10:00:00.000000Z", "d"],
            word=word,
            records=[OWN["id"], RELAYED["id"]],
        )
    )


def links_of(formed: list[Formed]) -> dict[str, list[Any]]:
    return {one.message["id"]: orjson.loads(one.document)["links"] for one in formed}


def test_who_contests_a_merge_finds_both_and_may_take_it_back(folder: Path) -> None:
    """Both say of the other that people set the link aside, and under what they said it."""
    known = begun(folder)
    told(known, OWN, RELAYED)
    formed = known.form(known.put_decisions([said("not_same", OWNER, 22)]))
    known.remember(formed)
    for mine, theirs in ((OWN, RELAYED), (RELAYED, OWN)):
        (link,) = links_of(formed)[mine["id"]]
        assert (link["type"], link["id"], link["state"]) == ("same", theirs["id"], "dismissed")
        (words,) = link["said"]
        assert (words["source"], words["subject"], words["word"]) == (OWNER, "dossier", "not_same")
    formed = known.form(known.put_decisions([said("withdrawn", OWNER, 23)]))
    documents = {one.message["id"]: orjson.loads(one.document) for one in formed}
    assert documents[RELAYED["id"]]["stub"] is True
    assert documents[OWN["id"]]["links"] == []


def test_what_one_side_asserts_the_other_is_asked_for(folder: Path) -> None:
    """Of two records that nothing but the word brings together; a stranger's is no word."""
    other = call("26-999", RELAY, title="Achat de mobilier", cpv=["39130000"], description="",
                 deadlines=[{"at": "2027-09-01T12:00"}], url="https://exemple.fr/9")  # fmt: skip
    known = begun(folder)
    told(known, OWN, other)

    def told_of(word: str, source: str) -> list[Formed]:
        decision = orjson.loads(said(word, source, 22)) | {"records": [OWN["id"], other["id"]]}
        formed = known.form(known.put_decisions([orjson.dumps(decision)]))
        known.remember(formed)
        return formed

    assert told_of("same_as", "urn:siren:200054807") == []
    formed = told_of("same_as", RELAY)
    for mine, theirs in ((OWN, other), (other, OWN)):
        (link,) = links_of(formed)[mine["id"]]
        assert (link["type"], link["id"], link["state"]) == ("same", theirs["id"], "asserted")
    formed = told_of("same_as", OWNER)
    documents = {one.message["id"]: one.message["document"] for one in formed}
    assert sum(document["stub"] for document in documents.values()) == 1
