"""What is proposed to an institution, as who follows its needs is told."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.documents import document
from tests.search_api.accounts.people import CHAMBER, MARSEILLE
from traverse_search_api.access.reader import ANYBODY, Reader
from traverse_search_api.alerts.digest import sentence
from traverse_search_api.alerts.ledger import Alert, Batch, Ledger
from traverse_search_api.alerts.proposed import proposed_to
from traverse_search_api.alerts.subscription import AlertKind

NOW = datetime(2026, 3, 12, 10, tzinfo=UTC)
BUYER = Reader(MARSEILLE, buyer=True)


def link(kind: str = "joint", audience: str = "buyers", **fields: Any) -> dict[str, Any]:
    return {"type": kind, "id": "other", "score": 0.9, "audience": audience, "state": "proposed",
            "until": "2026-05-31", **fields}  # fmt: skip


@pytest.mark.parametrize(
    ("said", "reader", "told"),
    [
        (link(), BUYER, {"joint other": "joint"}),
        (link("answers", role="need"), BUYER, {"answers other": "answers"}),
        (link("answers", role="offer"), BUYER, {}),
        (link("same"), BUYER, {}),
        (link(audience=f"restricted:{MARSEILLE},{CHAMBER}"), BUYER, {"joint other": "joint"}),
        (link(audience=f"restricted:{CHAMBER}"), BUYER, {}),
        (link(), Reader(MARSEILLE), {}),
        (link(audience="public"), Reader(CHAMBER), {}),
        (link(audience="public"), ANYBODY, {}),
        (link(state="dismissed"), BUYER, {}),
        (link(state="confirmed"), BUYER, {}),
        (link(until="2026-03-11"), BUYER, {}),
    ],
)
def test_its_owner_is_told_of_what_it_may_read_and_nobody_spoke_of(
    said: dict[str, Any], reader: Reader, told: dict[str, str]
) -> None:
    assert proposed_to(document("p", "Défibrillateurs", links=[said]), reader, NOW) == told


def test_an_alert_says_what_is_proposed() -> None:
    alert = Alert("i", "s", "o", AlertKind.PROPOSED, ("answers", "joint"), (), 0.0)
    assert sentence(alert, document("p", "Défibrillateurs")) == (
        "Proposé à votre institution (réponse possible, achat à mutualiser) : Défibrillateurs"
        " — Ville de Marseille"
    )


def test_what_was_proposed_is_remembered_as_long_as_the_thing_is_there(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "notify.sqlite")
    rows = [("need", "joint x", "sub"), ("need", "joint y", "sub"), ("other", "joint x", "gone")]
    for _ in range(2):
        ledger.write(Batch({}, {}, (), (), proposed=rows))
    assert ledger.proposed(["need"]) == {("need", "sub"): {"joint x", "joint y"}}
    ledger.forget(["sub"], 0.0)
    assert ledger.proposed(["other"]) == {}
    ledger.write(Batch({}, {}, (), (), lost=["need"]))
    assert ledger.proposed(["need"]) == {}
    ledger.close()
