"""The server under the search service, with the bounds that its settings say."""

import socket
from collections.abc import Callable
from typing import Any

import uvicorn

from traverse_schemas.web import http_server
from traverse_schemas.web.http_server import Bounds, server_config
from traverse_search_api.command_errors import AddressUnavailableError
from traverse_search_api.settings import SearchSettings


def server_of(app: Callable[..., Any], settings: SearchSettings) -> uvicorn.Server:
    """The server of an application; it runs on sockets that the caller listens with.

    Streams have their own bounds, and their room beside other connections.
    """
    bounds = Bounds(
        connections=settings.search_connections + settings.streams,
        per_address=settings.search_connections_per_address
        + settings.streams_per_address
        + settings.streams_per_key,
        head_seconds=settings.search_request_seconds,
        body_seconds=settings.search_request_seconds,
        trusted_proxies=settings.trusted_proxies,
    )
    # Streams have no end of their own.
    return uvicorn.Server(server_config(app, bounds, ending=5))


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises AddressUnavailableError when the
    address cannot be had."""
    try:
        return http_server.listen(host, port)
    except OSError as error:
        raise AddressUnavailableError(host, port) from error
