"""Needs meet what answers them, and each other, on the real engines."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from elasticsearch import AsyncElasticsearch
from starlette.testclient import TestClient

from tests.journey.digest import links_of
from tests.journey.harness import Journey, until
from tests.search_api.accounts.people import Taking, house, sign_in, token_of
from tests.stream_processors.factory import call_data, event
from traverse_infra.check.erased import prove
from traverse_schemas.log.identity import opportunity_id
from traverse_schemas.log.topics import GROUPINGS
from traverse_search_api.access.reader import ANYBODY
from traverse_search_api.answers.items import item_of
from traverse_search_api.app import create_app
from traverse_search_api.settings import SearchSettings
from traverse_stream_processors.likeness.corpus import base_passages
from traverse_stream_processors.likeness.model import base_model
from traverse_stream_processors.likeness.train import train

pytestmark = pytest.mark.engines

TOWNS = {"211300413": "com:13041", "211300017": "com:13001", "211300553": "com:13055"}


def need(siren: str, **changes: Any) -> dict[str, Any]:
    """A town's need of defibrillators, public unless told otherwise."""
    data = {
        "title": "Défibrillateurs pour les salles communales",
        "subtype": "purchase",
        "place": [TOWNS[siren]],
        "cpv": ["33182100"],
        "amounts": [{"value": 40000, "kind": "estimate", "tax": "excluded"}],
        "window": {"from": "2027-02-01", "to": "2027-05-31"},
        "visibility": "public",
        **changes,
    }
    return event(kind="need", id=f"dae-{siren}", source=f"urn:siren:{siren}", subject="DAE-2027",
                 data=data)  # fmt: skip


def erasure(siren: str) -> dict[str, Any]:
    return event("withdrawn", kind="need", id=f"gone-{siren}", source=f"urn:siren:{siren}",
                 subject="DAE-2027", time="2026-11-22T10:00:00+01:00",
                 data={"reason": "erasure"})  # fmt: skip


def asked(journey: Journey, **parameters: str) -> list[dict[str, Any]]:
    """What anybody reads at GET /v1/groupings."""
    settings = SearchSettings(kafka=journey.kafka)
    client = AsyncElasticsearch(journey.elasticsearch)
    with TestClient(create_app(settings, client=client)) as http:
        answer = http.get("/v1/groupings", params={"as_of": "2026-12-01", **parameters})
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return items


def word(step: str, siren: str, grouping: str, day: int) -> dict[str, Any]:
    """What a town says of the grouping that its need is in."""
    record = {"source": f"urn:siren:{siren}", "subject": "DAE-2027"}
    return event(step, kind="grouping", id=f"{step}-{siren}", source=f"urn:siren:{siren}",
                 subject=f"mutualiser-{grouping}", time=f"2026-11-{day}T10:00:00+01:00",
                 data={"grouping": grouping, "record": record})  # fmt: skip


def test_two_neighbours_are_told_of_each_other_and_a_hidden_third_is_not(
    flowing: Journey,
) -> None:
    """The grouping comes with its sum and the threshold that it crosses, both needs show the other,
    a need for buyers only shows nowhere to the public. Members say what they want of it, whoever
    links then and by whatever model; an erasure ends it all, and leaves nothing."""
    gardanne, aix = need("211300413"), need("211300017")
    hidden = need("211300553", visibility="buyers")
    flowing.publish(gardanne, aix, hidden)
    (grouping,) = asked(flowing, territory="dep:13", cpv="33182100")
    assert grouping["owners"] == 2
    assert grouping["total"] == 80_000
    assert grouping["threshold"]["amount"] == 60_000
    assert {member["siren"] for member in grouping["members"]} == {"211300413", "211300017"}
    assert "211300553" not in str(grouping)
    for mine, theirs in ((gardanne, aix), (aix, gardanne)):
        document = flowing.document(mine)
        assert document is not None
        (link,) = document["links"]
        assert link["type"] == "joint"
        other = flowing.document(theirs)
        assert other is not None
        assert link["id"] == other["id"]
    layers = {message.value for message in flowing.read(GROUPINGS) if message.value}
    assert any(b'"layer":"buyers"' in value and b"211300553" in value for value in layers)
    flowing.publish(
        word("interested", "211300413", grouping["id"], 23),
        word("convention", "211300017", grouping["id"], 24),
        word("deliberated", "211300017", grouping["id"], 25),
        word("constituted", "211300405", grouping["id"], 24),  # of a town that is no member
    )
    (told,) = asked(flowing, territory="dep:13", cpv="33182100", status="convention")
    assert (told["id"], told["interested"]) == (grouping["id"], 2)
    assert [(act["step"], act["on"]) for act in told["acts"]] == [
        ("convention", "2026-11-24"), ("deliberated", "2026-11-25"),
    ]  # fmt: skip
    before = groupings_by_model(flowing)
    assert before.keys() == {base_model().version}
    flowing.stop_step("index")
    learnt = train([], base=list(base_passages()), dimensions=48)
    learnt.save(flowing.home / "likeness.npz")
    flowing.start("index")  # knows nothing but the log, and what was learnt
    flowing.publish(event(id="other", subject="AUTRE-1"))
    assert groupings_by_model(flowing) == {learnt.version: before[base_model().version]}
    flowing.publish(erasure("211300017"))
    until(lambda: not asked(flowing, territory="dep:13", cpv="33182100"), "the grouping to end")
    document = flowing.document(gardanne)
    assert document is not None
    assert document["links"] == []
    assert prove(flowing.kafka, flowing.elasticsearch).sound


def groupings_by_model(journey: Journey) -> dict[str, list[tuple[Any, ...]]]:
    """The ids, states and members of what there is, by the model that proposed it."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for value in links_of(journey, GROUPINGS).values():
        one = orjson.loads(value)["grouping"]
        members = [(member["record"], member.get("stance")) for member in one["members"]]
        whole = (one["id"], one["state"], members, len(one["acts"]))
        found.setdefault(one["model"], []).append(whole)
    return {model: sorted(those) for model, those in found.items()}


def test_a_firm_and_a_call_are_told_of_each_other(flowing: Journey) -> None:
    """And what the chamber, which speaks for the firm, clicks on its page is in both documents."""
    firm = event(
        kind="need", id="firm-1", source="urn:siren:181300013", subject="ENT-1",
        data={
            "title": "Entreprise de désamiantage : trouver des chantiers publics",
            "subtype": "business", "on_behalf": "Une entreprise d'Aubagne", "place": ["dep:13"],
            "window": {"from": "2026-12-01", "to": "2027-12-31"}, "visibility": "public",
        },
    )  # fmt: skip
    call = event(id="c-amiante", subject="AMIANTE-1", source="urn:siren:211300405", data=call_data(
        title="Désamiantage et démolition du gymnase", description=None,
        cpv=["45262660"], url="https://exemple.fr/amiante", owner=None, place=["com:13040"],
        deadlines=[{"at": "2027-03-12T12:00"}]))  # fmt: skip
    flowing.publish(firm, call)
    for mine, role in ((firm, "need"), (call, "offer")):
        (link,) = links_between(flowing, mine)
        assert (link["role"], link["state"]) == (role, "proposed")
        assert "jusqu'au 12 mars 2027" in link["reason"]
    taking = Taking()
    with house(gateway=taking, elasticsearch=flowing.elasticsearch) as service:
        omar = service.client  # one event loop for all: the index is asked too
        assert sign_in(omar, "omar@cci.example").status_code == 303
        click(omar, "confirmed", firm, call)
        flowing.publish(*taking.events)
        assert links_between(flowing, call)[0]["state"] == "confirmed"
        service.clock.move(minutes=1)
        click(omar, "dismissed", firm, call)
        flowing.publish(taking.events[-1])
    # For the sides alone to see, and take back.
    for mine in (call, firm):
        (link,) = links_between(flowing, mine)
        assert link["state"] == "dismissed"
        assert [one["word"] for one in link["said"]] == ["dismissed"]
        item = item_of({"_source": flowing.document(mine)}, datetime.now(UTC), ANYBODY)
        assert [one for one in item["links"] if one["type"] == "answers"] == []


def click(browser: TestClient, word: str, mine: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Say it of a link, as the buttons of its page do; the gateway gets it."""
    ids = [opportunity_id(one["source"], one["subject"]) for one in (mine, theirs)]
    form = {"jeton": token_of(browser.get("/compte")), "dossier": ids[0], "avec": ids[1]}
    sent = browser.post("/lien", data={**form, "mot": word})
    assert sent.status_code == 303, sent.text
    assert sent.headers["location"].startswith("/lien/dit?"), sent.headers["location"]


def links_between(journey: Journey, whole: dict[str, Any]) -> list[dict[str, Any]]:
    document = journey.document(whole)
    assert document is not None
    return [one for one in document["links"] if one["type"] == "answers"]
