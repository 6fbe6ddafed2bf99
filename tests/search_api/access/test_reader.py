"""Who reads what: the one type, and the ways in which a request says who it comes from."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.requests import Request

from traverse_schemas.clock import FixedClock
from traverse_schemas.documents.grouping import readable
from traverse_schemas.records.codes import InstitutionKind
from traverse_schemas.registry.api_keys import new_api_key
from traverse_schemas.registry.institutions import Institution, Role, Scope
from traverse_schemas.registry.registry import FixedRegistry, RegistryView
from traverse_search_api.access.reader import ANYBODY, Reader, reader_of
from traverse_search_api.access.ways import ApiKeys, Readers
from traverse_search_api.answers.items import detail_of
from traverse_search_api.app import create_app
from traverse_search_api.errors import ForbiddenKeyError, RegistryUnreadError, UnknownKeyError
from traverse_search_api.query.queries import unrevealing
from traverse_search_api.settings import SearchSettings

NOW = datetime(2026, 3, 12, 10, tzinfo=UTC)
TOWN, FEDERATION = "211300553", "775665011"
BUYER, MEMBER = Reader(TOWN, buyer=True), Reader(FEDERATION)
KEY = new_api_key([Scope.READ, Scope.PUBLISH], NOW)
ENDED = new_api_key([Scope.READ], NOW, expires=NOW - timedelta(days=1))
MUTE = new_api_key([Scope.PUBLISH], NOW)


def institution(siren: str = TOWN, **more: Any) -> Institution:
    given: dict[str, Any] = {
        "name": "Marseille", "kind": InstitutionKind.COMMUNE, "roles": frozenset({Role.BUYER}),
        "api_keys": tuple(one.key for one in (KEY, ENDED, MUTE)), "created": NOW,
    }  # fmt: skip
    return Institution(siren=siren, **(given | more))


def request(authorization: str | None = None) -> Request:
    headers = [] if authorization is None else [(b"authorization", authorization.encode())]
    return Request({"type": "http", "headers": headers})


def readers(registry: FixedRegistry | None = None) -> Readers:
    return Readers(ApiKeys(registry or FixedRegistry([institution()]), FixedClock(NOW)))


@pytest.mark.parametrize(
    ("reader", "wanted"),
    [
        (ANYBODY, {"public"}),
        (MEMBER, {"public", "members", f"restricted:{TOWN},{FEDERATION}"}),
        (BUYER, {"public", "members", "buyers", f"restricted:{TOWN},{FEDERATION}"}),
        (Reader("123456782"), {"public", "members"}),
    ],
)
def test_each_reads_its_own_and_no_more(reader: Reader, wanted: set[str]) -> None:
    audiences = ["public", "members", "buyers", f"restricted:{TOWN},{FEDERATION}"]
    assert {one for one in audiences if reader.reads(one)} == wanted
    for audience in audiences:
        visibility, _, named = audience.partition(":")
        document = {"visibility": visibility, "audience": named.split(",")}
        assert reader.reads_document(document) == reader.reads(audience)


def test_nobody_is_named_by_a_restricted_record_that_names_nobody() -> None:
    for reader in (ANYBODY, MEMBER, BUYER):
        assert not reader.reads("restricted:")
        assert not reader.reads("restricted")
        assert not reader.reads("")
        assert not reader.reads_document({"visibility": "restricted"})
        assert not reader.reads_document({"id": "x", "stub": True})


def test_the_filter_says_what_the_type_says() -> None:
    assert ANYBODY.filter() == {"terms": {"visibility": ["public"]}}
    whole, named = BUYER.filter()["bool"]["should"]
    assert whole == {"terms": {"visibility": ["public", "members", "buyers"]}}
    assert {"term": {"audience": TOWN}} in named["bool"]["filter"]
    assert ANYBODY.indices == ("public",)


def test_a_grouping_of_a_layer_shows_to_its_readers_alone() -> None:
    """Who reads a layer may read every audience that stands in it (`grouping.readable`)."""
    for reader, (layer, audience) in product(
        (ANYBODY, MEMBER, BUYER), product(("public", "members", "buyers"), repeat=2)
    ):
        if reader.reads(layer) and readable(layer, audience):
            assert reader.reads(audience)


def test_a_score_of_a_restricted_document_depends_on_no_other() -> None:
    text = {"match": {"title": {"query": "voirie", "_name": "words"}}}
    assert unrevealing(text, ANYBODY) == text
    _, named = unrevealing(text, BUYER)["bool"]["should"]
    assert named["constant_score"]["filter"]["bool"]["filter"][1] == {
        "match": {"title": {"query": "voirie"}}
    }


def test_a_document_does_not_say_to_whom_else_it_was_addressed() -> None:
    document = {
        "id": "a", "kind": "call", "subtype": "contract", "visibility": "restricted",
        "state": "active", "audience": [TOWN, FEDERATION],
        "links": [{"id": "b", "audience": f"restricted:{TOWN},{FEDERATION}"}, {"id": "c"}],
    }  # fmt: skip
    shown = detail_of(document, NOW, BUYER)
    assert FEDERATION not in repr(shown)
    assert [link["id"] for link in shown["links"]] == ["b", "c"]


def test_an_api_key_is_its_institution_and_nothing_is_anybody() -> None:
    assert readers().of(request(f"Bearer {KEY.secret}")) == BUYER
    assert readers().of(request(f"bearer  {KEY.secret} ")) == BUYER
    assert readers().of(request()) == ANYBODY


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer x", f"Basic {KEY.secret}", f"Bearer {ENDED.secret}"],
    ids=["empty", "no key", "no key of ours", "basic", "expired"],
)
def test_what_opens_nothing_is_refused_and_never_anybody(authorization: str) -> None:
    with pytest.raises(UnknownKeyError):
        readers().of(request(authorization))


def test_a_key_that_may_only_publish_reads_nothing() -> None:
    with pytest.raises(ForbiddenKeyError):
        readers().of(request(f"Bearer {MUTE.secret}"))


def test_of_a_federation_and_of_the_sandbox() -> None:
    """A member once its trial has ended."""
    assert reader_of(institution(FEDERATION, roles=frozenset()), NOW) == MEMBER
    assert reader_of(institution(sandbox=True), NOW) == ANYBODY
    opened = institution(sandbox=True, sandbox_until=NOW)
    assert reader_of(opened, NOW - timedelta(seconds=1)) == ANYBODY
    assert reader_of(opened, NOW).is_member


class Turning:
    """A registry that changes, and that may not have been read yet."""

    def __init__(self) -> None:
        self.ready = False
        self.rows = [institution()]

    def view(self) -> RegistryView:
        return RegistryView(self.rows)

    def catch_up(self, timeout: float) -> None: ...


def test_whoever_lost_the_right_meanwhile_is_not_still_the_reader() -> None:
    registry = Turning()
    mine = Readers(ApiKeys(registry, FixedClock(NOW)))
    call = request(f"Bearer {KEY.secret}")
    with pytest.raises(RegistryUnreadError):
        mine.of(call)
    assert mine.of(request()) == ANYBODY
    registry.ready = True
    still = mine.still(call, mine.of(call))
    assert still()
    registry.rows = [institution(roles=frozenset())]
    assert not still()
    registry.rows = [institution(revoked_at=NOW)]
    assert not still()


@pytest.fixture
def client() -> Iterator[TestClient]:
    """A service with a registry, whose Elasticsearch is away."""
    settings = SearchSettings(elasticsearch="http://127.0.0.1:1")
    registry = FixedRegistry([institution()])
    with TestClient(create_app(settings, registry=registry, present=FixedClock(NOW))) as client:
        yield client


@pytest.mark.parametrize(
    "path",
    [
        "/v1/opportunities", "/v1/opportunities/abc", "/v1/opportunities/abc/similar",
        "/v1/opportunities/map", "/v1/opportunities.csv", "/v1/suggest?q=voi", "/v1/stream",
    ],
)  # fmt: skip
def test_every_route_refuses_a_wrong_key(client: TestClient, path: str) -> None:
    """401 with the scheme (RFC 6750), never the public part."""
    answer = client.get(path, headers={"Authorization": "Bearer trv_x"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("form", ["csv", "xlsx", "rss"])
def test_a_refusal_that_is_a_page_names_the_scheme_too(client: TestClient, form: str) -> None:
    """A 401 always says how one may be known (RFC 9110, 15.5.2)."""
    headers = {"Authorization": "Bearer trv_x", "Accept": "text/html"}
    answer = client.get(f"/v1/opportunities.{form}", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Authorization", "Cookie"])
@pytest.mark.parametrize("path", ["/v1/opportunities", "/openapi.json", "/", "/nope"])
def test_no_shared_cache_keeps_what_somebody_was_answered(
    client: TestClient, path: str, header: str
) -> None:
    for headers in ({}, {header: "Bearer x"}):
        answer = client.get(path, headers=headers)
        told = {name.strip().lower() for name in answer.headers["vary"].split(",")}
        assert {"authorization", "cookie"} <= told
        private = answer.headers.get("cache-control") == "no-store"
        assert private == bool(headers)
