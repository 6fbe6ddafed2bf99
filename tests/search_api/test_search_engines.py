"""The one view on a real Elasticsearch: filters, facets, orders, pages, details."""

import time
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from tests.documents import deadline, document, stub
from tests.engines import RunningEngines
from tests.search_api.conftest import NoGroupings, Service
from traverse_schemas.documents.document import PUBLIC_INDEX
from traverse_schemas.documents.index_mapping import ALIASES, index_body
from traverse_schemas.log.identity import opportunity_id
from traverse_search_api.app import create_app
from traverse_search_api.settings import SearchSettings

pytestmark = pytest.mark.engines

ZONES = {"com:13001": "aix", "epci:200054807": "amp", "dep:13": "bdr", "reg:93": "paca", "fr": "fr"}
DOCUMENTS = [
    *(document(name, "Aide aux bornes", place=[code]) for code, name in ZONES.items()),
    document("lyon", "Bornes de Lyon", place=["com:69123"], kind="project", subtype="project"),
    document("post", "Bornes", place=["com:13071"], amount=100.0, themes=["energie"]),
    document("eligible", "Fonds régional", place=["com:75056"], eligible_area=["reg:93"]),
    # 13100 serves Aix-en-Provence and Le Tholonet; 01130 communes of two EPCI.
    document("shared", "Bornes", place=["cp:13100"]),
    document("astride", "Bornes", place=["cp:01130"]),
    document("soon", "Marché", deadline=deadline("2026-03-14T11:00:00.000000Z"), amount=50.0),
    document("late", "Marché", deadline=deadline("2026-03-01T11:00:00.000000Z"), amount=500.0),
    document("open", "Marché", deadline=deadline("2026-05-01T11:00:00.000000Z"), cpv=["45233140"]),
    document("gone", "Marché expiré", expires="2026-03-11"),
    document("today", "Marché du jour", expires="2026-03-12", published_at="2026-03-11T00:00:00Z"),
    document("hidden", "Marché privé", visibility="buyers"),
    stub("withdrawn"),
]


@pytest.fixture(scope="module", autouse=True)
def _documents(service: Service) -> None:
    service.add(*DOCUMENTS)


def test_stubs_expired_and_private_documents_never_show(service: Service) -> None:
    """A document is shown until the end of the day on which it expires."""
    found = set(service.subjects())
    assert "today" in found
    assert not found & {"gone", "hidden", "withdrawn"}
    assert "gone" in service.subjects(as_of="2026-03-11")


@pytest.mark.parametrize(
    ("territory", "reach", "found"),
    [
        ("com:13001", "applies", {"aix", "amp", "bdr", "paca", "fr", "eligible", "shared"}),
        ("com:13109", "applies", {"amp", "bdr", "paca", "fr", "eligible", "shared"}),
        ("com:13001", "within", {"aix"}),
        ("cp:13100", "within", {"aix", "shared"}),
        ("epci:200042935", "applies", {"astride", "fr"}),
        ("epci:240100891", "applies", {"astride", "fr"}),
        ("epci:200042935", "within", set()),
        ("dep:69", "within", {"lyon"}),
        ("cp:13170", "within", {"post"}),
        ("com:69123,com:13071", "within", {"lyon", "post"}),
    ],
)
def test_territories_include_one_another(
    service: Service, territory: str, reach: str, found: set[str]
) -> None:
    """From commune to EPCI, département, région and France, both ways."""
    everywhere = {
        "post",
        "soon",
        "late",
        "open",
        "today",
        "lyon",
        "aix",
        "eligible",
        "shared",
        "astride",
    }
    subjects = set(service.subjects(territory=territory, reach=reach))
    assert found <= subjects
    if reach == "within":
        assert subjects == found
    else:
        assert not subjects & (everywhere - found)


def test_inclusion_holds_at_every_level(service: Service) -> None:
    """What lies in a commune lies in its EPCI, département, région, and France."""
    inside = [
        set(service.subjects(territory=code, reach="within"))
        for code in ("com:13001", "epci:200054807", "dep:13", "reg:93", "fr")
    ]
    for smaller, larger in pairwise(inside):
        assert smaller <= larger


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"status": "open"}, {"soon", "open"}),
        ({"status": "closing_soon"}, {"soon"}),
        ({"status": "under_review"}, {"late"}),
        ({"status": "under_review", "as_of": "2026-06-01"}, {"soon", "late", "open"}),
        ({"kind": "project"}, {"lyon"}),
        ({"theme": "energie"}, {"post"}),
        ({"cpv": "45"}, {"open"}),
        ({"cpv": "4523314"}, {"open"}),
        ({"amount_min": 100, "amount_max": 400}, {"post"}),
        ({"deadline_from": "2026-03-14", "deadline_to": "2026-03-14"}, {"soon"}),
        ({"published_from": "2026-03-10"}, {"today"}),
        ({"near": "45.76,4.83", "radius": 10}, {"lyon"}),
        ({"institution": "999999999"}, set()),
        ({"institution": "Marseille", "kind": "project"}, {"lyon"}),
    ],
)
def test_each_filter_narrows(service: Service, parameters: dict[str, Any], found: set[str]) -> None:
    """One parameter, the documents that it means and no others."""
    assert set(service.subjects(**parameters)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("marché < 60 €", {"soon"}),
        ("marché avant le 15 mars", {"soon"}),
        ("clôture mai 2026", {"open"}),
        ("marché 45233140", {"open"}),
        ("marché cpv 45", {"open"}),
        ("bornes Paris OR Lyon", {"lyon"}),
        ("bornes 69 75", {"lyon"}),
        ("de la", set()),
        ("???", set()),
    ],
)
def test_what_is_understood_is_found_and_can_be_taken_back(
    service: Service, text: str, found: set[str]
) -> None:
    """What no document says in words is found by what it means, and not when taken at its word."""
    assert set(service.subjects(q=text)) == found
    answer = service.ask(q=text, literal="*", as_typed=True)
    assert answer["understood"] == []
    if text != "bornes Paris OR Lyon":
        assert answer["total"]["value"] == 0
        assert answer["diagnosis"]["sentence"]


def test_a_text_is_relaxed_openly(service: Service) -> None:
    """A third of the words may be missing, never the rarest one; one can insist."""
    answer = service.ask(q="fonds régional bornes")
    assert answer["relaxed"] == {
        "required": 2,
        "words": 3,
        "kept": "fonds",
        "left_out": ["bornes"],
        "sentence": "Aucune publication ne réunit les 3 mots : voici celles qui en contiennent au "
        "moins 2, dont « fonds » dans le titre.",
    }
    assert [item["title"] for item in answer["items"]] == ["Fonds régional"]
    assert [item["left_out"] for item in answer["items"]] == [["bornes"]]
    told = service.ask(q="fonds régional bornes", explain=True)
    assert [item["left_out"] for item in told["items"]] == [["bornes"]]
    parts = [one["part"] for one in told["items"][0]["explanation"]["text"]]
    assert parts and not any("bornes" in part or "fonds" in part for part in parts)
    assert "left_out" not in service.ask(q="fonds régional")["items"][0]
    insisted = service.ask(q="fonds régional bornes", as_typed=True)
    assert (insisted["relaxed"], insisted["items"]) == (None, [])


def test_a_facet_ignores_its_own_filter(service: Service) -> None:
    """With one kind chosen, the others are still counted; other facets follow the choice."""
    facets = service.ask(kind="project")["facets"]
    kinds = {one["value"]: one["count"] for one in facets["kind"]}
    assert kinds["project"] == 1
    assert kinds["call"] > 5
    assert [one["value"] for one in facets["territory"]] == ["dep:69"]


def test_the_parts_of_a_territory_are_counted_as_their_choice_finds_them(service: Service) -> None:
    """Régions of France, départements of a région, communes of a département, whatever of it is
    chosen."""
    for territory, level in (("", "reg:"), ("reg:93", "dep:"), ("dep:13", "com:")):
        asked = {"territory": territory} if territory else {}
        counts = {
            one["value"]: one["count"]
            for one in service.ask(facets="part", **asked)["facets"]["part"]
        }
        assert counts
        for code, count in counts.items():
            assert code.startswith(level)
            assert service.ask(territory=code, reach="within")["total"]["value"] == count
    chosen = service.ask(territory="com:13055", facets="part")["facets"]["part"]
    beside = service.ask(territory="epci:200054807", facets="part")["facets"]["part"]
    assert chosen == beside


FACETS = ("kind", "subtype", "status", "theme", "institution_kind", "cpv", "territory")
CHOSEN: list[dict[str, str]] = [
    {},
    {"kind": "call"},
    {"kind": "project", "status": "idea"},
    {"status": "open"},
    {"territory": "dep:13", "reach": "within"},
    {"territory": "com:13001", "kind": "call"},
    {"cpv": "45", "subtype": "contract"},
    {"theme": "energie", "institution_kind": "commune"},
    {"q": "bornes", "kind": "project"},
]


@pytest.mark.parametrize("chosen", CHOSEN, ids=lambda chosen: "&".join(chosen) or "nothing")
def test_a_facets_count_is_what_its_choice_finds(service: Service, chosen: dict[str, str]) -> None:
    """Clicking a number must give that number of items, whatever is chosen already: the choice
    takes the place of what the same facet had. Labels are French."""
    answer = service.ask(**chosen)
    for name in FACETS:
        for one in answer["facets"][name]:
            # What lies in a territory is counted, not what applies to it.
            asked = {**chosen, name: one["value"]}
            if name == "territory":
                asked["reach"] = "within"
            found = service.ask(**asked, size=1, facets="none")["total"]["value"]
            assert found == one["count"], (chosen, name, one)
            assert one["label"] != one["value"]


def test_orders(service: Service) -> None:
    """Deadlines to come first, then past, then none; amounts from the largest, unknown last."""
    assert service.subjects(sort="deadline")[:3] == ["soon", "open", "late"]
    assert service.subjects(sort="amount")[:3] == ["late", "post", "soon"]
    assert service.subjects(sort="published")[0] == "today"
    assert service.subjects(sort="distance", near="45.76,4.83", radius=20000)[0] == "lyon"
    # Nothing typed: what can be answered first, then what is fresh.
    assert set(service.subjects(kind="call")[:2]) == {"soon", "open"}
    assert service.subjects(kind="call")[2] == "today"


def test_a_detail_is_the_whole_document_with_its_status(service: Service) -> None:
    """And the words in French."""
    found = service.client.get(f"/v1/opportunities/{opportunity_id_of('soon')}").json()
    assert found["status"] == "closing_soon"
    assert found["covers"] == ["com:13055"]
    assert found["status_label"] == "Clôture imminente"


@pytest.mark.parametrize(
    ("subject", "status"), [("withdrawn", 410), ("gone", 410), ("hidden", 410), ("never", 404)]
)
def test_a_detail_that_may_not_be_read_is_refused(
    service: Service, subject: str, status: int
) -> None:
    """Withdrawn is gone, unknown is not found; neither says what it held."""
    answer = service.client.get(f"/v1/opportunities/{opportunity_id_of(subject)}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Marché" not in answer.text


def test_it_is_ready_when_the_index_answers(service: Service) -> None:
    """Readiness asks the index itself."""
    assert service.client.get("/readyz").status_code == 200


def test_a_red_index_is_said_within_two_seconds(engines: RunningEngines, service: Service) -> None:
    """With the patience that the service has by default, whatever is asked of it. The fastest of
    three: the machine may be loaded."""
    name, body = f"search-red-{uuid4().hex[:12]}", index_body()
    body["settings"]["index.routing.allocation.require._name"] = "nowhere"
    service.elasticsearch.indices.create(index=name, **body, wait_for_active_shards="0")
    try:
        assert service.elasticsearch.cluster.health(index=name)["status"] == "red"
        settings = SearchSettings(elasticsearch=engines.elasticsearch, search_timeout=60)
        app = create_app(settings, aliases={**ALIASES, PUBLIC_INDEX: name}, groupings=NoGroupings())
        with TestClient(app, raise_server_exceptions=False) as client:
            for path in ("/v1/opportunities?q=x", "/v1/opportunities/abc", "/v1/suggest?q=xy"):
                took = []
                for _ in range(3):
                    begun = time.monotonic()
                    answer = client.get(path)
                    took.append(time.monotonic() - begun)
                    assert answer.status_code == 503
                    assert int(answer.headers["retry-after"]) > 0
                assert min(took) < 2
    finally:
        service.elasticsearch.indices.delete(index=name)


def test_programs_are_answered_as_they_always_were(service: Service) -> None:
    """Pages are compressed; the API is not: it would pay with time."""
    answer = service.client.get("/v1/opportunities", headers={"accept-encoding": "gzip"})
    assert len(answer.content) > 1000
    assert "content-encoding" not in answer.headers


def test_an_id_cannot_reach_another_index(service: Service) -> None:
    """Whatever an address holds is an id, never a path."""
    for hostile in ("..%2F..%2F_cat%2Findices", "x%3Frouting=1", "%00", "é" * 300):
        assert service.client.get(f"/v1/opportunities/{hostile}").status_code in (400, 404)


def opportunity_id_of(subject: str) -> str:
    """The id that `document` gives."""
    return opportunity_id("urn:siren:211300553", subject)
