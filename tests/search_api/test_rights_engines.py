"""Who may see what, on a real Elasticsearch: nothing that a reader is answered tells of a record
that this reader may not read.

A world holds all documents, groupings and versions; beside it stands, for each reader, a world with
those alone that the reader may read. Both must answer that reader alike, to the letter.

Streams have no end to compare: what they tell is held to the same by `stream/test_messages.py`, and
who hears it by `stream/test_stream_engines.py`.
"""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from http import HTTPStatus
from io import BytesIO
from typing import Any
from uuid import uuid4
from zipfile import ZipFile

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic

from tests.documents import deadline, document, stub
from tests.engines import RunningEngines
from tests.search_api.conftest import AS_OF, Service, serving
from tests.search_api.groupings.test_groupings import Rows, row
from tests.search_api.history.test_history import stored
from traverse_infra.engines.waiting import wait_until
from traverse_schemas.documents.document import INDICES
from traverse_schemas.log.identity import opportunity_id
from traverse_schemas.records.codes import InstitutionKind
from traverse_schemas.registry.api_keys import NewApiKey, new_api_key
from traverse_schemas.registry.institutions import Institution, Role, Scope
from traverse_schemas.registry.registry import FixedRegistry
from traverse_search_api.access.reader import ANYBODY, Reader
from traverse_search_api.exports.formats import MEDIA_TYPES, Form
from traverse_search_api.parameters import Facet

pytestmark = pytest.mark.engines

TOWN, FEDERATION, THIRD = "211300405", "775665011", "123456782"
NOW = datetime.fromisoformat(AS_OF)


@dataclass(frozen=True)
class Case:
    """A reader with its key."""

    reader: Reader
    key: NewApiKey | None = None

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key.secret}"} if self.key else {}


def case(reader: Reader) -> Case:
    return Case(reader, new_api_key([Scope.READ], NOW) if reader.is_member else None)


CASES = [case(ANYBODY), case(Reader(FEDERATION)), case(Reader(TOWN, buyer=True))]
REGISTRY = FixedRegistry(
    Institution(
        siren=one.reader.siren, name="Institution", kind=InstitutionKind.OTHER, created=NOW,
        api_keys=(one.key.key,), roles=frozenset({Role.BUYER} if one.reader.buyer else ()),
    )
    for one in CASES
    if one.key is not None
)  # fmt: skip

# The same words in every audience, and in each some that no other has.
_COMMON = ["voirie", "école", "cantine", "éclairage public", "chaudière", "réseau de chaleur"]
_OWN = {
    "public": ["médiathèque", "gymnase"],
    "members": ["covoiturage", "tiers-lieu"],
    "buyers": ["vidéoprotection", "balayeuse"],
    f"restricted:{TOWN}": ["dameuse", "hydrocureuse"],
    f"restricted:{FEDERATION},{TOWN}": ["abattoir", "légumerie"],
    f"restricted:{THIRD}": ["planétarium", "téléphérique"],
}
_PLACES = ["com:13055", "com:13001", "com:83137", "com:69381", "com:2A004"]
WORDS = [*_COMMON, *(word for words in _OWN.values() for word in words)]
TYPED = [*WORDS, "vidéoprotecsion", "planetariom", "telepherik", "covoiturages", "abatoir", "lot"]


def made() -> list[dict[str, Any]]:
    documents = []
    for audience, own in _OWN.items():
        visibility, _, named = audience.partition(":")
        for number, word in enumerate([*_COMMON, *own] * 2):
            more: dict[str, Any] = {"audience": named.split(",")} if named else {}
            siren = "217500016" if visibility == "restricted" else "211300553"
            documents.append(
                document(
                    f"{audience}-{number}",
                    f"Marché de {word}, lot {number % 3}",
                    description=f"{own[number % 2]} et {_COMMON[number % len(_COMMON)]}. " * 3,
                    visibility=visibility,
                    place=[_PLACES[(number + len(audience)) % len(_PLACES)]],
                    cpv=["45233140" if number % 2 else "09123000"],
                    themes=["voirie"] if number % 2 else ["energie"],
                    owner=f"Commune {word}",
                    owner_siren=siren,
                    amount=float(1000 + number),
                    references=[f"REF-{visibility}-{number}"],
                    deadline=deadline(f"2026-03-{10 + number:02}T11:00:00.000Z"),
                    **more,
                )
            )
    return documents


@dataclass(frozen=True)
class Worlds:
    whole: Service
    apart: dict[Reader, Service]
    documents: list[dict[str, Any]]
    groupings: list[dict[str, Any]]

    def alike(self, one: Case, path: str, parameters: dict[str, Any] | None = None) -> None:
        """Fails where the world that holds all answers otherwise than the one that holds what this
        reader may read."""
        whole, apart = (
            shown(service.client.get(path, params=parameters, headers=one.headers))
            for service in (self.whole, self.apart[one.reader])
        )
        assert differing(whole, apart) == [], (path, parameters)

    def alike_in_pages(self, one: Case, parameters: dict[str, Any]) -> None:
        """The same of a search and of its second page."""
        path = "/v1/opportunities"
        self.alike(one, path, parameters)
        following = []
        for service in (self.whole, self.apart[one.reader]):
            get = partial(service.client.get, path, headers=one.headers)
            cursor = get(params=parameters).json()["next"]
            following.append(shown(get(params=parameters | {"cursor": cursor})) if cursor else None)
        assert differing(*following) == [], parameters

    def known(self, one: Case) -> list[dict[str, Any]]:
        return [each for each in self.documents if one.reader.reads_document(each)]


def shown(answer: httpx.Response) -> Any:
    """All that a caller can see, but the time it took and the text of the next page's cursor."""
    text: Any = answer.text
    if answer.headers["content-type"] == "application/json":
        text = json.loads(text)
        if isinstance(text, dict) and text.get("next"):
            text["next"] = "another page"
    elif answer.headers["content-type"].startswith("text/html"):
        text = re.sub(r"cursor=[\w-]+", "cursor=", text).splitlines()
    elif answer.headers["content-type"] == MEDIA_TYPES[Form.XLSX]:
        # The archive around it says when it was made.
        text = ZipFile(BytesIO(answer.content)).read("xl/worksheets/sheet1.xml").decode()
    dull = {"server-timing", "content-length"}
    headers = {name: value for name, value in answer.headers.items() if name not in dull}
    return answer.status_code, headers, text


def differing(one: Any, other: Any) -> list[tuple[str, Any, Any]]:
    """The leaves in which two answers are not alike, by their paths."""
    left, right = dict(leaves(one)), dict(leaves(other))
    return [
        (path, left.get(path), right.get(path))
        for path in {**left, **right}
        if left.get(path) != right.get(path)
    ]


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of an answer by its path: a difference then names its place."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from leaves(part, f"{path}/{name}")
    elif isinstance(value, list | tuple):
        for number, part in enumerate(value):
            yield from leaves(part, f"{path}/{number}")
    else:
        yield path, value


def proposed(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Three groupings for each audience, of its documents; and of one an id that it had before."""
    found = []
    for audience in _OWN:
        records = [one["id"] for one in documents if layer_of(one) == audience]
        for number in range(3):
            name = f"{audience}-{number}"
            grouped = row(
                name, layer=audience, subject=f"Achat de {name}", score=0.7 + number / 10,
                window={"to": f"2026-0{5 + number % 2}-31"} if number % 2 == 0 else {},
                themes=["sante"] if number else ["voirie"],
            )  # fmt: skip
            for member, record in zip(grouped["grouping"]["members"], records, strict=False):
                member |= {"record": record, "owner": f"Commune de {name}"}
            found.append(grouped)
        found.append({"id": f"old-{audience}", "layer": audience, "moved_to": name})
    return found


def layer_of(one: dict[str, Any]) -> str:
    """For whom a document is, as groupings name it."""
    named = ",".join(one.get("audience", ()))
    return str(one["visibility"]) + (f":{named}" if named else "")


def told(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The accepted events of the documents: each was for buyers, then for the third, before it was
    for whom it is; and what was said of each time differs."""
    events = []
    for one in documents:
        versions: list[dict[str, Any]] = [
            {"visibility": "buyers"},
            {"visibility": "restricted", "audience": [THIRD]},
            {name: one[name] for name in ("visibility", "audience") if name in one},
        ]
        for number, audience in enumerate(versions):
            ((source, subject),) = {(it["source"], it["subject"]) for it in one["sources"]}
            title = f"{one['title']}, version {number} ({audience})"
            event = {
                "id": f"{subject}-{number}",
                "source": source,
                "subject": subject,
                "sequence": 0,
                "type": "fr.traverse.call.updated.v1",
                "time": f"2026-03-0{1 + number}T08:00:00Z",
                "data": {"title": title, "subtype": "contract", **audience},
            }
            events.append(event)
    return events


@contextmanager
def accepted(engines: RunningEngines, events: list[dict[str, Any]]) -> Iterator[str]:
    """A topic that holds these events."""
    name = f"accepted-{uuid4().hex[:12]}"
    admin = KafkaAdminClient(bootstrap_servers=engines.kafka)
    admin.create_topics([NewTopic(name, 1, 1)], wait_for_metadata=True)
    producer = KafkaProducer(bootstrap_servers=engines.kafka, acks="all")
    for _, key, value in stored(*events):
        producer.send(name, value, key=key)
    producer.flush()
    producer.close()
    yield name
    admin.delete_topics([name])
    admin.close()


@pytest.fixture(scope="module")
def worlds(engines: RunningEngines) -> Iterator[Worlds]:
    documents = made()
    groupings, events = proposed(documents), told(documents)
    with ExitStack() as stack:

        def world(reader: Reader | None) -> Service:
            """What a reader may read; all of it for none."""

            def reads(audience: str) -> bool:
                return reader is None or reader.reads(audience)

            service = stack.enter_context(
                serving(
                    engines,
                    AS_OF,
                    reader.indices if reader else INDICES,
                    REGISTRY,
                    groupings=Rows(*(one for one in groupings if reads(one["layer"]))),
                    accepted=stack.enter_context(
                        accepted(engines, [one for one in events if reads(layer_of(one["data"]))])
                    ),
                )
            )
            service.add(*(one for one in documents if reads(layer_of(one))))
            return service

        apart = {one.reader: world(one.reader) for one in CASES}
        yield Worlds(world(None), apart, documents, groupings)


FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "kind": st.sampled_from(["call", "need"]),
        "territory": st.sampled_from([*_PLACES, "dep:13", "fr"]),
        "theme": st.sampled_from(["voirie", "energie"]),
        "institution": st.sampled_from(["217500016", "211300553", "planétarium"]),
        "cpv": st.sampled_from(["45", "09123000"]),
        "amount_min": st.sampled_from(["1003", "99999"]),
        "near": st.sampled_from(["43.3,5.4", "45.75,4.85"]),
        "deadline_to": st.just("2026-03-17"),
        "published_from": st.just("2026-02-01"),
        "status": st.sampled_from(["open", "closing_soon"]),
        "sort": st.sampled_from(["relevance", "published", "amount", "deadline"]),
        "as_typed": st.just("true"),
    },
)
BEGINNINGS = st.sampled_from(sorted({word[:end] for word in TYPED for end in (2, 3, 4, 6)}))
_WORD = st.sampled_from(TYPED)
_OPERATORS = st.sampled_from(
    ['"marché de {0}"', "{0:.4}*", "-{0}", "-{0:.4}*", "{0} OR {1}", 'titre:"{0}"',
     "acheteur:{0}", "-acheteur:{0}", "lieu:marseille", "cpv:45", "ref:REF-restricted-3"]
)  # fmt: skip
_PARTS = st.one_of(_WORD, _WORD, st.builds(str.format, _OPERATORS, _WORD, _WORD))
QUERIES = st.lists(_PARTS, max_size=3).map(" ".join)
BESIDE = st.sampled_from(
    [("/v1/opportunities/map", {}), ("/v1/opportunities/map", {"bbox": "5,43,6,44", "zoom": "9"}),
     ("/", {}), ("/vitrine", {})]
)  # fmt: skip


@pytest.mark.parametrize("one", CASES, ids=["anybody", "federation", "town"])
@given(query=QUERIES, filters=FILTERS, beginning=BEGINNINGS, beside=BESIDE)
@settings(max_examples=9, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_no_answer_tells_that_a_hidden_record_exists(
    worlds: Worlds,
    one: Case,
    *,
    query: str,
    filters: dict[str, str],
    beginning: str,
    beside: tuple[str, dict[str, str]],
) -> None:
    """Hits, scores, counts, facets, corrections, diagnoses, suggestions, maps, pages."""
    asked: dict[str, Any] = {**filters, "q": query}
    facets = {"facets": [facet.value for facet in Facet], "explain": "true"}
    worlds.alike_in_pages(one, {**asked, **facets, "size": "5"})
    path, more = beside
    worlds.alike(one, path, {**asked, **more})
    worlds.alike(one, "/v1/suggest", {"q": beginning})


@pytest.mark.parametrize("one", CASES, ids=["anybody", "federation", "town"])
def test_no_file_tells_that_a_hidden_record_exists(worlds: Worlds, one: Case) -> None:
    """In whatever form, with operators, corrected too."""
    queries = ['voirie -gymnase "lot 1"', "abatoir", "dameuse OR cantine", ""]
    for form, query in zip(Form, [*queries, *queries], strict=False):
        worlds.alike(one, f"/v1/opportunities.{form}", {"q": query, "territory": "fr"})


@pytest.mark.parametrize("one", CASES, ids=["anybody", "federation", "town"])
def test_each_record_is_there_for_whom_it_is_for_and_for_no_other(
    worlds: Worlds, one: Case
) -> None:
    """Page after page everything that the reader may read, and by its id nothing else; what it may
    not read is answered like an id that was never given."""
    found: list[str] = []
    asked: dict[str, Any] = {"size": "20"}
    get = worlds.whole.client.get
    while True:
        answer = get("/v1/opportunities", params=asked, headers=one.headers).json()
        found += [item["id"] for item in answer["items"]]
        if answer["next"] is None:
            break
        asked["cursor"] = answer["next"]
    known = [each["id"] for each in worlds.known(one)]
    assert sorted(found) == sorted(known)
    never = get("/v1/opportunities/neverthere", headers=one.headers)
    for each in worlds.documents[::4]:
        for path in ("", "/similar", "/history"):
            if path == "/history" and each["id"] in known:
                continue  # its own test asks for it
            answer = get(f"/v1/opportunities/{each['id']}{path}", headers=one.headers)
            if each["id"] in known:
                assert answer.status_code == 200
                assert answer.headers.get("cache-control", "") == ("no-store" if one.key else "")
                continue
            unlike = answer.text.replace(each["id"], "neverthere")
            assert (answer.status_code, unlike) == (404, never.text)
    for each in worlds.known(one)[::9]:
        worlds.alike(one, f"/v1/opportunities/{each['id']}/similar")
    # A cursor of another reader is good for nothing.
    others = [other for other in CASES if other is not one]
    asked = {"size": "2"}
    theirs = get("/v1/opportunities", params=asked, headers=others[0].headers).json()["next"]
    refused = get("/v1/opportunities", params={**asked, "cursor": theirs}, headers=one.headers)
    assert refused.status_code == 400


@pytest.mark.parametrize("one", CASES, ids=["anybody", "federation", "town"])
def test_no_grouping_tells_that_a_hidden_one_exists(worlds: Worlds, one: Case) -> None:
    """In lists, with filters, page after page, by its id and by one that it had before, and on the
    pages of records."""
    path = "/v1/groupings"
    filters = ({"territory": "dep:13"}, {"theme": "voirie"}, {"institution": THIRD}, {"cpv": "33"},
               {"status": "expired", "as_of": "2026-06-20"})  # fmt: skip
    for asked in ({}, *filters):
        worlds.alike(one, path, asked)
    for each in worlds.groupings:
        worlds.alike(one, f"{path}/{each['id']}")
    for each in worlds.known(one)[::7]:
        worlds.alike(one, f"/fiche/{each['id']}")
    seen: list[str] = []
    asked = {"size": "1"}
    while True:
        worlds.alike(one, path, asked)
        page = worlds.whole.client.get(path, params=asked, headers=one.headers).json()
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        asked["cursor"] = page["next"]
    layers = {each["id"]: each["layer"] for each in worlds.groupings if "grouping" in each}
    assert sorted(seen) == sorted(id_ for id_, of in layers.items() if one.reader.sees_layer(of))
    assert seen


@pytest.mark.parametrize("one", CASES, ids=["anybody", "federation", "town"])
def test_no_history_tells_that_a_hidden_version_exists(worlds: Worlds, one: Case) -> None:
    """Of a record that was for others before it was for this reader."""

    def known(service: Service, path: str) -> bool:
        status: int = service.client.get(path, headers=one.headers).status_code
        return status != HTTPStatus.SERVICE_UNAVAILABLE

    for each in worlds.known(one)[::5]:
        path = f"/v1/opportunities/{each['id']}/history"
        for service in (worlds.whole, worlds.apart[one.reader]):
            # A loaded machine: the log is read on meanwhile.
            assert wait_until(partial(known, service, path), timeout=60)
        worlds.alike(one, path)
        worlds.alike(one, path, {"size": "1"})
        worlds.alike(one, f"/fiche/{each['id']}/changements")
        items = worlds.whole.client.get(path, headers=one.headers).json()["items"]
        assert len(items) == (2 if one.reader.buyer else 1), each


def test_a_members_facet_counts_what_its_choice_finds_in_all_its_indices(worlds: Worlds) -> None:
    """As anybody's does in the public one."""
    town, whole = CASES[2], worlds.whole

    def ask(asked: dict[str, str]) -> dict[str, Any]:
        answer = whole.client.get("/v1/opportunities", params=asked, headers=town.headers)
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found

    for chosen in ({"reach": "within"}, {"q": "voirie", "cpv": "09", "reach": "within"}):
        facets = ask(chosen)["facets"]
        assert sum(one["count"] for one in facets["kind"]) > 0
        for name, choices in facets.items():
            for one in choices:
                found = ask({**chosen, name: one["value"], "facets": "none"})
                assert found["total"]["value"] == one["count"], (chosen, name, one)


def test_where_a_record_went_is_said_to_those_who_may_follow_it(worlds: Worlds) -> None:
    """Public once, among buyers now, then merged there: to anybody it was withdrawn."""
    whole, town = worlds.whole, CASES[2]
    moved, head = document("moved", "Déplacé", visibility="buyers"), opportunity_id("x", "head")
    whole.add(moved, stub("moved"))
    path = f"/v1/opportunities/{moved['id']}"
    for one, status in zip(CASES, (410, 410, 200), strict=True):
        assert whole.client.get(path, headers=one.headers).status_code == status
    gone = {"id": moved["id"], "stub": True, "merged_into": head}
    whole.elasticsearch.index(
        index=whole.indices["buyers"], id=moved["id"], document=gone, refresh=True
    )
    answers = [whole.client.get(path, headers=one.headers, follow_redirects=False) for one in CASES]
    assert [one.status_code for one in answers] == [410, 410, 301]
    assert answers[2].headers["location"] == f"/v1/opportunities/{head}"
    assert head not in answers[0].text + answers[1].text
    for below in ("history", "similar"):
        asked = whole.client.get(
            f"{path}/{below}?size=3", headers=town.headers, follow_redirects=False
        )
        assert asked.headers["location"] == f"/v1/opportunities/{head}/{below}?size=3"
    page = whole.client.get(
        f"/fiche/{moved['id']}?as_of=2026-01-01", headers=town.headers, follow_redirects=False
    )
    assert page.status_code == 301
    assert page.headers["location"] == f"/fiche/{head}?as_of=2026-01-01"
