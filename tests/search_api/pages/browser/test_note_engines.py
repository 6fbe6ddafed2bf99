"""The note of a week in a real Chromium: from each figure to what it counts, on two sheets."""

import re
from datetime import date

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    expect,
)

from tests.search_api.pages.browser.looking import look
from tests.search_api.pages.browser.printing import printed_pages, rendered
from traverse_search_api.pages.note.lists import Line as NoteLine
from traverse_search_api.pages.note.view import LINES, ROWS, Cell, Figure, NoteView, Row
from traverse_search_api.pages.note.week import Week
from traverse_search_api.pages.typed_place import PlaceChoice

pytestmark = pytest.mark.engines


def test_the_note_of_a_week_leads_from_each_figure_to_what_it_counts(
    context: BrowserContext,
) -> None:
    page = context.new_page()
    look(page, "/note")
    heading, main = page.get_by_role("heading", level=1), page.get_by_role("main")
    expect(heading).to_have_text("Note du comité stratégique : Marseille (13)")
    expect(main).to_contain_text("Semaine du 2 au 8 mars 2026")
    # What answers a need was published that week.
    expect(main).to_contain_text("Réponse possible : Réfection de la voirie")
    look(page, "/note?lieu=Aubagne")
    figure = page.locator(".figures div").filter(has_text="sans aucune réponse").get_by_role("link")
    counted = figure.inner_text()
    figure.click()
    expect(heading).to_have_text("Besoins sans aucune réponse")
    expect(page.locator("main li")).to_have_count(int(counted))
    page.get_by_role("link", name="Retour à la note").click()
    waiting = page.get_by_role("row", name=re.compile("Déchets")).get_by_role("link").first
    counted = waiting.inner_text()
    waiting.click()
    expect(heading).to_have_text(f"{counted} résultats")
    context.clear_cookies()
    page.goto("/note")
    expect(heading).to_have_text("Se connecter")


def test_a_note_fits_on_two_printed_pages(browser: Browser) -> None:
    """However much there is, and however long its titles."""
    line = NoteLine(
        "Réfection de la voirie et de ses dépendances, " * 3,
        "/fiche/x",
        "Besoin · Y",
        "dit par 3 institutions; " * 3,
    )
    cells = [Cell("1 204", "/"), Cell("12", "/")]
    row = Row("Transition énergétique et climat", cells, "Communauté de communes (12)")
    figure = Figure("Réponses possibles parues", "1 204", "/")
    view = NoteView(
        figures=[figure] * 7,
        themes=[row] * ROWS,
        places=[row._replace(cells=cells[:1])] * ROWS,
        pains=[line] * LINES,
        more_pains="12",
        pains_address="/",
        endings=[figure] * 5,
        answered=[line] * LINES,
        grouped=[line] * LINES,
        grew=[row._replace(word="+1 204,25")] * (ROWS + 3),
        weeks=[row._replace(cells=cells[:1])] * 4,
        coming=[line] * LINES,
        missing="",
        cut="Les réponses possibles sont cherchées parmi les 2 000 besoins les plus récents.",
    )
    week = Week.of(date(2026, 3, 2))
    made = rendered(
        "/note", "note.html", typed="Aubagne", choices=[PlaceChoice("com:13005", "Aubagne (13)")],
        place="Aubagne (13)", week=week, weeks=[], under_way=False, before="/", after="/",
        as_of="", code="com:13005", day="12 mars 2026", view=view,
    )  # fmt: skip
    assert printed_pages(browser, made) == 2
