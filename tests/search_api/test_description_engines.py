"""The service against its own description: no failure of ours, nothing outside of the schema."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core import NotSet
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.documents import document
from tests.engines import RunningEngines
from tests.producers.gateway.test_descriptions import started
from tests.schemas.memory_log import MemoryTopic
from tests.search_api.accounts.people import INSTITUTIONS, MARSEILLE, NOW
from tests.search_api.alerts.household import Household, household, subscription
from tests.search_api.conftest import AS_OF, NO_CHANGES, NoGroupings, fresh_indices, sums_on
from traverse_schemas.clock import clock_from
from traverse_schemas.documents.document import INDICES, PUBLIC_INDEX
from traverse_schemas.documents.index_mapping import ALIASES
from traverse_schemas.documents.indexed import indexed
from traverse_schemas.registry.api_keys import new_api_key
from traverse_schemas.registry.institutions import Scope
from traverse_search_api.institutions.readership import Readership

pytestmark = pytest.mark.engines

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 15
KEY = new_api_key([Scope.READ, Scope.PUBLISH], NOW)
MEMBER = {"authorization": f"Bearer {KEY.secret}"}
FOLLOWED = subscription(account="", name="par programme")
# What a call is about, where one that is made up would be none of this caller's.
OWN = {"/v1/subscriptions/{identifier}": FOLLOWED.id, "/v1/permanences/{siren}": MARSEILLE}
_STREAM = "/v1/stream"

schemathesis.serializer.alias("text/calendar", "text/plain")


@pytest.fixture(scope="module")
def people(engines: RunningEngines) -> Iterator[Household]:
    """The whole service, with one document, one subscription and a key. It has no topic of changes:
    a stream, which would have no end, is refused as one is while Kafka is away."""
    town = INSTITUTIONS[0].model_copy(update={"api_keys": (KEY.key,)})
    with (
        fresh_indices(engines, INDICES) as (elasticsearch, names),
        household(
            FOLLOWED,
            institutions=(town, *INSTITUTIONS[1:]),
            elasticsearch=engines.elasticsearch,
            aliases={**ALIASES, **names},
            parts={
                "groupings": NoGroupings(),
                "changes": NO_CHANGES,
                "readership": Readership(sums_on(MemoryTopic()), clock_from(AS_OF)),
            },
            kafka=engines.kafka,
            home=engines.settings.home,
            as_of=AS_OF,
            address_rate=10**6,
            key_rate=10**6,
            search_timeout=60,
            search_patience=50,
        ) as made,
    ):
        one = document("one", "Réfection de la voirie", cpv=["45233140"])
        elasticsearch.index(
            index=names[PUBLIC_INDEX], id=one["id"], document=indexed(one), refresh=True
        )
        # The table of subscriptions is read from the first question on.
        answer = made.house.client.get("/v1/subscriptions", headers=MEMBER)
        assert answer.status_code == 200
        yield made


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_no_call_gets_an_answer_that_is_not_described(people: Household, mode: Any) -> None:
    """Calls made from the description, right and wrong, with a body where one is taken; by anybody
    and by a member, of what is the member's and of what is nobody's."""
    client = people.house.client
    description: Any = schemathesis.openapi.from_asgi("/openapi.json", started(client.app))
    called = sent = 0
    statuses: set[int] = set()
    for found in description.get_all_operations():
        operation = found.ok()
        given_nothing = not list(operation.iter_parameters()) and not operation.body
        if mode is GenerationMode.NEGATIVE and given_nothing:
            continue

        @given(
            case=operation.as_strategy(generation_mode=mode),
            member=st.booleans(),
            own=st.booleans(),
        )
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        )
        def call(case: Any, *, member: bool, own: bool) -> None:
            nonlocal called, sent
            called += 1
            if own and isinstance(case.body, dict) and "search" in case.body:
                case.body["search"] = {"q": "voirie"}  # what is made up is no search to follow
            body = _octets(case)
            headers = {} if body is None else {"content-type": case.media_type}
            if member or body is not None:
                headers |= MEMBER
            mine = next((name for path, name in OWN.items() if case.path.startswith(path)), None)
            if own and mine is not None:
                (name,) = case.path_parameters
                case.path_parameters[name] = mine
                people.table.put(FOLLOWED.id, FOLLOWED)  # a call may have deleted it
            # Through the service's own client: Elasticsearch's belongs to its event loop.
            try:
                answer = client.request(
                    case.method, case.formatted_path, params=_flat(case.query),
                    headers=headers, content=body,
                )  # fmt: skip
            except httpx.InvalidURL:  # longer than an address may be: no service ever sees it
                return
            sent += body is not None
            statuses.add(answer.status_code)
            away = case.path == _STREAM and answer.status_code == 503
            checks = [check for check in CHECKS if not (away and check is not_a_server_error)]
            case.validate_response(answer, checks=checks)

        call()
    assert called > 60 and sent > 10
    if mode is GenerationMode.POSITIVE:
        assert {200, 202, 204, 401, 404, 422} <= statuses


def _octets(case: Any) -> bytes | None:
    """The body of a call, where it has one."""
    if isinstance(case.body, NotSet):
        return None
    if isinstance(case.body, bytes):
        return case.body
    if case.media_type == "application/json":
        return json.dumps(case.body).encode()
    return str(case.body).encode("utf-8", "replace")


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
