"""`traverse check`: what it says, and its exit code. What it compares is shown on real engines
(`tests/journey/test_erasure.py`)."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from traverse_infra.check import compare as comparing
from traverse_infra.check import erased
from traverse_infra.check.compare import Report
from traverse_infra.check.erased import Proof
from traverse_infra.check.ledger import Sum
from traverse_infra.commands.tree import build


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAVERSE_HOME", str(tmp_path))


def told(*options: str) -> tuple[int, str]:
    found = CliRunner().invoke(build(), ["check", *options])
    return found.exit_code, found.stdout


@pytest.mark.parametrize(("differing", "code"), [({}, 0), ({"aix": 3}, 1)])
def test_what_differs_is_said_by_institution_and_by_the_exit_code(
    differing: dict[str, int], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sums = [Sum("aix", 10, "a", 10 - len(differing), "b" if differing else "a")]
    asked: list[bool] = []

    def compare(*_: Any, repair: bool) -> Report:
        asked.append(repair)
        return Report(sums, differing, [], 0, [])

    monkeypatch.setattr(comparing, "compare", compare)
    found, text = told()
    assert found == code
    assert ("aix : 10 au journal" in text) == bool(differing)
    assert ("disent la même chose" in text) != bool(differing)
    found, text = told("--json")
    assert (found, json.loads(text)["sound"]) == (code, not differing)
    told("--repair")
    assert asked == [False, False, True]


def test_what_was_erased_is_proved_with_the_day_on_which_the_last_copy_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proof = Proof(2)
    monkeypatch.setattr(erased, "prove", lambda *_: proof)
    assert told("--purged")[0] == 0
    proof.gone_by = datetime(2026, 12, 4, 12, tzinfo=UTC)
    proof.waiting = {"traverse.accepted": 3}
    assert "04/12/2026 à 12:00" in told("--purged")[1]
    proof.found = ["index public, dossier x"]
    code, text = told("--purged")
    assert code == 1
    assert "index public, dossier x" in text
