"""Who sends an older version of a schema is told, event by event and in the headers, in time."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.older_version import NEW, OLD, new_event, old_event, older_version
from tests.producers.gateway.serving import BATCH, MovedClock, serving
from tests.stream_processors.factory import octets

SAYS = {
    "deprecation": "@1767225600",
    "sunset": "Mon, 01 Mar 2027 00:00:00 GMT",
    "link": '</v1/schemas/call.published/v1>; rel="successor-version"',
}


@pytest.fixture(autouse=True)
def older() -> Iterator[None]:
    with older_version():
        yield


def test_an_event_in_an_older_version_is_taken_unchanged_with_a_warning() -> None:
    with serving() as gateway:
        answer = gateway.post([old_event(), new_event(id="2")], BATCH)
        assert answer.status_code == 202
        assert {name: answer.headers.get(name) for name in SAYS} == SAYS
        first, second = answer.json()["items"]
        assert f"remplacé par {NEW} depuis le 01/01/2026" in first["warning"]
        assert "refusé à partir du 01/03/2027" in first["warning"]
        assert "warning" not in second
        assert gateway.written[0] == octets(old_event())
        current = gateway.post(new_event(id="3"))
        assert not {"deprecation", "sunset", "link"} & {*current.headers}


def test_after_its_last_day_it_is_refused() -> None:
    with serving(clock=MovedClock(datetime(2027, 3, 1, tzinfo=UTC))) as gateway:
        answer = gateway.post(old_event())
        assert (answer.status_code, answer.json()["reason"]) == (422, "unknown_version")
        assert NEW in answer.json()["detail"]


def test_the_schemas_say_it_too() -> None:
    with serving() as gateway:
        listed = gateway.client.get("/v1/schemas").json()["schemas"]
        (old,) = [each for each in listed if each["type"] == OLD]
        assert old == {
            "name": "call.published", "version": "v0", "type": OLD, "deprecated": "2026-01-01",
            "sunset": "2027-03-01", "successor": NEW, "url": "/v1/schemas/call.published/v0",
        }  # fmt: skip
        answer = gateway.client.get(old["url"])
        assert {name: answer.headers.get(name) for name in SAYS} == SAYS
        assert answer.json()["x-sunset"] == "2027-03-01"
        assert "sunset" not in gateway.client.get("/v1/schemas/call.published/v1").headers
        described = gateway.client.get("/openapi.json").json()["components"]["schemas"]
        assert described["EventCallPublishedV0"]["deprecated"] is True
        assert gateway.client.get("/asyncapi.json").status_code == 200
