"""An OpenID provider that runs here, over HTTP, with proof keys required (RFC 7636)."""

import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs

import httpx
from oidc_provider_mock import User, app
from werkzeug.serving import make_server

from traverse_search_api.accounts.openid import Provider

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass
class ProofKeys:
    """Refuses a code that is asked for without a challenge, or redeemed without its verifier: the
    provider itself does not look."""

    inner: Wsgi
    challenges: set[str] = field(default_factory=set)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/oauth2/authorize":
            asked = parse_qs(environ["QUERY_STRING"])
            if asked.get("code_challenge_method") != ["S256"] or "nonce" not in asked:
                return _refused(start)
            self.challenges.update(asked["code_challenge"])
        if path == "/oauth2/token":
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = BytesIO(body)
            verifier = parse_qs(body.decode()).get("code_verifier", [""])[0]
            digest = urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
            if digest not in self.challenges:
                return _refused(start)
        return self.inner(environ, start)


def _refused(start: Callable[..., Any]) -> Iterable[bytes]:
    start("400 Bad Request", [("Content-Type", "application/json")])
    return [b'{"error": "invalid_request"}']


@dataclass
class Running:
    """A provider that answers at `address`."""

    address: str

    def client(self, redirect: str) -> Provider:
        """What our service needs to send people there."""
        return Provider(
            issuer=self.address,
            client_id="traverse",
            client_secret="of these tests alone",  # noqa: S106
            redirect=redirect,
            name="ProConnect",
            key=b"key",
        )

    def consent(self, address: str, subject: str, action: str = "authorize") -> str:
        """The person says yes (or `deny`) at the provider; where they are sent back to."""
        answer = httpx.post(address, data={"sub": subject, "action": action}, timeout=30)
        assert answer.status_code == 302, answer.text
        return str(answer.headers["location"])

    def say(self, subject: str, **claims: Any) -> None:
        """What the provider knows of somebody from now on."""
        httpx.put(f"{self.address}/users/{subject}", json=claims, timeout=30).raise_for_status()


@contextmanager
def provider(*users: User) -> Iterator[Running]:
    """Run it on a free port."""
    made = app(require_nonce=True, user_claims=users)
    made.wsgi_app = ProofKeys(made.wsgi_app)
    server = make_server("127.0.0.1", 0, made, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield Running(f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join(30)
        server.server_close()
