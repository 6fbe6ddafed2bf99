"""A search in a real Chromium: narrowed, put on a map, followed; a record is read."""

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import (
    BrowserContext,
    expect,
)

from tests.search_api.pages.browser.looking import fits, look
from tests.search_api.pages.town import Town

pytestmark = pytest.mark.engines


def test_a_search_is_narrowed_and_a_record_read(context: BrowserContext) -> None:
    page = context.new_page()
    look(page, "/")
    page.get_by_label("Chercher un projet").fill("voirie")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("résultat")
    page.get_by_role("link", name=re.compile("Belle-de-Mai")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Belle-de-Mai")
    expect(page.get_by_role("main")).to_contain_text("clôture dans 5 jours".capitalize())
    page.get_by_role("link", name="Traverse", exact=False).first.click()


def test_a_map_leads_from_a_region_to_a_town_and_out_again(context: BrowserContext) -> None:
    page = context.new_page()
    look(page, "/")
    # All of it lies in one région: it is in view at once, by départements.
    found = page.get_by_role("region", name="Carte : Provence-Alpes-Côte d'Azur")
    found.get_by_role("link", name="Bouches-du-Rhône : ").click()
    found = page.get_by_role("region", name="Carte : Bouches-du-Rhône")
    found.scroll_into_view_if_needed()
    drawing = found.locator(".drawing img")
    expect(drawing).to_have_js_property("complete", True)
    assert drawing.evaluate("drawing => drawing.naturalWidth") > 0
    town = found.get_by_role("link", name="Aubagne : ")
    count = re.search(r"\d+", town.get_attribute("aria-label") or "")
    assert count is not None
    # By keyboard alone.
    town.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"{count[0]} résultat")
    found = page.get_by_role("region", name="Carte : ")
    expect(found.get_by_role("link", name="Aubagne : ")).to_have_attribute("aria-current", "true")
    found.get_by_role("link", name="Élargir la carte : France").click()
    expect(page.get_by_role("region", name="Carte : Provence-Alpes-Côte d'Azur")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator("#carte")).to_be_hidden()


def test_a_search_is_followed_paused_and_let_go(context: BrowserContext) -> None:
    page = context.new_page()
    look(page, "/?q=benne")
    page.get_by_role("button", name="M’alerter").click()
    expect(page.get_by_role("status")).to_contain_text("Cette alerte aurait donné 9 résultats")
    main = page.get_by_role("main")
    main.get_by_label("Nom").fill("Les bennes")
    main.get_by_label("M’écrire").select_option("weekly")
    main.get_by_role("button", name="Enregistrer").click()
    expect(main.get_by_role("link", name="Les bennes", exact=True)).to_be_visible()
    expect(main).to_contain_text("une fois par semaine")
    main.get_by_role("button", name="Mettre en pause").click()
    expect(main).to_contain_text("en pause")
    main.get_by_role("link", name="Supprimer l’alerte « Les bennes »").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Supprimer cette alerte ?")
    main.get_by_role("link", name="Ne rien changer").click()
    main.get_by_role("link", name="Supprimer l’alerte « Les bennes »").click()
    main.get_by_role("button", name="Supprimer l’alerte").click()
    expect(page.get_by_role("status")).to_have_text("L’alerte est supprimée.")
    expect(main).to_contain_text("Aucune alerte")


def test_a_search_is_taken_away_as_a_file(context: BrowserContext, running: Town) -> None:
    """With what its reader may read: a member's has what is for buyers; that of nobody, and the
    feed that programs find by themselves, have what is public."""
    hidden, public = "Papier pour les mairies", "Bornes de recharge"
    page = context.new_page()
    files = page.locator("summary").filter(has_text="Télécharger")
    table = page.get_by_role("link", name="Tableau (CSV)")

    def taken() -> str:
        # By keyboard alone.
        files.focus()
        page.keyboard.press("Enter")
        fits(page)
        table.focus()
        with page.expect_download() as file:
            page.keyboard.press("Enter")
        assert file.value.suggested_filename == "traverse.csv"
        return Path(file.value.path()).read_text(encoding="utf-8")

    look(page, "/?kind=need")
    told = taken()
    assert hidden in told and public in told
    feed = page.locator("link[type='application/atom+xml']").get_attribute("href")
    told = httpx.get(f"{running.address}{feed}").text
    assert hidden not in told and public in told
    # The session ends while the page is open.
    context.clear_cookies()
    table.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Se connecter")
    look(page, "/?kind=need")
    told = taken()
    assert hidden not in told and public in told
