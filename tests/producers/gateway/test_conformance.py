"""CloudEvents 1.0 as the gateway takes it: the JSON format and the HTTP binding, case by case.

The cases are data (conformance.json), of our own writing after the specification's sections.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.producers.gateway.serving import BATCH, NDJSON, Gateway, serving
from tests.stream_processors.factory import call_data, event, octets

CASES = json.loads((Path(__file__).parent / "conformance.json").read_text(encoding="utf-8"))


def cases(part: str, side: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "case", CASES[part][side], ids=[case["name"] for case in CASES[part][side]]
    )


@pytest.fixture(scope="module")
def shared() -> Iterator[Gateway]:
    with serving() as running:
        yield running


@pytest.fixture
def gateway(shared: Gateway) -> Gateway:
    shared.log.sent.clear()
    return shared


def binary_headers(whole: dict[str, Any]) -> dict[str, str]:
    """The attributes of an event as the HTTP binding writes them."""
    safe = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')
    return {
        f"ce-{name}": quote(json.dumps(value) if not isinstance(value, str) else value, safe)
        for name, value in whole.items()
        if name not in ("data", "datacontenttype")
    }


@cases("attributes", "valid")
def test_structured_valid_is_accepted_with_its_very_octets(
    gateway: Gateway, case: dict[str, Any]
) -> None:
    sent = json.dumps(event(**case["change"]), indent=1, ensure_ascii=False).encode()
    answer = gateway.post(sent)
    assert answer.status_code == 202, answer.text
    assert gateway.written == [sent]


def test_optional_attributes_may_be_null(gateway: Gateway) -> None:
    """JSON format, section 2.2: null is as good as not there."""
    sent = octets({**event(), "datacontenttype": None, "dataschema": None, "comexample": None})
    assert gateway.post(sent).status_code == 202
    assert gateway.written == [sent]


@cases("attributes", "valid")
def test_binary_valid_becomes_the_same_event(gateway: Gateway, case: dict[str, Any]) -> None:
    """Extensions come back as texts: a header cannot say that a value was a number."""
    whole = event(**case["change"])
    answer = gateway.post(whole["data"], "application/json", **binary_headers(whole))
    assert answer.status_code == 202, answer.text
    expected = {
        name: value if isinstance(value, str | dict) else json.dumps(value)
        for name, value in {**whole, "datacontenttype": "application/json"}.items()
    }
    assert json.loads(gateway.written[0]) == expected


@cases("attributes", "invalid")
def test_structured_invalid_is_refused_with_its_place(
    gateway: Gateway, case: dict[str, Any]
) -> None:
    answer = gateway.post(event(**case["change"]))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["pointer"] == case["pointer"]
    assert answer.json()["detail"].endswith(".")
    assert gateway.written == []


@pytest.mark.parametrize("content_type", [BATCH, f"{BATCH}; charset=UTF-8", BATCH.upper()])
@cases("batches", "valid")
def test_a_batch_gives_each_event_with_its_very_octets(
    gateway: Gateway, case: dict[str, Any], content_type: str
) -> None:
    one = json.dumps(event(), indent=2).encode()
    answer = gateway.post(case["body"].encode().replace(b"EVENT", one), content_type)
    assert answer.status_code == 202
    assert gateway.written == [one] * case["count"]
    assert [item["index"] for item in answer.json()["items"]] == list(range(case["count"]))


@cases("batches", "invalid")
def test_a_batch_that_is_none_is_refused_as_a_whole(gateway: Gateway, case: dict[str, Any]) -> None:
    answer = gateway.post(case["body"].encode().replace(b"EVENT", octets(event())), BATCH)
    assert answer.status_code == 400
    assert gateway.written == []


@cases("headers", "valid")
def test_header_values_are_unquoted_and_percent_decoded_once(
    gateway: Gateway, case: dict[str, Any]
) -> None:
    headers = {**binary_headers(event()), "ce-comexample": case["header"]}
    answer = gateway.post(call_data(), "application/json", **headers)
    assert answer.status_code == 202, answer.text
    assert json.loads(gateway.written[0])["comexample"] == case["value"]


@cases("headers", "invalid")
def test_header_values_that_are_no_utf8_are_refused(gateway: Gateway, case: dict[str, Any]) -> None:
    headers = {**binary_headers(event()), "ce-comexample": case["header"]}
    answer = gateway.post(call_data(), "application/json", **headers)
    assert answer.status_code == 422
    assert answer.json()["pointer"] == "/comexample"


@pytest.mark.parametrize("name", ["ce-data", "ce-datacontenttype", "ce-com-example", "ce-com_ex"])
def test_headers_that_are_no_attributes_are_refused(gateway: Gateway, name: str) -> None:
    answer = gateway.post(call_data(), "application/json", **{**binary_headers(event()), name: "x"})
    assert answer.status_code == 422


def test_binary_data_travels_octet_for_octet_inside_the_envelope(gateway: Gateway) -> None:
    """Numbers and spaces of the data are those that were sent."""
    data = json.dumps(call_data(), indent=3).encode().replace(b"120000", b"120000.10")
    answer = gateway.post(data, "application/json; charset=utf-8", **binary_headers(event()))
    assert answer.status_code == 202, answer.text
    assert data in gateway.written[0]


def test_binary_data_that_is_no_json_is_refused(gateway: Gateway) -> None:
    """Ours are JSON: a picture, or JSON that would break out of the envelope, is none."""
    for data, said in ((b"\x89PNG", 400), (b'{"a":1},"id":"other"', 400), (b"", 400)):
        answer = gateway.post(data, "application/json", **binary_headers(event()))
        assert answer.status_code == said
        assert answer.json()["pointer"] == "/data"
    answer = gateway.post(b"\x89PNG", "image/png", **binary_headers(event()))
    assert (answer.status_code, answer.json()["pointer"]) == (422, "/datacontenttype")
    assert gateway.written == []


def test_sequence_in_a_header_is_the_number_that_it_says(gateway: Gateway) -> None:
    whole = event(sequence=7)
    gateway.post(whole["data"], "application/json", **binary_headers(whole))
    assert json.loads(gateway.written[0])["sequence"] == 7


@pytest.mark.parametrize(
    "wrong", [{"specversion": "0.9"}, {"id": None}], ids=["another version", "no id"]
)
def test_an_event_of_a_batch_that_is_wrong_is_told_and_the_others_are_taken(
    gateway: Gateway, wrong: dict[str, Any]
) -> None:
    batch = [event(id="1"), event(**wrong), "not an object"]
    answer = gateway.post(batch, BATCH)
    assert answer.status_code == 207
    assert [item["code"] for item in answer.json()["items"]] == [202, 422, 422]
    assert gateway.written == [octets(event(id="1"))]


def test_a_line_that_is_wrong_stops_no_other_line(gateway: Gateway) -> None:
    lines = [octets(event(id="1")), b"{broken", b"", octets(event(id="2")), b"[]"]
    answer = gateway.post(b"\r\n".join(lines), NDJSON)
    assert answer.status_code == 207
    assert [item["code"] for item in answer.json()["items"]] == [202, 400, 202, 422]
    assert gateway.written == [lines[0], lines[3]]


@pytest.mark.parametrize(
    ("content_type", "said"),
    [
        ("application/cloudevents+xml", 415),
        ("application/cloudevents-batch+avro", 415),
        ("application/json", 415),  # neither structured nor with headers of the binary mode
        ("text/plain", 415),
        ("", 415),
        ("application/cloudevents+json; charset=iso-8859-1", 415),
    ],
)
def test_other_forms_are_told_which_are_read(
    gateway: Gateway, content_type: str, said: int
) -> None:
    answer = gateway.post(event(), content_type)
    assert answer.status_code == said
    assert gateway.written == []
