"""The pages that tell somebody what they just said: shown to nobody else, whatever the address."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient

from tests.documents import document
from tests.search_api.accounts.people import MARSEILLE, House, Taking, house, token_of, words_of
from traverse_schemas.log.identity import opportunity_id
from traverse_search_api.pages.groupings import routes as grouping_routes
from traverse_search_api.pages.links import routes as link_routes

PAUL, INES = "paul@marseille.example", "ines@marseille.example"
GROUPING = "besoins-0123456789abcdef"


def record(subject: str) -> dict[str, Any]:
    source = f"urn:siren:{MARSEILLE}"
    sources = [{"source": source, "subject": subject, "updated_at": "2026-03-01"}]
    return document("x", subject, sources=sources) | {"id": opportunity_id(source, subject)}


RECORDS = {one["id"]: one for one in map(record, ("N1", "V1"))}
NEED, CALL = RECORDS


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    async def standing(_: object, identifier: str) -> dict[str, Any]:
        return RECORDS[identifier]

    async def named(*_: object) -> dict[str, str]:
        return {"source": f"urn:siren:{MARSEILLE}", "subject": "N1"}

    monkeypatch.setattr(link_routes, "_standing", standing)
    monkeypatch.setattr(grouping_routes, "_record", named)
    with house(gateway=Taking()) as made:
        yield made


def answer(browser: TestClient, address: str, **form: str) -> str:
    """Say it; the address of the page that tells so."""
    token = token_of(browser.get("/compte"))
    sent = browser.post(address, data={"jeton": token, "dossier": NEED, **form})
    assert sent.status_code == 303, sent.text
    return str(sent.headers["location"])


def test_what_was_said_of_a_link_is_told_to_who_said_it(town: House) -> None:
    paul = town.signed_in(PAUL)
    told = answer(paul, "/lien", avec=CALL, mot="confirmed")
    page = paul.get(told)
    assert page.status_code == 200
    assert "« Cela répond à notre besoin » est dit au nom de Ville de Marseille" in words_of(page)
    assert "Reprendre cette réponse" in page.text
    back = answer(paul, "/lien", avec=CALL, mot="withdrawn", sujet="reponse")
    assert "« Réponse reprise » est dit" in words_of(paul.get(back))
    # An address that anybody wrote, one that was changed, and one of somebody else's.
    bare = urlencode({"dossier": NEED, "avec": CALL, "mot": "confirmed", "sujet": "reponse"})
    ines, again = town.signed_in(INES), town.signed_in(PAUL)
    for browser, address in (
        (paul, f"/lien/dit?{bare}"),
        (paul, f"/lien/dit?{bare}&marque=%C3%A9"),
        (paul, f"/lien/dit?{bare}&marque={token_of(paul.get('/compte'))}"),
        (paul, told.replace("confirmed", "dismissed")),
        (paul, told.replace(CALL, "z" * 16)),
        (ines, told),
        (again, told),
    ):
        other = browser.get(address)
        assert (other.status_code, other.headers["location"]) == (303, "/mon-institution#liens")


def test_so_it_is_of_what_was_said_of_a_grouping(town: House) -> None:
    paul = town.signed_in(PAUL)
    told = answer(paul, f"/mutualiser/{GROUPING}", mot="withdrawn")
    assert "« Réponse reprise » est dit" in words_of(paul.get(told))
    for browser, address in (
        (paul, f"/mutualiser/{GROUPING}/reponse?dossier={NEED}&mot=interested"),
        (paul, told.replace("withdrawn", "interested")),
        (paul, told.replace(GROUPING, f"{GROUPING}0")),
        (town.signed_in(INES), told),
    ):
        other = browser.get(address)
        assert (other.status_code, other.headers["location"]) == (303, "/mutualiser")
