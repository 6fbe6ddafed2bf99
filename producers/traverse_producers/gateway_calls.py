"""What an institution asks of its gateway, with its API key: the calls under each question."""

from types import TracebackType
from typing import Any, Final, Self

import httpx

from traverse_producers.errors import (
    EventRefusedError,
    GatewayAwayError,
    GatewayRefusedError,
    PublishError,
)
from traverse_producers.transports.gateway_answers import Later, outcomes, sentence_of
from traverse_producers.transports.http import api_key_of, gateway_address, why_away

_ITS_OWN_WORDS: Final = frozenset({403, 404, 422})
"""Statuses of a question whose sentence says all that there is to mend."""


class GatewayCalls:
    """Calls with one API key. Not to be shared between threads.

    Everything raises GatewayAwayError when the gateway does not answer, GatewayRefusedError for a
    key, or for something, that it does not know.
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

    def get(self, path: str, parameters: dict[str, str]) -> dict[str, Any]:
        """What is answered to a question."""
        answer = self.ask("GET", path, params=parameters)
        if answer.status_code in _ITS_OWN_WORDS and (sentence := sentence_of(answer.content)):
            raise GatewayRefusedError(sentence)
        if not answer.is_success:
            self.check(answer)
        found: dict[str, Any] = answer.json()
        return found

    def ask(self, method: str, path: str, **words: Any) -> httpx.Response:
        """One call; `words` are httpx's."""
        try:
            return self._client.request(method, f"{self._gateway}{path}", **words)
        except httpx.HTTPError as error:
            raise GatewayAwayError(self._gateway, why_away(error)) from error

    def check(self, answer: httpx.Response) -> None:
        """Raises what an answer says of an event, unless it is yes; EventRefusedError too."""
        if answer.status_code == 404 and (sentence := sentence_of(answer.content)):
            raise GatewayRefusedError(sentence)
        found = outcomes(answer.status_code, answer.headers, answer.content, 1)
        outcome = found[0] if found else EventRefusedError("La passerelle refuse l'événement.")
        if isinstance(outcome, Later):
            raise GatewayAwayError(self._gateway, outcome.why, outcome.seconds)
        if isinstance(outcome, PublishError):
            raise outcome
