"""The service against its own description: no failure of ours, nothing outside of the schema."""

from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.documents import document
from tests.producers.gateway.test_descriptions import started
from tests.search_api.conftest import Service

pytestmark = pytest.mark.engines

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
_STREAM = "/v1/stream"


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_call_gets_an_answer_that_is_not_described(service: Service, mode: Any) -> None:
    """Calls made from the description, right and wrong. This service has no topic of changes: a
    stream, which would have no end, is refused as one is while Kafka is away."""
    service.add(document("one", "Réfection de la voirie", cpv=["45233140"]))
    description: Any = schemathesis.openapi.from_asgi("/openapi.json", started(service.client.app))
    called = 0
    for found in description.get_all_operations():
        operation = found.ok()
        if mode is GenerationMode.NEGATIVE and not list(operation.iter_parameters()):
            continue

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=8,
            deadline=None,
            derandomize=True,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        )
        def call(case: Any) -> None:
            nonlocal called
            called += 1
            # Through the service's own client: Elasticsearch's belongs to its event loop.
            try:
                answer = service.client.request(
                    case.method, case.formatted_path, params=_flat(case.query)
                )
            except httpx.InvalidURL:  # longer than an address may be: no service ever sees it
                return
            away = case.path == _STREAM and answer.status_code == 503
            checks = [check for check in CHECKS if not (away and check is not_a_server_error)]
            case.validate_response(answer, checks=checks)

        call()
    assert called > 40


def _flat(query: Any) -> list[tuple[str, str]]:
    """Parameters as an address has them; lists are repeated."""
    flat: list[tuple[str, str]] = []
    for name, value in (query or {}).items():
        values = value if isinstance(value, list) else [value]
        flat += [(str(name), _text(one)) for one in values]
    return flat


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).encode("utf-8", "replace").decode()
