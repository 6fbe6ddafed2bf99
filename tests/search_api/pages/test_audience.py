"""Who else reads a record is said in words, and no more of it than its reader may know."""

import pytest

from traverse_search_api.pages.audience import seen_by

TOWN, CHAMBER, PORT = "211300553", "181300013", "775558778"
NAMES = {TOWN: "Ville de Marseille", CHAMBER: "CCI Aix-Marseille-Provence", PORT: "Le port"}


def told(visibility: str, reader: str, audience: list[str], *sources: str) -> str:
    held = {
        "visibility": visibility,
        "audience": audience,
        "sources": [{"source": f"urn:siren:{one}:si"} for one in sources],
    }
    return seen_by(held, reader, NAMES.__getitem__)


@pytest.mark.parametrize(
    ("visibility", "words"),
    [
        ("public", "Visible de tous"),
        ("members", "Visible des institutions membres"),
        ("buyers", "Visible des acheteurs"),
    ],
)
def test_an_audience_is_said_in_plain_french(visibility: str, words: str) -> None:
    assert told(visibility, TOWN, [], TOWN).startswith(words)


def test_who_published_reads_whom_it_chose() -> None:
    said = told("restricted", TOWN, [TOWN, CHAMBER, PORT], TOWN)
    assert said == "Visible de vous et de CCI Aix-Marseille-Provence, Le port."
    assert told("restricted", TOWN, [TOWN], TOWN) == "Visible de vous seulement."


@pytest.mark.parametrize("sources", [(TOWN,), (TOWN, CHAMBER)])
def test_whom_else_it_was_sent_to_is_told_to_nobody_else(sources: tuple[str, ...]) -> None:
    said = told("restricted", CHAMBER, [TOWN, CHAMBER, PORT], *sources)
    assert said.startswith("Visible de vous, de Ville de Marseille et des destinataires choisis")
    assert "port" not in said
