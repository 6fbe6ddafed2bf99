"""docs/subscribe.md: its programs run as they stand."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from tests.search_api.stream.subscribe_page import blocks, program
from traverse_search_api.alerts.webhook import signed_headers

_SOURCE = """
globalThis.EventSource = class {
  constructor(address) { globalThis.address = address; this.heard = {}; globalThis.made = this; }
  addEventListener(name, hear) { this.heard[name] = hear; }
};
"""
_SAID = """
const said = { opportunity: { title: "École", status_label: "Ouvert" }, gone: { id: "a" },
               refused: { detail: "Ce flux est clos." } };
console.log(address);
for (const [name, data] of Object.entries(said)) made.heard[name]({ data: JSON.stringify(data) });
"""


def test_the_script_of_a_page_shows_each_kind_of_message() -> None:
    (script,) = blocks("js")
    done = subprocess.run(
        ["node", "-e", f"{_SOURCE}\n{script}\n{_SAID}"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.splitlines() == [
        "https://traverse.example/v1/stream?q=%C3%A9cole",
        "École Ouvert",
        "disparu : a",
        "Ce flux est clos.",
    ]


def test_a_receiver_knows_what_is_signed_from_what_is_not() -> None:
    """An altered alert, another secret and an old delivery are none of ours."""
    is_signed = program(1)["is_signed"]
    body, now = json.dumps({"type": "fr.traverse.alert.new.v1"}).encode(), datetime.now(UTC)
    secret = "whsec_c2VjcmV0"  # noqa: S105 - of this test
    headers = signed_headers(b"secret", "e-1", now, body)
    assert is_signed(headers, body, secret)
    assert not is_signed(headers, body + b" ", secret)
    assert not is_signed(headers, body, "whsec_YW5vdGhlcg==")
    old = signed_headers(b"secret", "e-1", now - timedelta(hours=1), body)
    assert not is_signed(old, body, secret)


class EnoughError(Exception):
    """The reader was stopped."""


def line(place: str, event: str, **data: str) -> bytes:
    return json.dumps({"position": place, "event": event, "data": data}).encode() + b"\n"


ANSWERS: list[tuple[int, bytes]] = [
    (200, b"\n" + line("p1", "opportunity", title="École 1") + line("p2", "gone", id="a")),
    (410, json.dumps({"detail": "Position expirée.", "oldest": "p7"}).encode()),
    (200, b'{"event": "refused", "data": {"detail": "Lecture trop lente."}}\n'),
    (503, b'{"detail": "Le flux est momentan\\u00e9ment indisponible."}'),
    (200, line("p8", "opportunity", title="École 2") + line("p9", "opportunity", title="École 3")),
]
"""What a service says to who comes, one after the other."""


def test_the_program_goes_on_where_it_stopped_whatever_ends_its_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of a line, a place that is kept no more, a refusal, a service that is away."""
    page, asked, answers = program(0), [], iter(ANSWERS)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("last-event-id"))
        status, body = next(answers)
        return httpx.Response(status, content=body)

    client = httpx.Client(transport=httpx.MockTransport(answer))
    monkeypatch.setattr(httpx, "stream", client.stream)
    page["PLACE"] = tmp_path / "place"
    page["time"] = SimpleNamespace(sleep=lambda _: None)
    seen: list[str] = []
    again: list[dict[str, str]] = []

    def show(name: str, data: dict[str, str]) -> None:
        if data.get("title") == "École 3":
            raise EnoughError
        seen.append(data.get("title", name))

    with pytest.raises(EnoughError):
        page["follow"]({"q": "école"}, show, again.append)
    assert seen == ["École 1", "gone", "École 2"]
    assert asked == [None, "p2", "p7", "p7", "p7"]
    assert again == [{"q": "école"}]
    assert page["PLACE"].read_text() == "p8"
