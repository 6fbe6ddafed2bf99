"""« Mutualiser »: every grouping is reached, and who could join one finds it there."""

import re
from html import unescape
from typing import Any

import pytest

from tests.search_api.accounts.people import MARSEILLE, Taking, house
from tests.search_api.test_groupings import row
from traverse_search_api.grouping_table import GroupingTable

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
