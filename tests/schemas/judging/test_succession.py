"""A version of a type stays accepted for a year after its successor, and is read for ever."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import orjson
import pytest

from tests.older_version import NEW, OLD, WORDS, new_event, old_event, older_version
from tests.schemas.validators import Validator, check_schema
from tests.stream_processors.factory import RECEIVED
from traverse_schemas.errors import Reason, RejectedError
from traverse_schemas.events import EVENT_TYPES
from traverse_schemas.judging.export_json_schema import json_schema
from traverse_schemas.judging.judge import judge, understand
from traverse_schemas.judging.schema_compatibility import incompatibilities
from traverse_schemas.judging.succession import Succession
from traverse_schemas.reference.territories import Territories

ENDS = datetime(2027, 3, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def older() -> Iterator[None]:
    with older_version():
        yield


@pytest.mark.parametrize(
    ("since", "least"),
    [
        (date(2026, 1, 1), date(2027, 1, 1)),
        (date(2026, 12, 31), date(2027, 12, 31)),
        (date(2028, 2, 29), date(2029, 3, 1)),
    ],
)
def test_no_version_ends_before_twelve_months(since: date, least: date) -> None:
    assert Succession(NEW, since, least, dict).until == least
    with pytest.raises(ValueError, match="12 months"):
        Succession(NEW, since, least - timedelta(days=1), dict)


def test_every_version_that_has_a_successor_says_which() -> None:
    for known in EVENT_TYPES.values():
        ending = known.succession
        assert ending is None or (EVENT_TYPES[ending.by].kind, EVENT_TYPES[ending.by].action) == (
            known.kind,
            known.action,
        )


def test_an_older_version_comes_to_what_its_successor_says() -> None:
    territories = Territories.load()
    old, new = old_event(), new_event()
    was = judge(orjson.dumps(old), old, RECEIVED, territories)
    now = judge(orjson.dumps(new), new, RECEIVED, territories)
    assert (was.type.name, was.record, was.raw_record) == (NEW, now.record, now.raw_record)
    assert was.succession is not None
    assert now.succession is None
    assert was.record is not None
    assert was.record.title == WORDS


def test_once_it_has_ended_it_is_rejected_by_when_it_came_and_still_read() -> None:
    old = old_event()
    octets, territories = orjson.dumps(old), Territories.load()
    last = ENDS - timedelta(microseconds=1)
    assert judge(octets, old, last, territories).type.name == NEW
    with pytest.raises(RejectedError, match=r"n'est plus accepté depuis le 01/03/2027") as refused:
        judge(octets, old, ENDS, territories)
    assert (refused.value.reason, refused.value.pointer) == (Reason.UNKNOWN_VERSION, "/type")
    assert understand(octets, old).type.name == NEW


def test_it_is_held_to_its_own_schema() -> None:
    wrong = old_event()
    del wrong["data"]["object"]
    with pytest.raises(RejectedError, match="object est obligatoire") as refused:
        judge(orjson.dumps(wrong), wrong, RECEIVED, Territories.load())
    assert refused.value.pointer == "/data/object"


def test_a_version_that_never_was_is_told_which_there_are() -> None:
    with pytest.raises(RejectedError, match="il y a v0, v1"):
        understand(b"{}", {"type": "fr.traverse.call.published.v7"})


def test_the_schema_says_that_it_ends_and_when() -> None:
    """Which changes nothing of what it takes."""
    schema = json_schema(EVENT_TYPES[OLD])
    check_schema(schema)
    assert schema["deprecated"] is True
    assert schema["x-deprecated-since"] == "2026-01-01"
    assert schema["x-sunset"] == "2027-03-01"
    assert schema["x-successor"] == NEW
    assert Validator(schema).takes(old_event())
    before = {name: value for name, value in schema.items() if name[:2] != "x-"}
    del before["deprecated"]
    assert incompatibilities(before, schema) == []
