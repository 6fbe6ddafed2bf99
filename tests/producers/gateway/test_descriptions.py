"""The descriptions that the gateway gives: AsyncAPI of the topics, OpenAPI of the calls."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.producers.gateway.serving import ADMINISTRATOR, KEY, serving
from tests.schemas.validators import Validator, check_schema
from tests.stream_processors.enriching.test_fold import accept
from tests.stream_processors.factory import call_data, event, octets
from tests.stream_processors.validating.test_disclose import steps
from traverse_producers.gateway.asyncapi import asyncapi
from traverse_schemas.events import EVENT_TYPES
from traverse_schemas.log.topics import EVENTS, TOPICS

pytestmark = pytest.mark.long

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
OBJECTS = json.loads((Path(__file__).parent / "asyncapi_objects.json").read_text(encoding="utf-8"))


def resolve(document: Any, pointer: str) -> Any:
    for part in pointer.removeprefix("#/").split("/"):
        document = document[part]
    return document


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def described(component: str, document: Any) -> Validator:
    schema = {"$ref": f"#/components/schemas/{component}", "components": document["components"]}
    check_schema(schema)
    return Validator(schema)


def test_asyncapi_has_the_objects_of_version_3_and_each_reference_leads_somewhere() -> None:
    document = json.loads(json.dumps(asyncapi("a:9092,b:9092")))
    assert Validator(OBJECTS).takes(document)
    assert not Validator(OBJECTS).takes({**document, "channel": {}})
    for pointer in set(references(document)):
        assert resolve(document, pointer) is not None
    known = {topic.name for topic in TOPICS}
    assert {channel["address"] for channel in document["channels"].values()} <= known
    notices = {f"fr.traverse.{kind}.hidden.v1" for kind in EVENTS}
    assert {each["name"] for each in document["components"]["messages"].values()} == {
        *EVENT_TYPES,
        *notices,
        "tombstone",
    }


def test_asyncapi_tells_which_topics_have_tombstones_and_what_keys_are() -> None:
    """The messages of a purge, of the check and of a notice are among those described."""
    document = json.loads(json.dumps(asyncapi("a:9092")))
    topics = {topic.name: topic for topic in TOPICS}

    def messages(channel: Any) -> dict[str, Any]:
        found = channel["messages"].values()
        return {each["name"]: each for each in (resolve(document, one["$ref"]) for one in found)}

    for channel in document["channels"].values():
        policy = channel["bindings"]["kafka"]["topicConfiguration"]["cleanup.policy"]
        assert policy == [topics[channel["address"]].config["cleanup.policy"]]
        compacted, known = policy == ["compact"], messages(channel)
        assert ("tombstone" in known) == compacted
        assert ("null" in channel["description"]) == compacted
        for each in known.values():
            is_json = "contentMediaType" in each["bindings"]["kafka"]["key"]
            assert is_json == compacted
    calls = messages(document["channels"]["events-call"])
    assert Validator(calls["tombstone"]["payload"]["schema"]).takes(None)
    public = accept(event(time="2026-11-20T08:00:00Z"))
    narrowed = accept(
        event(id="2", time="2026-11-20T09:00:00Z", data=call_data(visibility="members"))
    )
    said = [told for *_, told in steps([public, narrowed])]
    assert said[0] == octets(event(time="2026-11-20T08:00:00Z"))
    notice = calls["fr.traverse.call.hidden.v1"]["payload"]["schema"]
    assert said[1] is not None
    assert Validator(notice).takes(json.loads(said[1]))
    assert not Validator(notice).takes(json.loads(said[0]))


@pytest.mark.parametrize("where", ["asyncapi", "openapi"])
def test_the_described_schemas_take_and_refuse_what_they_should(where: str) -> None:
    with serving() as gateway:
        document = gateway.client.get(f"/{where}.json").json()
    call = described("EventCallPublished", document)
    assert call.takes(event())
    assert not call.takes(event(data={}))
    assert not call.takes(event(type="fr.traverse.need.published.v1"))


def test_openapi_is_3_1_and_each_reference_leads_somewhere() -> None:
    with serving() as gateway:
        document = gateway.client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for pointer in set(references(document)):
        assert resolve(document, pointer) is not None
    assert {"/v1/events", "/v1/records/{kind}/{reference}", "/asyncapi.json"} <= set(
        document["paths"]
    )


def started(app: Any) -> Any:
    """The application without its start and end, which are another's to call."""

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        for moment in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{moment}.complete"})

    return asgi


@pytest.fixture(scope="module")
def description() -> Iterator[Any]:
    """The service, by its own description, over a log in memory."""
    with serving(rate=10**9, administration=True) as gateway:
        yield schemathesis.openapi.from_asgi("/openapi.json", started(gateway.client.app))


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_call_gets_an_answer_that_is_not_described(description: Any, mode: Any) -> None:
    """Calls made from the description, right and wrong: no failure of ours, no surprise."""
    called = 0
    for found in description.get_all_operations():
        operation = found.ok()
        given_nothing = not list(operation.iter_parameters()) and not operation.body
        if mode is GenerationMode.NEGATIVE and given_nothing:
            continue

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=8,
            derandomize=True,  # CI says the same of the same code
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        )
        def call(case: Any) -> None:
            nonlocal called
            called += 1
            key = ADMINISTRATOR if "/v1/institutions" in case.path else KEY
            case.call_and_validate(
                headers={**(case.headers or {}), "authorization": f"Bearer {key}"}, checks=CHECKS
            )

        with suppress(Unsatisfiable):  # a text that is no text: not every call can be wrong
            call()
    assert called > 20


def test_tools_of_any_site_read_the_descriptions_and_nothing_else() -> None:
    """An editor of OpenAPI or AsyncAPI in a browser; no receipt, and nothing is published so."""
    site = {"origin": "https://editor.example"}
    with serving() as gateway:
        for path in ("/openapi.json", "/asyncapi.json", "/v1/schemas/call.published/v1"):
            answer = gateway.client.get(path, headers=site)
            assert answer.headers["access-control-allow-origin"] == "*"
        for path in ("/v1/receipts", "/v1/events"):
            assert (
                "access-control-allow-origin" not in gateway.client.get(path, headers=site).headers
            )


def test_an_address_says_what_it_takes() -> None:
    """All of it, where several methods have the same address; HEAD goes with GET."""
    with serving(administration=True) as gateway:
        ask = gateway.client.request
        for method, path, takes in (
            ("GET", "/v1/events", "POST"),
            ("POST", "/v1/records/call/R-1", "PUT, DELETE"),
            ("DELETE", "/v1/institutions", "GET, HEAD, POST"),
            ("POST", "/healthz", "GET, HEAD"),
        ):
            answer = ask(method, path)
            assert (answer.status_code, answer.headers["allow"]) == (405, takes)
            assert answer.json()["detail"].endswith(f"mais {takes}.")
        assert ask("HEAD", "/readyz").status_code == 200


def spoken(value: Any) -> Iterator[str]:
    """Every description under a part of a document."""
    if isinstance(value, dict):
        if isinstance(value.get("description"), str):
            yield value["description"]
        for inner in value.values():
            yield from spoken(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from spoken(inner)


def test_openapi_says_in_french_what_each_parameter_and_answer_is() -> None:
    """Headers too: who signs for itself, or acts for others, finds them nowhere else."""
    with serving(administration=True) as gateway:
        document = gateway.client.get("/openapi.json").json()
    silent = [
        f"{path} {parameter['name']}"
        for path, methods in document["paths"].items()
        for call in methods.values()
        for parameter in call.get("parameters", ())
        if not (parameter.get("description") or parameter["schema"].get("description"))
    ]
    assert silent == []

    def names(path: str, method: str) -> set[str]:
        return {one["name"] for one in document["paths"][path][method]["parameters"]}

    assert {"Traverse-Signature", "Traverse-On-Behalf-Of"} <= names("/v1/events", "post")
    record = "/v1/records/{kind}/{reference}"
    assert {"system", "Traverse-On-Behalf-Of"} <= names(record, "put")
    assert {"system", "reason", "Traverse-On-Behalf-Of"} <= names(record, "delete")
    ours = ("Item", "Receipt", "RecordReceipt", "Problem", "NewInstitution", "KeyAnswer")
    schemas = document["components"]["schemas"]
    said = [*spoken(document["paths"]), *spoken([schemas[name] for name in ours])]
    english = re.compile(r"\b(the|of|what|which|with|and|is)\b")
    assert [text for text in said if english.search(text)] == []
