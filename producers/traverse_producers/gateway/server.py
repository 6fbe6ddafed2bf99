"""The server under the gateway, with the bounds that its settings say."""

import socket

import uvicorn
from fastapi import FastAPI

from traverse_producers.errors import InvalidOptionError
from traverse_producers.gateway.settings import GatewaySettings
from traverse_schemas.web import http_server
from traverse_schemas.web.http_server import Bounds, server_config


def server_of(app: FastAPI, settings: GatewaySettings) -> uvicorn.Server:
    """The server of an application; it runs on sockets that the caller listens with."""
    bounds = Bounds(
        connections=settings.gateway_connections,
        per_address=settings.gateway_connections_per_address,
        head_seconds=settings.gateway_header_seconds,
        trusted_proxies=settings.trusted_proxies,
    )
    return uvicorn.Server(server_config(app, bounds, ending=10))


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises InvalidOptionError when the address
    cannot be had."""
    try:
        return http_server.listen(host, port)
    except OSError:
        raise InvalidOptionError(
            f"La passerelle ne peut pas écouter à {host}:{port} : l'adresse n'est pas de cette "
            "machine ou un autre programme l'occupe ; choisissez TRAVERSE_GATEWAY_PORT ou --port."
        ) from None
