"""A person is found whatever the accents, capitals and escapes, with the copies that wait."""

import pytest

from tests.stream_processors.factory import CCI, event, octets
from traverse_infra.privacy.find import Term, in_messages
from traverse_schemas.log.message import LogMessage
from traverse_schemas.log.topics import ACCEPTED, INBOUND


@pytest.mark.parametrize(
    "held", ["Hélène Müller", "HELENE MULLER", "H\\u00e9l\\u00e8ne M\\u00fcller"]
)
def test_accents_capitals_and_escapes_do_not_hide_a_name(held: str) -> None:
    assert Term("helene müller").within(f'{{"name": "{held}"}}'.encode())
    assert not Term("Jeanne").within(f'{{"name": "{held}"}}'.encode())


def test_an_address_with_escaped_slashes_and_octets_that_are_no_text_are_read() -> None:
    assert Term("https://exemple.fr/a").within(b'{"url": "https:\\/\\/exemple.fr\\/a"')
    assert not Term("x").within(b"\xff\xfe")


def message(topic: str, offset: int, value: bytes | None, key: bytes = b"k") -> LogMessage:
    return LogMessage(topic, 0, offset, 1795510800000, key, value, {"sentence": b"Dupond ?"})


def test_a_copy_that_was_replaced_waits_for_compaction() -> None:
    whole = octets(event())
    messages = [
        message(ACCEPTED, 1, whole),
        message(ACCEPTED, 2, None),
        message(ACCEPTED, 3, whole, b"z"),
    ]
    found = list(in_messages(messages, Term("VOIRIE communale"), compacted=True))
    assert [(one.where, one.current) for one in found] == [("0@1", False), ("0@3", True)]
    assert (found[0].source, found[0].subject) == (CCI, "VOIRIE-2026")


def test_every_message_of_a_topic_that_is_not_compacted_counts_its_headers_too() -> None:
    messages = [message(INBOUND, 1, b"{"), message(INBOUND, 2, b"[]")]
    found = list(in_messages(messages, Term("dupond"), compacted=False))
    assert [one.where for one in found] == ["0@1", "0@2"]
