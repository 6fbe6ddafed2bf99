"""« Mutualiser »: every grouping is reached, and who could join one finds it there."""

import re
from html import unescape
from typing import Any

import pytest

from tests.search_api.accounts.people import MARSEILLE, Taking, house, token_of
from tests.search_api.groupings.test_groupings import row
from traverse_search_api.engines.elasticsearch_client import Index
from traverse_search_api.groupings.table import GroupingTable
from traverse_search_api.pages.groupings import routes as grouping_routes

LAYER, PAUL = "buyers", "paul@marseille.example"


def rows() -> dict[str, Any]:
    """47 groupings of others, and one that is signed and that Marseille could join."""
    mine = {
        "record": "m", "owner": "Ville de Marseille", "siren": MARSEILLE, "title": "Défibrillateur",
        "owner_kind": "commune", "territory": "Marseille", "window": {}, "renewal": False,
    }  # fmt: skip
    found = [
        row(
            f"g{number}",
            subject=f"Achat {number}",
            window={"to": f"2099-05-{1 + number % 28:02}"},
            layer=LAYER,
        )
        for number in range(47)
    ]
    found.append(
        row("ours", subject="Achat signé", state="constituted", others=[mine], layer=LAYER)
    )
    return {one["id"]: one for one in found}


def test_the_rest_follows_until_all_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GroupingTable, "rows", lambda *_: rows())
    seen: list[str] = []
    with house(gateway=Taking()) as made:
        paul = made.signed_in(PAUL)
        own = paul.get("/mutualiser").text
        assert re.findall(r"<h2>(.*?)</h2>", own) == ["Achat signé"]
        assert "Pourraient rejoindre" in own
        assert 'name="dossier" value="m"' in own
        assert "La suite" not in own
        address = "/mutualiser?toutes=oui"
        for count in (20, 20, 8):
            page = paul.get(address).text
            found = re.findall(r"<h2>(.*?)</h2>", page)
            assert len(found) == count
            seen += found
            following = re.search(r'<a href="(/mutualiser[^"]+)" rel="next">', page)
            address = unescape(following[1]) if following else ""
        assert not address
        assert len(set(seen)) == 48
        assert paul.get("/mutualiser?suite=autre").status_code == 400


NEW, OLD, ENDED = (f"0123abcd{letter * 16}" for letter in "abc")


def test_a_link_to_a_grouping_leads_to_it_wherever_it_went(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what is said where it was shown before is said of where it is."""

    async def named(*_: object) -> dict[str, str]:
        return {"source": f"urn:siren:{MARSEILLE}", "subject": "N1"}

    async def held(*_: object) -> list[dict[str, Any]]:
        return [{"id": "c" * 16, "stub": True}]

    mine = {
        "record": "m", "owner": "Ville de Marseille", "siren": MARSEILLE, "title": "Défibrillateur",
        "owner_kind": "commune", "territory": "Marseille", "window": {}, "renewal": False,
    }  # fmt: skip
    known = {NEW: row(NEW, others=[mine], layer=LAYER, window={"to": "2099-05-31"}),
             OLD: {"id": OLD, "layer": LAYER, "moved_to": NEW}}  # fmt: skip
    monkeypatch.setattr(GroupingTable, "rows", lambda *_: known)
    monkeypatch.setattr(grouping_routes, "_record", named)
    monkeypatch.setattr(Index, "held", held)
    taking = Taking()
    with house(gateway=taking) as made:
        paul = made.signed_in(PAUL)
        assert paul.get(f"/mutualiser/{OLD}").headers["location"] == f"/mutualiser/{NEW}"
        page = paul.get(f"/mutualiser/{NEW}")
        assert re.findall(r"<h2>(.*?)</h2>", page.text) == ["Défibrillateur"]
        form = {"jeton": token_of(page), "dossier": "m", "mot": "interested"}
        assert paul.post(f"/mutualiser/{OLD}", data=form).status_code == 303
        ended = paul.get(f"/mutualiser/{ENDED}")
        assert ended.status_code == 410
        assert f'href="/fiche/{"c" * 16}"' in ended.text
    assert [one["data"]["grouping"] for one in taking.events] == [NEW]
