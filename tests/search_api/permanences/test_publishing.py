"""Who publishes for an institution hands in its calendar, by the page or with a key; nobody does
for another."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from tests.schemas.memory_log import MemoryTopic
from tests.search_api.accounts.people import (
    CHAMBER,
    INSTITUTIONS,
    MARSEILLE,
    NOW,
    House,
    house,
    token_of,
)
from tests.search_api.permanences.publishing import WEEKLY, calendar, event
from traverse_infra.engines.waiting import wait_until
from traverse_schemas.registry.api_keys import new_api_key
from traverse_schemas.registry.institutions import Role, Scope
from traverse_search_api.accounts.forms import MOST_OCTETS as MOST_OF_FIELDS
from traverse_search_api.permanences.calendar import MOST_OCTETS
from traverse_search_api.permanences.published import decode_calendar

PAGE, OUT = "/mon-institution/permanences", "/mon-institution/permanences/retrait"
READER, PUBLISHER = "lea@marseille.example", "paul@marseille.example"
CALENDAR = {"Content-Type": "text/calendar; charset=utf-8"}

KEYS = {
    "publish": new_api_key([Scope.PUBLISH], NOW),
    "administer": new_api_key([Scope.ADMINISTER], NOW),
    "read": new_api_key([Scope.READ], NOW),
    "other": new_api_key([Scope.PUBLISH, Scope.READ, Scope.ADMINISTER], NOW),
}
MEMBERS = (
    INSTITUTIONS[0].model_copy(
        update={
            "roles": frozenset({Role.BUYER, Role.ADMINISTRATOR}),
            "api_keys": tuple(KEYS[name].key for name in ("publish", "administer", "read")),
        }
    ),
    INSTITUTIONS[1].model_copy(
        update={
            "roles": frozenset({Role.ADMINISTRATOR}),
            "api_keys": (KEYS["other"].key,),
        }
    ),
)


@pytest.fixture
def topic() -> MemoryTopic:
    return MemoryTopic()


@pytest.fixture
def town(topic: MemoryTopic) -> Iterator[House]:
    with house(calendars=topic, institutions=MEMBERS, as_of="2026-03-12T10:00:00Z") as made:
        yield made


def hand_in(browser: TestClient, octets: bytes, token: str | None = None) -> object:
    """Fill in the page and send it."""
    token = token_of(browser.get(PAGE)) if token is None else token
    return browser.post(
        PAGE, data={"jeton": token}, files={"fichier": ("agenda.ics", octets, "text/calendar")}
    )


def authorised(name: str, **headers: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {KEYS[name].secret}", **headers}


def test_a_publisher_publishes_replaces_and_takes_away(town: House, topic: MemoryTopic) -> None:
    paul = town.signed_in(PUBLISHER)
    assert "Rien encore" in paul.get(PAGE).text
    sent = hand_in(paul, calendar(WEEKLY, event("p", "SUMMARY:Secret", "CLASS:PRIVATE")))
    assert sent.headers["location"] == f"{PAGE}?fait=publie"  # type: ignore[attr-defined]
    (message,) = topic.messages
    assert message.key == MARSEILLE and message.value is not None
    assert "Anne" not in message.value.decode() and "Secret" not in message.value.decode()
    assert town.audit.events[-1]["type"] == "fr.traverse.staff.permanences_published.v1"
    page = paul.get(f"{PAGE}?fait=publie").text
    assert "Créer son entreprise" in page and "mardi 17 mars 2026" in page.replace("\u00a0", " ")
    assert "1 événement lu, 1 laissé de côté" in page
    # Everybody near reads it.
    visitor = town.visitor()
    assert wait_until(
        lambda: "Créer son entreprise" in visitor.get("/visite.ics?lieu=Aubagne").text, timeout=60
    )

    # A file that is none changes nothing, and is told where it was chosen.
    for octets, sentence in (
        (b"<script>alert(1)</script>", "pas un calendrier lisible"),
        (b"", "Choisissez un fichier"),
        (calendar(WEEKLY) + b" " * MOST_OCTETS, "dépasse 512 Kio"),
    ):
        refused = hand_in(paul, octets)
        assert refused.status_code == 422  # type: ignore[attr-defined]
        assert sentence in refused.text  # type: ignore[attr-defined]
        assert "<script>" not in refused.text  # type: ignore[attr-defined]
    huge = hand_in(paul, b" " * (MOST_OCTETS + MOST_OF_FIELDS + 1))
    assert huge.status_code == 413  # type: ignore[attr-defined]
    assert len(topic.messages) == 1

    hand_in(paul, calendar(event("x", "SUMMARY:Autre", start="20260320T090000Z")))
    page = paul.get(PAGE).text
    assert "Autre" in page and "Créer" not in page
    token = token_of(paul.get(PAGE))
    assert paul.post(OUT, data={"jeton": token}).headers["location"] == f"{PAGE}?fait=retire"
    assert topic.messages[-1].value is None
    assert town.audit.deeds[-1] == "permanences_removed"
    assert "Rien encore" in paul.get(PAGE).text
    assert wait_until(
        lambda: "SUMMARY" not in visitor.get("/visite.ics?lieu=Aubagne").text, timeout=60
    )
    # While the log is away nothing is said to be done.
    topic.away = True
    assert hand_in(paul, calendar(WEEKLY), token).status_code == 503  # type: ignore[attr-defined]


def test_nobody_else_does(town: House, topic: MemoryTopic) -> None:
    """Another role, another site, no token, nobody; and a neighbour's page is the neighbour's."""
    paul, octets = town.signed_in(PUBLISHER), calendar(WEEKLY)
    token = token_of(paul.get(PAGE))
    for wrong in ("", "faux"):
        assert hand_in(paul, octets, wrong).status_code == 403  # type: ignore[attr-defined]
    file = {"fichier": ("agenda.ics", octets, "text/calendar")}
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    sent = paul.post(PAGE, data={"jeton": token}, files=file, headers=elsewhere)
    assert sent.status_code == 403
    for body in (
        b"--x\r\n",
        b"--x\r\nContent-Disposition: form-data\r\n\r\n\r\n--x--\r\n",
        b"\xff",
    ):
        for kind in ("multipart/form-data; boundary=x", "multipart/form-data", "text/plain"):
            broken = paul.post(PAGE, content=body, headers={"Content-Type": kind})
            assert broken.status_code in (403, 413), (kind, body)
    lea = town.signed_in(READER)
    assert lea.get(PAGE).status_code == 403
    token = token_of(lea.get("/compte"))
    assert hand_in(lea, octets, token).status_code == 403  # type: ignore[attr-defined]
    assert lea.post(OUT, data={"jeton": token}).status_code == 403
    assert town.visitor().get(PAGE).status_code == 303
    assert topic.messages == []
    hand_in(paul, octets)
    omar = town.signed_in("omar@cci.example")
    assert "Rien encore" in omar.get(PAGE).text
    omar.post(OUT, data={"jeton": token_of(omar.get(PAGE))})
    hand_in(omar, octets)
    assert [one.key for one in topic.messages] == [MARSEILLE, CHAMBER]


@pytest.mark.parametrize("name", ["publish", "administer"])
def test_a_key_of_the_institution_does_the_same(town: House, topic: MemoryTopic, name: str) -> None:
    program, address = town.visitor(), f"/v1/permanences/{MARSEILLE}"
    key = authorised(name)
    assert program.get(address, headers=key).status_code == 404
    sent = program.put(address, content=calendar(WEEKLY), headers={**key, **CALENDAR})
    assert sent.status_code == 200, sent.text
    assert (sent.json()["siren"], sent.json()["told"], sent.json()["left_out"]) == (MARSEILLE, 1, 0)
    assert town.audit.events[-1]["subject"] == f"api-key:{KEYS[name].key.id}"
    read = program.get(address, headers=key)
    assert read.headers["content-type"] == "text/calendar; charset=utf-8"
    assert "Créer son entreprise" in read.text and "Anne" not in read.text
    for octets, kind, status in (
        (b"abc", "text/calendar", 422),
        (b" " * (MOST_OCTETS + 1), "text/calendar", 413),
        (calendar(WEEKLY), "application/json", 422),
    ):
        refused = program.put(address, content=octets, headers={**key, "Content-Type": kind})
        assert refused.status_code == status
        assert refused.headers["content-type"] == "application/problem+json"
    assert program.delete(address, headers=key).status_code == 204
    assert program.delete(address, headers=key).status_code == 204
    assert [one.value is None for one in topic.messages] == [False, True]
    row = decode_calendar(topic.messages[0].value or b"")
    assert row.told == 1


def test_no_key_reaches_the_calendar_of_another(town: House, topic: MemoryTopic) -> None:
    """IDOR: whoever administers the registry neither; a key that may only read neither; who has
    signed in has no key; and nothing tells who is a member."""
    program, octets = town.visitor(), calendar(WEEKLY)
    address = f"/v1/permanences/{MARSEILLE}"
    program.put(address, content=octets, headers=authorised("publish", **CALENDAR))
    sentences = set()
    for name, siren in (("other", MARSEILLE), ("read", MARSEILLE), ("other", "200054807")):
        path = f"/v1/permanences/{siren}"
        for answer in (
            program.get(path, headers=authorised(name)),
            program.put(path, content=octets, headers=authorised(name, **CALENDAR)),
            program.delete(path, headers=authorised(name)),
        ):
            assert answer.status_code == 403
            sentences.add(answer.json()["detail"])
    assert len(sentences) == 1
    paul = town.signed_in(PUBLISHER)
    for headers in ({}, {"Authorization": "Bearer trv_faux"}, {"Authorization": "Basic eDp5"}):
        assert paul.delete(address, headers=headers).status_code == 401
    assert [one.key for one in topic.messages] == [MARSEILLE]
