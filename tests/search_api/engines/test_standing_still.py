"""Elasticsearch that accepts connections and never answers: said within two seconds."""

import socket
import time
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from traverse_search_api.app import create_app
from traverse_search_api.settings import SearchSettings


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize(
    "path",
    ["/v1/opportunities?q=x", "/v1/opportunities/abc", "/v1/opportunities.csv", "/readyz"],
)
def test_a_silent_elasticsearch_is_a_503_long_before_the_timeout(silent: str, path: str) -> None:
    """Patience and one question more, not the sixty seconds that a search may take."""
    settings = SearchSettings(elasticsearch=silent, search_timeout=60, search_patience=0.1)
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        begun = time.monotonic()
        answer = client.get(path)
        elapsed = time.monotonic() - begun
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert elapsed < 30  # a loaded machine is slow, and sixty is far
