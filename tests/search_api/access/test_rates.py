"""Limits: each key and each address has its own minute; whose word on addresses counts."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from fastapi.testclient import TestClient

from tests.search_api.access.test_reader import ENDED, KEY, MUTE, NOW, institution
from traverse_schemas.clock import FixedClock
from traverse_schemas.registry.registry import FixedRegistry
from traverse_schemas.web.networks import network_of
from traverse_search_api.access.rates import Rates
from traverse_search_api.app import create_app
from traverse_search_api.errors import TooManyRequestsError
from traverse_search_api.server import listen, server_of
from traverse_search_api.settings import SearchSettings

AWAY = "http://127.0.0.1:1"


def client_of(**settings: int) -> TestClient:
    chosen = SearchSettings(elasticsearch=AWAY, **settings)  # type: ignore[arg-type]
    registry = FixedRegistry([institution()])
    return TestClient(create_app(chosen, registry=registry, present=FixedClock(NOW)))


def test_an_address_has_its_minute_and_is_told_when_to_come_back() -> None:
    with client_of(address_rate=3) as client:
        answers = [client.get("/v1/suggest?q=x") for _ in range(5)]
        assert [one.status_code for one in answers] == [200, 200, 200, 429, 429]
        refused = answers[-1]
        assert refused.headers["content-type"] == "application/problem+json"
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert "réessayez" in refused.json()["detail"]
        for path in ("/healthz", "/metrics"):  # the operator's are not counted, and pages are
            assert client.get(path).status_code == 200
        assert client.get("/").status_code == 429
        assert 'status="429"' in client.get("/metrics").text


def test_a_valid_key_has_a_minute_of_its_own_and_a_wrong_one_none() -> None:
    """Or whoever makes up keys would ask without end."""
    with client_of(address_rate=3, key_rate=2) as client:

        def ask(secret: str) -> int:
            headers = {"Authorization": f"Bearer {secret}"}
            return int(client.get("/v1/suggest?q=x", headers=headers).status_code)

        assert [ask(KEY.secret) for _ in range(3)] == [200, 200, 429]
        assert ask(MUTE.secret) == 429  # another key of the same institution
        assert [ask(f"trv_{number}") for number in range(3)] == [401, 401, 401]
        assert ask(ENDED.secret) == 429
        assert client.get("/v1/suggest?q=x").status_code == 429


def test_addresses_are_counted_apart_and_those_of_one_subscriber_together() -> None:
    rates = Rates(1, 1)
    rates.count("192.0.2.1", "")
    rates.count("192.0.2.2", "")
    rates.count("2001:db8:1:1::1", "")
    rates.count("2001:db8:1:2::1", "")
    for address in ("192.0.2.1", "::ffff:192.0.2.1", "2001:db8:1:1:ffff::9"):
        with pytest.raises(TooManyRequestsError):
            rates.count(address, "")
    assert network_of("testclient") == "testclient"
    assert network_of("") == ""


class Slow(BaseHTTPRequestHandler):
    """An Elasticsearch that is well, and never done with a search."""

    over = threading.Event()

    def do_GET(self) -> None:
        self._answer({"status": "green"})

    def do_POST(self) -> None:
        self.over.wait(30)
        self._answer({})

    def _answer(self, content: dict[str, str]) -> None:
        octets = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("x-elastic-product", "Elasticsearch")
        self.send_header("content-length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def slow() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    Slow.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_search_that_takes_too_long_is_ended_and_said_so(slow: str) -> None:
    """Elasticsearch is there: what is asked is too much, which is another sentence than away."""
    settings = SearchSettings(elasticsearch=slow, search_timeout=0.5, search_patience=0.1)
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        answer = client.get("/v1/opportunities?q=a*")
    assert answer.status_code == 503
    assert answer.json()["title"] == "Recherche trop longue"
    assert answer.headers["retry-after"]


@pytest.mark.parametrize(
    ("trusted", "told", "wanted"),
    [
        ("", "192.0.2.7", "127.0.0.1"),
        ("10.0.0.0/8", "192.0.2.7", "127.0.0.1"),
        ("127.0.0.1", "192.0.2.7", "192.0.2.7"),
        # What the client itself said stands before what the proxy added.
        ("127.0.0.1,10.0.0.0/8", "198.51.100.1, 192.0.2.7, 10.1.2.3", "192.0.2.7"),
    ],
)
def test_an_address_is_believed_of_the_operators_proxies_alone(
    trusted: str, told: str, wanted: str
) -> None:
    seen: list[str] = []

    async def app(scope: dict, receive: object, send: object) -> None:  # type: ignore[type-arg]
        if scope["type"] == "http":
            seen.append(scope["client"][0])
            await send({"type": "http.response.start", "status": 204, "headers": []})  # type: ignore[operator]
            await send({"type": "http.response.body"})  # type: ignore[operator]

    async def asking() -> None:
        server = server_of(app, SearchSettings(trusted_proxies=trusted))
        server.config.lifespan = "off"
        with listen("127.0.0.1", 0) as listener:
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            async with httpx.AsyncClient(timeout=30) as client:
                await client.get(address, headers={"X-Forwarded-For": told})
            server.should_exit = True
            await serving

    asyncio.run(asking())
    assert seen == [wanted]
