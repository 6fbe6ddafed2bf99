"""The gateway, as the pages use it: they publish there for institutions that entrusted it with
their signature, and see there what became of it. The one module here that knows its HTTP."""

import logging
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx
import orjson

from traverse_search_api.errors import SearchError

_LOG = logging.getLogger(__name__)
_TIMEOUT: Final = 10.0  # seconds
_STRUCTURED: Final = "application/cloudevents+json"


class GatewayAwayError(SearchError):
    """The gateway does not answer."""

    status = 503
    title = "Indisponible"

    def __init__(self, why: str = "la passerelle ne répond pas") -> None:
        super().__init__(
            f"La publication est momentanément indisponible ({why}) : rien n’a été publié, "
            "réessayez dans un instant."
        )


class NoGatewayError(SearchError):
    """This service has no gateway to publish through."""

    status = 503
    title = "Indisponible"

    def __init__(self) -> None:
        super().__init__(
            "La publication depuis les pages n’est pas ouverte ici : demandez à qui tient ce "
            "service de l’ouvrir."
        )


class RefusedByGatewayError(SearchError):
    """The gateway refused; `faults` are (JSON pointer, sentence)."""

    status = 422
    title = "Refusé"

    def __init__(self, sentence: str, faults: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(sentence)
        self.faults = faults


class GatewayClient:
    """Speaks to the gateway with the key of this service (scope `on_behalf`)."""

    def __init__(
        self,
        address: str,
        key_file: Path | None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Nothing is opened, nor read, before the first question."""
        self._address = address
        self._key_file = key_file
        self._transport = transport
        self._client: httpx.AsyncClient | None = None

    @property
    def present(self) -> bool:
        """Whether there is a gateway at all."""
        return bool(self._address and self._key_file)

    async def publish(self, siren: str, event: dict[str, Any]) -> None:
        """Publish one event of an institution; returns when it is durably received.

        Raises RefusedByGatewayError, GatewayAwayError, NoGatewayError.
        """
        await self._ask("POST", "/v1/events", siren, orjson.dumps(event), _STRUCTURED)

    async def receipt(self, siren: str, source: str, event_id: str) -> dict[str, Any] | None:
        """The trace of an institution's event: `end`, `label`, `sentence`; None while nothing is
        known of it. Raises GatewayAwayError, NoGatewayError."""
        asked = f"?source={quote(source, safe='')}&id={quote(event_id, safe='')}"
        try:
            return await self._ask("GET", f"/v1/receipts{asked}", siren)
        except RefusedByGatewayError:
            return None

    async def rejections(self, siren: str, before: str | None, size: int) -> dict[str, Any]:
        """A page of an institution's own rejected events: `items`, `next`, `warning`."""
        query = f"?size={size}" + (f"&before={quote(before, safe='')}" if before else "")
        return await self._ask("GET", f"/v1/rejections{query}", siren)

    async def rejection(self, siren: str, name: str) -> dict[str, Any]:
        """One rejection, with the event as it came."""
        return await self._ask("GET", f"/v1/rejections/{quote(name, safe='')}", siren)

    async def replay(self, siren: str, name: str, correction: bytes | None) -> None:
        """Publish a rejected event again, corrected or as it came."""
        path = f"/v1/rejections/{quote(name, safe='')}/replay"
        await self._ask("POST", path, siren, correction or b"", "application/json")

    async def close(self) -> None:
        """Release the connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _ask(
        self, method: str, path: str, siren: str, body: bytes | None = None, kind: str = ""
    ) -> dict[str, Any]:
        headers = {"Traverse-On-Behalf-Of": siren} | ({"Content-Type": kind} if kind else {})
        client = self._opened()
        try:
            answer = await client.request(method, path, content=body, headers=headers)
        except httpx.HTTPError as error:
            _LOG.warning("gateway_away cause=%s", type(error).__name__)
            raise GatewayAwayError from error
        if answer.is_success:
            found: dict[str, Any] = orjson.loads(answer.content)
            return found
        raise _refusal(answer)

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            if not self._address or self._key_file is None:
                raise NoGatewayError
            try:
                key = self._key_file.read_text(encoding="utf-8").strip()
            except (OSError, ValueError) as error:
                _LOG.error("gateway_key_unreadable file=%s cause=%s", self._key_file, error)
                raise NoGatewayError from error
            self._client = httpx.AsyncClient(
                base_url=self._address,
                headers={"Authorization": f"Bearer {key}"},
                timeout=_TIMEOUT,
                transport=self._transport,
            )
        return self._client


def _refusal(answer: httpx.Response) -> SearchError:
    try:
        problem = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        problem = {}
    if answer.status_code in (401, 429) or answer.status_code >= 500:
        _LOG.warning("gateway_refuses status=%d detail=%s", answer.status_code, problem)
        return GatewayAwayError()
    items = problem.get("items") or []
    faults = tuple(
        (str(item.get("pointer") or ""), str(item["detail"])) for item in items if "detail" in item
    )
    sentence = faults[0][1] if faults else str(problem.get("detail", "La demande a été refusée."))
    return RefusedByGatewayError(sentence, faults)
