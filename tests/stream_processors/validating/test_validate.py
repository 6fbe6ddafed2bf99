"""Validate says no for a reason that a publisher can act on, and yes to everything well said."""

from typing import Any

import pytest

from tests.stream_processors.factory import CCI, RECEIVED, call_data, event, octets
from traverse_schemas.errors import Reason, RejectedError
from traverse_schemas.log.topics import MAX_EVENT_BYTES
from traverse_schemas.reference.territories import Territories
from traverse_stream_processors.validating.validate import Accepted, validate


def judge(value: bytes | dict[str, Any]) -> Accepted:
    raw = octets(value) if isinstance(value, dict) else value
    return validate(raw, RECEIVED, Territories.load())


def nested(levels: int) -> bytes:
    return octets(event()).replace(b'"e-1"', b'"e-1","x":' + b"[" * levels + b"]" * levels)


REFUSED: list[tuple[str, bytes | dict[str, Any], Reason, str]] = [
    ("not JSON", b"{pas du json", Reason.NOT_JSON, ""),
    ("not UTF-8", b'{"a":"\xe9"}', Reason.NOT_JSON, ""),
    ("empty", b"", Reason.NOT_JSON, ""),
    ("a list", b"[]", Reason.INVALID_ENVELOPE, ""),
    ("too large", b" " * (MAX_EVENT_BYTES + 1), Reason.TOO_LARGE, ""),
    ("ten megabytes", b'{"a":"' + b"x" * 10_000_000 + b'"}', Reason.TOO_LARGE, ""),
    ("deep", nested(60), Reason.TOO_DEEP, ""),
    ("very deep", nested(200_000), Reason.TOO_DEEP, ""),
    ("no type", event(type=None), Reason.INVALID_ENVELOPE, "/type"),
    ("type is a number", event(type=3), Reason.INVALID_ENVELOPE, "/type"),
    ("unknown type", event(type="fr.traverse.rumour.published.v1"), Reason.UNKNOWN_TYPE, "/type"),
    (
        "unknown version",
        event(type="fr.traverse.call.published.v9"),
        Reason.UNKNOWN_VERSION,
        "/type",
    ),
    ("no subject", event(subject=None), Reason.INVALID_ENVELOPE, "/subject"),
    ("no time", event(time=None), Reason.INVALID_ENVELOPE, "/time"),
    ("time without zone", event(time="2026-11-20T10:00:00"), Reason.INVALID_ENVELOPE, "/time"),
    ("id of spaces", event(id="  "), Reason.INVALID_ENVELOPE, "/id"),
    ("not a URN", event(source="https://exemple.fr"), Reason.INVALID_SOURCE, "/source"),
    ("source fails Luhn", event(source="urn:siren:181300016"), Reason.INVALID_SOURCE, "/source"),
    ("dated ahead", event(time="2026-11-24T09:06:00Z"), Reason.IN_THE_FUTURE, "/time"),
    (
        "title missing",
        event(data=call_data(title=None)),
        Reason.INVALID_DATA,
        "/data/title",
    ),
    (
        "title is a number",
        event(data=call_data(title=12)),
        Reason.INVALID_DATA,
        "/data/title",
    ),
    ("unknown field", event(data=call_data(colour="red")), Reason.INVALID_DATA, "/data/colour"),
    (
        "an outcome that calls do not have",
        event("closed", data={"outcome": "met"}),
        Reason.INVALID_DATA,
        "/data/outcome",
    ),
    (
        "unknown commune",
        event(data=call_data(place=["com:13999"])),
        Reason.UNKNOWN_PLACE,
        "/data/place/0",
    ),
    (
        "unknown commune in a record that is closed",
        event("closed", data={"outcome": "awarded", "record": call_data(place=["com:13999"])}),
        Reason.UNKNOWN_PLACE,
        "/data/record/place/0",
    ),
    (
        "deadline before publication",
        event(data=call_data(deadlines=[{"at": "2026-11-01"}])),
        Reason.DEADLINE_BEFORE_PUBLICATION,
        "/data/deadlines/0/at",
    ),
]


@pytest.mark.parametrize(
    ("value", "reason", "pointer"),
    [row[1:] for row in REFUSED],
    ids=[row[0] for row in REFUSED],
)
def test_bad_input_is_refused_with_reason_place_and_sentence(
    value: bytes | dict[str, Any], reason: Reason, pointer: str
) -> None:
    with pytest.raises(RejectedError) as caught:
        judge(value)
    assert caught.value.reason is reason
    assert caught.value.pointer == pointer
    assert len(caught.value.sentence) > 20
    assert "\n" not in caught.value.sentence


def test_a_good_event_keeps_its_octets_and_order() -> None:
    good = octets(event(sequence=7))
    accepted = judge(good)
    assert accepted.octets == good
    assert accepted.key == f"{CCI} VOIRIE-2026"
    assert accepted.version == (7, "2026-11-20T09:00:00.000000Z", "e-1")


def test_an_owner_number_that_fails_luhn_is_not_a_reason_to_refuse() -> None:
    accepted = judge(event(data=call_data(owner={"id": "211300406", "name": "Fuveau"})))
    assert accepted.record is not None


def test_the_order_of_the_keys_does_not_make_another_content() -> None:
    whole = event()
    turned = dict(reversed(list(whole.items())))
    assert judge(whole).hash == judge(turned).hash


def test_a_deadline_of_the_day_of_publication_is_open_until_the_day_ends() -> None:
    assert judge(event(data=call_data(deadlines=[{"at": "2026-11-20"}]))).record is not None


def test_a_record_for_thousands_is_refused_with_what_to_say_instead() -> None:
    named = [luhn_siren(number) for number in range(5001)]
    many = call_data(visibility="restricted", audience=named)
    with pytest.raises(RejectedError) as refused:
        judge(event(data=many))
    assert refused.value.pointer == "/data/audience"
    assert str(refused.value) == (
        "La liste audience a plus de 1000 éléments : pour autant de destinataires, dites "
        "« members » ou « buyers » dans visibility."
    )
    assert judge(event(data={**many, "audience": named[:1000]})).record is not None


def luhn_siren(number: int) -> str:
    """The SIREN that begins with these digits."""
    digits = f"{21000000 + number:08}"
    doubled = [int(it) * (2 if at % 2 else 1) for at, it in enumerate(digits)]
    return digits + str(-sum(it - 9 if it > 9 else it for it in doubled) % 10)
