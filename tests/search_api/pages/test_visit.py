"""What a sheet says where a trade or a theme finds nothing, without a server."""

import pytest

from traverse_search_api.pages.typed_place import PlaceChoice
from traverse_search_api.pages.visit.routes import empty_sentence, wider_ways

APT = PlaceChoice("com:84003", "Apt (84)")


@pytest.mark.parametrize(
    ("trade", "theme", "said"),
    [
        ("", "", "Aucun projet annoncé."),
        ("maçonnerie", "", "Aucun projet annoncé pour le métier « maçonnerie »."),
        ("", "energie", "Aucun projet annoncé pour le thème « Énergie et climat »."),
        (
            "maçonnerie",
            "energie",
            "Aucun projet annoncé pour le métier « maçonnerie » et le thème « Énergie et climat ».",
        ),
    ],
)
def test_what_is_not_there_for_a_trade_is_not_said_of_the_whole_place(
    trade: str, theme: str, said: str
) -> None:
    assert empty_sentence("Aucun projet annoncé.", trade, theme) == said


@pytest.mark.parametrize(
    ("trade", "theme", "ways"),
    [
        ("", "", []),
        ("maçonnerie", "", [("sans le métier", "/visite?lieu=com%3A84003&as_of=2026-03-12")]),
        ("", "energie", [("sans le thème", "/visite?lieu=com%3A84003&as_of=2026-03-12")]),
        (
            "traiteur",
            "energie",
            [
                ("sans le métier", "/visite?lieu=com%3A84003&theme=energie&as_of=2026-03-12"),
                ("sans le thème", "/visite?lieu=com%3A84003&metier=traiteur&as_of=2026-03-12"),
                ("sans l’un ni l’autre", "/visite?lieu=com%3A84003&as_of=2026-03-12"),
            ],
        ),
    ],
)
def test_an_empty_sheet_leads_to_those_that_leave_less_out(
    trade: str, theme: str, ways: list[tuple[str, str]]
) -> None:
    assert wider_ways(APT, trade, theme, "2026-03-12") == ways
