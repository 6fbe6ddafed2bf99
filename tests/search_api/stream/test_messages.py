"""What is told of changes: in order, once a document, each message with its own place."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.documents import document
from traverse_schemas.clock import clock_from
from traverse_schemas.documents.document import INDICES
from traverse_search_api.access.reader import ANYBODY, Reader
from traverse_search_api.changes.change_log import Change
from traverse_search_api.changes.position import Position, decode
from traverse_search_api.changes.recent import Recent
from traverse_search_api.matching.looked import (
    Looked,
    Seen,
    ask_body,
    look_body,
    read_asked,
    read_look,
    ready,
)
from traverse_search_api.stream.message import TOO_SLOW, Form, Message, Tellings

KEY = b"secret"
NOW = clock_from("2026-03-12T10:00:00Z").now()
START = Position("g", (0, 0))


def change(name: str, offset: int, partition: int = 0, *, version: int = 1) -> Change:
    return Change(name, "public", version, partition, offset)


def looked(*documents: dict[str, Any], gone: tuple[str, ...] = ()) -> Looked:
    """What an index says that holds these documents and stubs; the filter `k` finds all of them."""
    hits = {one["id"]: {"_source": one} for one in documents}
    return Looked(hits, frozenset(gone), frozenset(), {"k": frozenset(hits)})


def told_of(
    changes: list[Change],
    seen: Looked | Seen,
    reader: Reader = ANYBODY,
    named: tuple[str, ...] = (),
) -> tuple[list[Message], Position]:
    """What a stream is told, and the position after it."""
    indices = {"public": seen} if isinstance(seen, Looked) else seen
    told = Tellings(changes, indices, START, NOW, KEY)
    return told.messages("k", reader, named), told.end


def test_each_message_resumes_right_after_itself() -> None:
    first, second = document("A", "École"), document("B", "Route")
    changes = [change(first["id"], 0), change(second["id"], 1)]
    told, end = told_of(changes, looked(first, second))
    assert [each.name for each in told] == ["opportunity", "opportunity"]
    assert end.offsets == (2, 0)
    line = json.loads(told[0].octets(Form.NDJSON))
    assert decode(line["position"], KEY, end, START).offsets == (1, 0)
    assert line["data"]["title"] == "École"


def test_of_several_changes_of_a_document_the_last_is_told() -> None:
    one = document("A", "École")
    told, end = told_of([change(one["id"], 0), change(one["id"], 1)], looked(one))
    assert [each.change.offset for each in told] == [1]
    assert end.offsets == (2, 0)


def test_a_withdrawal_is_told_by_its_id_alone() -> None:
    told, _ = told_of([change("a", 0)], looked(gone=("a",)))
    assert told[0].octets(Form.EVENTS).decode().splitlines()[1:3] == [
        "event: gone",
        'data: {"id":"a"}',
    ]


def test_what_nobody_could_see_is_not_told_to_be_gone() -> None:
    """Merged as it came: to say so to thousands of streams would say nothing to any."""
    never = change("a", 1)._replace(shown=False)
    assert told_of([never], looked(gone=("a",))) == ([], Position("g", (2, 0)))
    # It was there, and led to two others since the last look.
    (told,) = told_of([change("a", 0), never], looked(gone=("a",)))[0]
    assert (told.name, told.change.offset) == ("gone", 1)


def test_what_is_in_the_other_index_only_is_not_told() -> None:
    told, end = told_of([change("a", 0)], looked())
    assert told == []
    assert end.offsets == (1, 0)


BUYER, FEDERATION = Reader("211300553", buyer=True), Reader("775665011")


def test_what_leaves_the_public_is_gone_for_who_may_not_follow_it() -> None:
    one = document("A", "École", visibility="buyers")
    seen = {"public": looked(gone=(one["id"],)), "members": looked(), "buyers": looked(one)}
    changes = [change(one["id"], 0)]
    for reader in (ANYBODY, FEDERATION):
        assert [each.name for each in told_of(changes, seen, reader)[0]] == ["gone"]
    (told,) = told_of(changes, seen, BUYER)[0]
    assert (told.name, told.restricted) == ("opportunity", False)
    other = {**seen, "buyers": seen["buyers"]._replace(matched={})}
    assert told_of(changes, other, BUYER)[0] == []  # it is there, and not what the stream follows


def test_of_what_names_its_readers_the_others_hear_neither_its_coming_nor_its_going() -> None:
    one = document("A", "École", visibility="restricted", audience=[BUYER.siren])
    changes = [change(one["id"], 0)]
    there = {"public": looked(), "restricted": looked(one)}
    (told,) = told_of(changes, there, BUYER)[0]
    assert told.restricted and b"audience" not in told.octets(Form.NDJSON)
    unread = {**there, "restricted": looked(one)._replace(matched={})}
    gone = {**there, "restricted": looked(gone=(one["id"],))}
    for seen in (unread, gone):
        for reader in (ANYBODY, FEDERATION):
            assert told_of(changes, seen, reader)[0] == []
    assert told_of(changes, gone, BUYER)[0] == []
    assert [one.name for one in told_of(changes, gone, BUYER, (one["id"],))[0]] == ["gone"]
    assert told_of(changes, unread, BUYER, (one["id"],))[0] == []


AUDIENCES = ["public", "members", "buyers", f"restricted:{BUYER.siren}", "restricted:123456782"]


@given(
    st.lists(st.tuples(st.sampled_from(AUDIENCES), st.booleans()), max_size=6),
    st.sampled_from([ANYBODY, FEDERATION, BUYER]),
)
def test_a_stream_tells_what_it_would_if_there_were_nothing_that_its_reader_may_not_read(
    states: list[tuple[str, bool]], reader: Reader
) -> None:
    """Of documents that change, and of those that go; but for the positions, which are sealed."""
    documents = []
    for number, (audience, gone) in enumerate(states):
        visibility, _, named = audience.partition(":")
        more = {"audience": [named]} if named else {}
        made = document(f"D{number}", f"Titre {number}", visibility=visibility, **more)
        documents.append((made, gone))

    def told(kept: list[tuple[dict[str, Any], bool]]) -> list[tuple[str, Any]]:
        seen: Seen = {}
        for index in INDICES:
            here = [(one, gone) for one, gone in kept if one["visibility"] == index]
            there = [one for one, gone in here if not gone]
            seen[index] = looked(*there, gone=tuple(one["id"] for one, gone in here if gone))
        changes = [change(one["id"], number) for number, (one, _) in enumerate(kept)]
        lines = [json.loads(one.octets(Form.NDJSON)) for one in told_of(changes, seen, reader)[0]]
        return [(line["event"], line["data"]) for line in lines]

    mine = [
        (one, gone)
        for one, gone in documents
        if (one["visibility"] in reader.whole if gone else reader.reads_document(one))
    ]
    found = told(documents)
    assert found == told(mine)
    assert len(found) == len(mine)


def test_what_became_anothers_while_it_was_looked_at_is_not_shown() -> None:
    """The filter found it as it is now, and what was read is what others could read before."""
    one = document("A", "École", visibility="restricted", audience=[FEDERATION.siren])
    seen = {"public": looked(), "restricted": looked(one)}
    assert told_of([change(one["id"], 0)], seen, BUYER)[0] == []
    assert len(told_of([change(one["id"], 0)], seen, FEDERATION)[0]) == 1


def test_a_message_shows_no_link_to_what_its_reader_may_not_read() -> None:
    links = [{"type": "joint", "id": "b", "audience": f"restricted:{BUYER.siren},123456782"},
             {"type": "joint", "id": "c", "audience": "members"}]  # fmt: skip
    one = document("A", "École", visibility="members", links=links)
    seen = {"public": looked(), "members": looked(one)}
    for reader, wanted in ((BUYER, ["b", "c"]), (FEDERATION, ["c"])):
        (told,) = told_of([change(one["id"], 0)], seen, reader)[0]
        line = told.octets(Form.NDJSON)
        assert [link["id"] for link in json.loads(line)["data"]["links"]] == wanted
        assert b"123456782" not in line


def test_line_breaks_in_a_title_break_no_event() -> None:
    one = document("A", "Un\ntitre\r\n\u2028sur trois lignes")
    told, _ = told_of([change(one["id"], 0)], looked(one))
    assert len(told[0].octets(Form.EVENTS).splitlines()) == 4  # id, event, data, end


def test_why_a_stream_ends_is_an_event_without_a_place() -> None:
    """A reader keeps the Last-Event-ID of its last message, and goes on from there."""
    event, data = TOO_SLOW.octets(Form.EVENTS).decode().split("\n\n")[0].splitlines()
    assert event == "event: refused"
    line = json.loads(TOO_SLOW.octets(Form.NDJSON))
    assert line == {"event": "refused", "data": json.loads(data.removeprefix("data: "))}
    assert "Last-Event-ID" in line["data"]["detail"]


def test_a_document_shown_in_an_older_version_is_late() -> None:
    hit = {"_source": {"id": "a"}, "_version": 3}
    late = read_look([change("a", 0, version=4)], {"hits": {"hits": [hit]}}, "public").late
    assert {one.id for one in late} == {"a"}
    seen = read_look([change("a", 0, version=3)], {"hits": {"hits": [hit]}}, "public")
    assert not seen.late


def test_a_private_document_is_waited_for_only_where_a_public_one_was() -> None:
    private = change("a", 0, version=4)._replace(held="buyers")
    assert not read_look([private], {}, "public").late
    assert read_look([private], {}, "buyers").late == {private}
    hit = {"_source": {"id": "a"}, "_version": 3}
    assert read_look([private], {"hits": {"hits": [hit]}}, "public").late == {private}


def test_a_late_change_holds_up_its_own_partition_only() -> None:
    changes = [change("a", 0), change("b", 1), change("c", 2), change("d", 0, partition=1)]
    assert [one.id for one in ready(changes, {changes[1]})] == ["a", "d"]


def test_every_filter_is_asked_about_the_changed_documents_only() -> None:
    looked_for = look_body([change("b", 0), change("a", 1)])
    assert looked_for["query"] == {"terms": {"id": ["a", "b"]}} and "aggs" not in looked_for
    body = ask_body({"b", "a"}, {"k": {"match_all": {}}})
    assert body["query"] == {"terms": {"id": ["a", "b"]}}
    assert body["aggs"]["matched"]["filters"]["filters"] == {"k": {"match_all": {}}}
    found = [{"doc_count": 1, "ids": {"buckets": [{"key": "a"}]}}, {"doc_count": 0}]
    answer = {"aggregations": {"matched": {"buckets": dict(zip("kl", found, strict=True))}}}
    assert read_asked(answer) == {"k": {"a"}}
    assert read_asked({}) == {}


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
