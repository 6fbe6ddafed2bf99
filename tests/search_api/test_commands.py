"""`traverse search` asks the service, and says in one sentence when it cannot."""

import socket
from pathlib import Path

import httpx
import pytest

from traverse_schemas import collector
from traverse_search_api import app, commands, server
from traverse_search_api.accounts import staff
from traverse_search_api.command_errors import (
    AddressUnavailableError,
    RefusedSearchError,
    ServiceNotRunningError,
    UnreadableKeyError,
)
from traverse_search_api.commands import ask
from traverse_search_api.server import listen


def test_empty_options_are_not_sent() -> None:
    """The service's own defaults hold."""
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url.query, "ascii"))
        return httpx.Response(200, json={})

    ask("http://x", {"q": "a", "kind": ["call", "need"], "as_of": ""}, httpx.MockTransport(answer))
    assert seen == ["q=a&kind=call&kind=need"]


def test_a_key_is_sent_from_its_file_and_from_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command line is read by others."""
    seen: list[str] = []

    def answered(*_: object, api_key: str = "") -> httpx.Response:
        seen.append(api_key)
        return httpx.Response(200, json={})

    monkeypatch.setattr(commands, "ask", answered)
    file = tmp_path / "key"
    file.write_text("trv_abc\n")
    commands.search("a", json_output=True, api_key_file=file)
    commands.search("a", json_output=True)
    assert seen == ["trv_abc", ""]
    for wrong in (b"\xff", b"", b"a\x00b"):
        file.write_bytes(wrong)
        with pytest.raises(UnreadableKeyError, match="clé d’API"):
            commands.search("a", api_key_file=file)

    def asked(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("authorization", "none"))
        return httpx.Response(200, json={})

    ask("http://x", {"q": "a"}, httpx.MockTransport(asked), api_key="k")
    ask("http://x", {"q": "a"}, httpx.MockTransport(asked))
    assert seen[2:] == ["Bearer k", "none"]


def test_results_are_shown_with_the_address_of_their_page(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where a record can be opened: a table in a terminal leads nowhere."""
    request = httpx.Request("GET", "http://x:8000/v1/opportunities?q=voirie&territory=dep%3A13")
    found = {"items": [], "total": {"value": 0, "exact": True}}
    monkeypatch.setattr(
        commands, "ask", lambda *_, **__: httpx.Response(200, json=found, request=request)
    )
    commands.search("voirie")
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "Dans un navigateur : http://x:8000/?q=voirie&territory=dep%3A13"


def test_a_refusal_is_the_services_own_sentence() -> None:
    """It names the mend better than the command could."""
    problem = httpx.Response(
        400, json={"detail": "Phrase."}, headers={"content-type": "application/problem+json"}
    )
    with pytest.raises(RefusedSearchError, match=r"^Phrase\.$"):
        ask("http://x", {"q": "a"}, httpx.MockTransport(lambda _: problem))


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "http://[", "nowhere"])
def test_no_service_is_one_sentence_that_names_the_mend(address: str) -> None:
    """Nothing listens on port 1; the others are no addresses."""
    with pytest.raises(ServiceNotRunningError, match="traverse serve search"):
        ask(address, {"q": "a"})


def test_something_else_at_the_address_is_not_the_service() -> None:
    """A proxy's page is not an answer."""
    page = httpx.Response(502, text="<html>")
    with pytest.raises(ServiceNotRunningError):
        ask("http://x", {"q": "a"}, httpx.MockTransport(lambda _: page))


def test_a_taken_port_is_one_sentence() -> None:
    """It names the setting, instead of a number of the system."""
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressUnavailableError, match="TRAVERSE_SEARCH_PORT"):
            listen("127.0.0.1", port)


def test_answers_do_not_wait_for_acknowledgements() -> None:
    """Without its protocol said, a socket keeps Nagle's delay, and a search costs 40 ms more."""
    with listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_the_collector_is_told_what_stays_before_the_service_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The tables are loaded by then; walking them stops all answers for a second."""
    done: list[str] = []

    class Server:
        def run(self, *, sockets: list[socket.socket]) -> None:
            done.append(f"run on {len(sockets)}")

    monkeypatch.setattr(app, "create_app", lambda *_, **__: done.append("app"))
    monkeypatch.setattr(staff, "open_staff", lambda _: None)
    monkeypatch.setattr(server, "server_of", lambda *_: Server())
    monkeypatch.setattr(collector, "spare_what_stays", lambda: done.append("spared"))
    commands.serve_search(host="127.0.0.1", port=0)
    assert done == ["app", "spared", "run on 1"]
