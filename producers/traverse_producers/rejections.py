"""An institution's own rejected events, by the gateway: read, mended, signed and sent again.

    with Rejections("https://passerelle.example.org", api_key) as rejections:
        for one in rejections.all():
            print(one["id"], one["sentence"])
        rejections.replay("inbound-2@41", corrected, keys=KeyFolder(Path("keys")))

For who signs for itself too: what is replayed is signed here, with the institution's own key.
"""

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from traverse_producers.errors import (
    EventRefusedError,
    GatewayAwayError,
    GatewayRefusedError,
    PublishError,
)
from traverse_producers.gateway_answers import Later, outcomes, sentence_of
from traverse_producers.http_transport import api_key_of, gateway_address, why_away
from traverse_producers.receipts.replay import object_of, replayed
from traverse_producers.signing_keys import Keys, siren_of
from traverse_schemas.events import CONTENT_TYPE
from traverse_schemas.signatures import SIGNATURE_HEADER

_PAGE = 100


class Rejections:
    """The rejections that an API key may read. Not to be shared between threads.

    Everything raises GatewayAwayError when the gateway does not answer, GatewayRefusedError for a
    key or a rejection that it does not know.
    """

    def __init__(self, gateway: str, api_key: str, *, timeout: float = 30) -> None:
        """Raises InvalidOptionError for an address or a key that is none."""
        self._gateway = gateway_address(gateway)
        self._client = httpx.Client(
            headers={"authorization": f"Bearer {api_key_of(api_key)}"}, timeout=timeout
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def all(self) -> Iterator[dict[str, Any]]:
        """Each with `id`, `at`, `source`, `event_id`, `reason`, `pointer` and `sentence`, the
        newest first; they are kept for 30 days."""
        asked: dict[str, str] = {"size": str(_PAGE)}
        while True:
            page = self._get("/v1/rejections", asked)
            yield from page["items"]
            if not page["next"]:
                return
            asked["before"] = page["next"]

    def one(self, name: str) -> dict[str, Any]:
        """One of them, with `event`, what was received."""
        return self._get(_path(name), {})

    def replay(
        self, name: str, correction: bytes | None = None, *, keys: Keys | None = None
    ) -> str:
        """Publish one again, as it came or as the `correction` says, signed by the key of its
        source; the id of the event that was published. Without a key it goes unsigned, and the
        gateway signs for who delegated to it. Replaying twice is replaying once.

        Raises EventRefusedError, UnusableCorrectionError, MissingKeyError, UnsafeKeyError,
        SigningKeyError.
        """
        refused = self.one(name)
        octets = replayed(str(refused["event"]).encode(), correction, refused["reason"])
        said = object_of(octets) or {}
        headers = {"content-type": CONTENT_TYPE}
        signer = keys.signer(siren_of(str(said.get("source")))) if keys else None
        if signer is not None:
            headers[SIGNATURE_HEADER] = signer.sign(octets).decode()
        answer = self._ask("POST", f"{_path(name)}/replay", content=octets, headers=headers)
        self._check(answer)
        return str(said.get("id"))

    def _get(self, path: str, parameters: dict[str, str]) -> dict[str, Any]:
        answer = self._ask("GET", path, params=parameters)
        if not answer.is_success:
            self._check(answer)
        found: dict[str, Any] = answer.json()
        return found

    def _check(self, answer: httpx.Response) -> None:
        """Raises what an answer says, unless it is yes."""
        if answer.status_code == 404 and (sentence := sentence_of(answer.content)):
            raise GatewayRefusedError(sentence)
        found = outcomes(answer.status_code, answer.headers, answer.content, 1)
        outcome = found[0] if found else EventRefusedError("La passerelle refuse l'événement.")
        if isinstance(outcome, Later):
            raise GatewayAwayError(self._gateway, outcome.why, outcome.seconds)
        if isinstance(outcome, PublishError):
            raise outcome

    def _ask(self, method: str, path: str, **words: Any) -> httpx.Response:
        try:
            return self._client.request(method, f"{self._gateway}{path}", **words)
        except httpx.HTTPError as error:
            raise GatewayAwayError(self._gateway, why_away(error)) from error


def _path(name: str) -> str:
    """Of a rejection: `inbound-2@41`, or its place as the log has it, `traverse.inbound/2@41`."""
    return f"/v1/rejections/{quote(name.removeprefix('traverse.').replace('/', '-', 1), safe='')}"
