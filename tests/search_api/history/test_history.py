"""History: versions in their order, each told to whom it was for, and nothing that was erased."""

import asyncio
from pathlib import Path
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st
from tests.documents import SOURCE, document

from traverse_schemas.log.identity import event_key
from traverse_search_api.access.reader import ANYBODY, Reader
from traverse_search_api.history.accepted_log import Kept
from traverse_search_api.history.pointers import Pointer, Pointers
from traverse_search_api.history.routes import history_of
from traverse_search_api.history.versions import readable, versions

TOWN, FEDERATION = Reader("211300405", buyer=True), Reader("775665011")
AUDIENCES = ["public", "members", "buyers", "restricted"]


def event(action: str, number: int, data: dict[str, Any] | None = None, **more: Any) -> Any:
    """An accepted event of VOI-1, of that minute."""
    return {
        "id": f"e{number}", "source": SOURCE, "subject": "VOI-1", "sequence": 0,
        "type": f"fr.traverse.call.{action}.v1", "time": f"2026-03-12T10:{number:02d}:00Z",
        "data": data if data is not None else call(f"Titre {number}"), **more,
    }  # fmt: skip


def call(title: str, visibility: str = "public", **more: Any) -> dict[str, Any]:
    named = {"audience": [TOWN.siren]} if visibility == "restricted" else {}
    return {"title": title, "subtype": "contract", "visibility": visibility, **named, **more}


def stored(*events: Any, start: int = 0) -> list[tuple[int, bytes, bytes | None]]:
    return [(start + at, key_of(one), orjson.dumps(one)) for at, one in enumerate(events)]


def key_of(one: Any) -> bytes:
    return event_key(one["source"], one["subject"], one["id"]).encode()


def known(*events: Any) -> Pointers:
    pointers = Pointers(None)
    pointers.put(0, stored(*events), {0: len(events)})
    return pointers


class Log:
    """The log, in memory."""

    def __init__(self, *events: Any) -> None:
        self.events_by_offset = dict(enumerate(events))
        self._pointers = known(*events)
        self.read: list[int] = []

    async def pointers(self, records: list[tuple[str, str]]) -> list[list[Pointer]]:
        return [self._pointers.of(*record) for record in records]

    async def events(self, pointers: Any) -> dict[Pointer, Kept]:
        wanted = list(pointers)
        self.read += [one.offset for one in wanted]
        return {one: Kept(self.events_by_offset[one.offset], {}) for one in wanted}


def told(log: Log, reader: Reader = ANYBODY, size: int = 50) -> dict[str, Any]:
    return asyncio.run(history_of(document("VOI-1", "Titre"), log, reader, size))  # type: ignore[arg-type]


def test_each_version_says_when_by_whom_and_what_changed() -> None:
    found = told(Log(
        event("published", 1, call("École", cpv=["45000000"])),
        event("updated", 2, call("Écoles", cpv=["45000000"]) | {"reason": "correction"}),
        event("closed", 3, {"outcome": "awarded", "amount": {"value": 10}}),
    ))  # fmt: skip
    closed, updated, published = found["items"]
    assert [one["action_label"] for one in found["items"]] == ["Clos", "Mis à jour", "Publié"]
    assert updated["changes"] == [{"field": "title", "before": "École", "after": "Écoles"}]
    assert (updated["reason"], updated["by"]) == ("correction", "Ville de Marseille")
    assert [one["field"] for one in closed["changes"]] == ["amount", "outcome"]
    assert {"field": "title", "before": None, "after": "École"} in published["changes"]
    assert found["complete"] is True


@given(st.permutations(range(5)))
def test_versions_stand_in_their_order_whatever_the_arrival(order: list[int]) -> None:
    events = [event("published" if not n else "updated", n) for n in range(5)]
    found = told(Log(*(events[n] for n in order)))
    assert [one["at"] for one in found["items"]] == [one["time"] for one in reversed(events)]


@given(
    st.lists(st.sampled_from([*AUDIENCES, "closed"]), max_size=8),
    st.sampled_from([ANYBODY, FEDERATION, TOWN]),
)
def test_what_a_reader_is_told_is_what_they_would_be_without_the_rest(
    steps: list[str], reader: Reader
) -> None:
    """An event that the reader may not read changes nothing, and is not even read."""
    events = [
        event("closed", n, {"outcome": "awarded"})
        if step == "closed"
        else event("updated", n, call(f"Canari {step} {n}", step))
        for n, step in enumerate(steps)
    ]
    log = Log(*events)
    found = told(log, reader)
    mine = {pointer.offset for pointer, _ in readable(known(*events).of(SOURCE, "VOI-1"), reader)}
    assert set(log.read) == mine
    for number, step in enumerate(steps):
        if step != "closed" and not reader.reads_document(call("", step)):
            assert f"Canari {step} {number}" not in repr(found)
    kept = [event for n, event in enumerate(events) if n in mine]
    assert told(Log(*kept), reader) == found


def test_what_was_withdrawn_or_erased_is_not_told_again(tmp_path: Path) -> None:
    events = [event("published", 1), event("withdrawn", 2, {"reason": "error"}),
              event("published", 3), event("updated", 4)]  # fmt: skip
    assert [one["at"][14:16] for one in told(Log(*events))["items"]] == ["04", "03"]
    pointers = Pointers(tmp_path)
    assert pointers.begin("one") == {}
    pointers.put(2, stored(*events), {2: 4})
    pointers.put(2, [(4, key_of(events[2]), None)], {2: 5})
    assert [one.offset for one in pointers.of(SOURCE, "VOI-1")] == [3]
    second = Pointers(tmp_path)  # another process: it has its own
    assert second.begin("one") == {}
    second.close()
    pointers.close()
    again = Pointers(tmp_path)
    assert again.begin("one") == {2: 5}
    assert [one.partition for one in again.of(SOURCE, "VOI-1")] == [2]
    assert again.begin("two") == {}
    assert again.of(SOURCE, "VOI-1") == []
    again.close()


def test_people_and_addressees_of_the_past_are_not_shown() -> None:
    person = {"name": "Canari Jaune", "email": "canari@exemple.fr"}
    first = event("published", 1, call("A", "restricted", contact=person))
    second = event("updated", 2, call("A", "restricted"))
    found = told(Log(first, second), TOWN)
    assert "anari" not in repr(found)
    assert TOWN.siren not in repr(found)
    assert {"field": "contact"} in found["items"][0]["changes"]


def test_a_history_is_bounded_in_versions_and_in_values() -> None:
    events = [event("updated", n, call("x" * (9000 + n))) for n in range(9)]
    log = Log(*events)
    found = told(log, size=3)
    assert (len(found["items"]), found["complete"]) == (3, False)
    assert len(log.read) == 4
    assert found["items"][2]["changes"][0]["before"].startswith("xxx")
    assert len(orjson.dumps(found)) < 10_000


def test_what_is_no_event_of_a_record_is_passed_over() -> None:
    pointers = Pointers(None)
    word = b'{"type":"fr.traverse.link.same_as.v1"}'
    strange = [(0, b"mark", b"{}"), (1, b'["a","b","c"]', b"x"), (2, b'["a","b","d"]', word)]
    pointers.put(0, strange, {0: 3})
    assert pointers.of("a", "b") == []
    assert versions([]) == []
