"""What is told of changes: in order, once a document, each message with its own place."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.documents import document
from traverse_schemas.clock import clock_from
from traverse_search_api.stream.change_log import Change
from traverse_search_api.stream.matching import (
    Looked,
    matching_body,
    read_matching,
    ready,
)
from traverse_search_api.stream.message import Form, messages
from traverse_search_api.stream.position import Position, decode
from traverse_search_api.stream.recent import Recent

KEY = b"secret"
NOW = clock_from("2026-03-12T10:00:00Z").now()
START = Position("g", (0, 0))


def change(name: str, offset: int, partition: int = 0, *, version: int = 1) -> Change:
    return Change(name, "public", version, partition, offset)


def looked(*documents: dict[str, Any], gone: tuple[str, ...] = ()) -> Looked:
    hits = {one["id"]: {"_source": one} for one in documents}
    return Looked(hits, frozenset(gone), frozenset(), {})


def test_each_message_resumes_right_after_itself() -> None:
    first, second = document("A", "École"), document("B", "Route")
    changes = [change(first["id"], 0), change(second["id"], 1)]
    told, end = messages(changes, looked(first, second), START, NOW, KEY)
    assert [each.name for each in told] == ["opportunity", "opportunity"]
    assert end.offsets == (2, 0)
    line = json.loads(told[0].octets(Form.NDJSON))
    assert decode(line["position"], KEY, end, START).offsets == (1, 0)
    assert line["data"]["title"] == "École"


def test_of_several_changes_of_a_document_the_last_is_told() -> None:
    one = document("A", "École")
    told, end = messages([change(one["id"], 0), change(one["id"], 1)], looked(one), START, NOW, KEY)
    assert [each.change.offset for each in told] == [1]
    assert end.offsets == (2, 0)


def test_a_withdrawal_is_told_by_its_id_alone() -> None:
    told, _ = messages([change("a", 0)], looked(gone=("a",)), START, NOW, KEY)
    assert told[0].octets(Form.EVENTS).decode().splitlines()[1:3] == [
        "event: gone",
        'data: {"id":"a"}',
    ]


def test_what_is_in_the_other_index_only_is_not_told() -> None:
    told, end = messages([change("a", 0)], looked(), START, NOW, KEY)
    assert told == []
    assert end.offsets == (1, 0)


def test_line_breaks_in_a_title_break_no_event() -> None:
    one = document("A", "Un\ntitre\r\n\u2028sur trois lignes")
    told, _ = messages([change(one["id"], 0)], looked(one), START, NOW, KEY)
    assert len(told[0].octets(Form.EVENTS).splitlines()) == 4  # id, event, data, end


def test_a_document_shown_in_an_older_version_is_late() -> None:
    hit = {"_source": {"id": "a"}, "_version": 3}
    late = read_matching([change("a", 0, version=4)], {"hits": {"hits": [hit]}}).late
    assert {one.id for one in late} == {"a"}
    seen = read_matching([change("a", 0, version=3)], {"hits": {"hits": [hit]}})
    assert not seen.late


def test_a_private_document_is_waited_for_only_where_a_public_one_was() -> None:
    private = change("a", 0, version=4)._replace(held="private")
    assert not read_matching([private], {}).late
    hit = {"_source": {"id": "a"}, "_version": 3}
    assert read_matching([private], {"hits": {"hits": [hit]}}).late == {private}


def test_a_late_change_holds_up_its_own_partition_only() -> None:
    changes = [change("a", 0), change("b", 1), change("c", 2), change("d", 0, partition=1)]
    assert [one.id for one in ready(changes, {changes[1]})] == ["a", "d"]


def test_every_filter_is_asked_about_the_changed_documents_only() -> None:
    body = matching_body([change("b", 0), change("a", 1)], {"k": {"match_all": {}}})
    assert body["query"] == {"terms": {"id": ["a", "b"]}}
    assert body["aggs"]["matched"]["filters"]["filters"] == {"k": {"match_all": {}}}


@given(
    st.lists(st.integers(0, 1), max_size=60),
    st.integers(1, 20),
    st.tuples(st.integers(0, 30), st.integers(0, 30)),
)
def test_what_is_remembered_has_no_hole(
    partitions: list[int], kept: int, start: tuple[int, int]
) -> None:
    """Either all changes after a position are there, or it says that it does not know."""
    ends = [0, 0]
    log = []
    for partition in partitions:
        log.append(change(f"{partition}-{ends[partition]}", ends[partition], partition))
        ends[partition] += 1
    recent = Recent(kept)
    recent.begin(START)
    recent.add(log)
    end = Position("g", (ends[0], ends[1]))
    found = recent.between(Position("g", start), end)
    wanted = [one for one in log if one.offset >= start[one.partition]]
    assert found is None or found == wanted
    if len(log) <= kept:
        assert found == wanted
