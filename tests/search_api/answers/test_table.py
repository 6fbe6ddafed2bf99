"""The table reads well in French, narrow and wide."""

from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from tests.documents import deadline, document
from traverse_search_api.access.reader import ANYBODY
from traverse_search_api.answers.items import item_of
from traverse_search_api.answers.table import results_table, total_line
from traverse_search_api.deadlines import deadline_text

NOW = datetime(2026, 3, 12, 10, tzinfo=UTC)


def answer(value: int = 1, *, exact: bool = True, title: str = "Rénovation [b]") -> dict[str, Any]:
    made = document("1", title, deadline=deadline("2026-03-14T11:00:00.000000Z"))
    item = item_of({"_source": made}, NOW, ANYBODY)
    return {"total": {"value": value, "exact": exact}, "items": [item] if value else []}


@pytest.mark.parametrize("width", [80, 120])
def test_all_that_matters_is_in_the_table(width: int) -> None:
    """Type, title, institution, place, status and deadline at both usual widths, none cut off;
    what looks like markup is shown as text."""
    console = Console(width=width, record=True, file=StringIO())
    console.print(results_table(answer(), width=width))
    text = console.export_text()
    for words in ("Marché public", "Rénovation [b]", "Ville de Marseille", "imminente",
                  "14/03/2026", "Échéance", "1 résultat"):  # fmt: skip
        assert words in text
    assert max(map(len, text.splitlines())) <= width
    assert ("Institution" in text) == (width == 120)


@pytest.mark.parametrize(
    ("value", "exact", "line"),
    [
        (1, True, "1 résultat"),
        (1204, True, "1 résultat sur 1 204"),
        (100_000, False, "1 résultat sur plus de 100 000"),
    ],
)
def test_the_total_is_said_in_words(value: int, exact: bool, line: str) -> None:
    """And is honest about what was not counted."""
    assert total_line(answer(value, exact=exact)) == line


def test_nothing_found_is_said() -> None:
    """An empty table would look like a failure."""
    assert "Aucun résultat" in str(results_table(answer(0), width=80))


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (None, "—"),
        (deadline("2026-03-12T11:00:00.000000Z"), "12/03/2026 12:00"),
        (deadline("2026-03-12T23:00:00.000000Z", "day"), "12/03/2026 (heure à vérifier)"),
        (deadline("2026-03-12T11:00:00.000000Z") | {"zone": "Indian/Reunion"}, "12/03/2026 15:00"),
        (deadline("2026-03-12T11:00:00.000000Z") | {"zone": "Nowhere/No"}, "12/03/2026 12:00"),
    ],
)
def test_a_deadline_is_in_the_buyers_zone(given: dict[str, str] | None, text: str) -> None:
    """A bare date is its last day, "heure à vérifier"."""
    assert deadline_text(given) == text
