"""The operator's list of rejections shows what strangers wrote, and obeys none of it."""

from io import BytesIO, TextIOWrapper

import pytest
from rich.console import Console

from traverse_infra.log.rejections import read_rejections, rejections_table
from traverse_schemas.log.message import LogMessage
from traverse_schemas.log.topics import REJECTED


@pytest.mark.parametrize(
    "source",
    [b'"\\ud800"', b'"\\u001b]0;pwned\\u0007\\u001b[2J"', b'"' + b"x" * 400_000 + b'"'],
    ids=["half a character", "escape sequences", "no end"],
)
def test_a_hostile_source_is_shown_harmless(source: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    octets = b'{"source":' + source + b',"subject":"REF-1"}'
    headers = {"reason": b"not_json", "sentence": b"Ce n'est pas du JSON."}
    message = LogMessage(REJECTED, 0, 0, 0, b"", octets, headers)
    monkeypatch.setattr("traverse_infra.log.rejections.read_topic", lambda *_: iter([message]))
    screen = BytesIO()
    terminal = TextIOWrapper(screen, encoding="utf-8")
    Console(file=terminal, width=100).print(rejections_table(read_rejections("unused:9092")))
    terminal.flush()
    shown = screen.getvalue()
    assert b"REF-1" in shown
    assert b"\x1b" not in shown
    assert len(shown) < 20_000
