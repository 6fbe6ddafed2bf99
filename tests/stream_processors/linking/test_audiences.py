"""Nobody can tell from what they read whether there is something that they may not read: neither
from what is merged, nor from links, nor from groupings (decisions 9 and 18)."""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stream_processors.linking.test_any_order import (
    AIX,
    EVENTS,
    GARDANNE,
    Told,
    Whole,
    words,
)
from traverse_schemas.documents.grouping import readable_tags, tag_of
from traverse_schemas.log.identity import opportunity_id
from traverse_search_api.access.reader import ANYBODY, Reader
from traverse_search_api.answers.items import links_of_sides

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
FEW, TWO = [GARDANNE], [GARDANNE, AIX]
AUDIENCES: tuple[Whole, ...] = (
    {"visibility": "public"}, {"visibility": "members"}, {"visibility": "buyers"},
    {"visibility": "restricted", "audience": FEW}, {"visibility": "restricted", "audience": TWO},
)  # fmt: skip
READERS = (ANYBODY, Reader("181300013"), Reader(AIX, buyer=True), Reader(GARDANNE, buyer=True))
PUBLISHED = [one for one in EVENTS if one["id"].endswith("-0")]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Whole], list[Whole]]:
    """Records, each with an audience of its own, and words of them."""
    records = [
        {**one, "data": {**one["data"], **draw(st.sampled_from(AUDIENCES))}} for one in PUBLISHED
    ]
    return records, draw(words())


def readable(event: Whole, reader: Reader) -> bool:
    return reader.reads_document(event["data"])


def heard(word: Whole, shown: set[str], reader: Reader) -> bool:
    """Whether a word is about what a reader may read alone."""
    data = word["data"]
    named = [data["record"]] if "record" in data else data["records"]
    if any(opportunity_id(it["source"], it["subject"]) not in shown for it in named):
        return False
    return "grouping" not in data or tag_of(data["grouping"]) in readable_tags(reader.whole[-1])


def seen(events: list[Whole], reader: Reader) -> tuple[Any, ...]:
    """All that a reader may read of what these come to."""
    with TemporaryDirectory() as folder:
        told = Told(Path(folder))
        told.tell(events)
        documents, _, groupings = told.written()
    shown = {
        name: {**one, "links": links_of_sides(one, NOW, reader)}
        for name, (_, one) in documents.items()
        if reader.reads_document(one)
    }
    rows = [row for row in groupings.values() if reader.sees_layer(row["layer"])]
    return shown, {row["id"]: row for row in rows}


@settings(max_examples=80, deadline=None)
@given(worlds(), st.sampled_from(READERS))
def test_who_may_not_read_something_cannot_tell_that_it_is_there(
    world: tuple[list[Whole], list[Whole]], reader: Reader
) -> None:
    records, spoken = world
    allowed = [one for one in records if readable(one, reader)]
    ids = {opportunity_id(one["source"], one["subject"]) for one in allowed}
    alone = [one for one in spoken if heard(one, ids, reader)]
    assert seen([*records, *spoken], reader) == seen([*allowed, *alone], reader)


@settings(max_examples=40, deadline=None)
@given(worlds())
def test_no_opportunity_and_no_grouping_is_of_records_of_two_audiences_that_one_may_not_read(
    world: tuple[list[Whole], list[Whole]],
) -> None:
    records, spoken = world
    audience = {opportunity_id(it["source"], it["subject"]): it["data"] for it in records}
    with TemporaryDirectory() as folder:
        told = Told(Path(folder))
        told.tell([*records, *spoken])
        documents, _, groupings = told.written()
    for _, document in documents.values():
        for source in document.get("sources", ()):
            said = audience[opportunity_id(source["source"], source["subject"])]
            assert document["visibility"] == said["visibility"]
            assert document.get("audience", []) == said.get("audience", [])
    for row in groupings.values():
        for reader in (it for it in READERS if it.reads(row["layer"])):
            for member in row["grouping"]["members"]:
                assert reader.reads_document(audience[member["record"]])
