"""A visit in a real Chromium: prepared, printed, read offline, and gone with its reader."""

import re
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    StorageState,
    expect,
)

from tests.search_api.pages.browser.looking import PHONE, look, no_fault
from tests.search_api.pages.browser.printing import printed_pages, rendered
from tests.search_api.pages.town import (
    PASSWORD,
    PUBLISHER,
    Town,
)
from traverse_search_api.pages.typed_place import PlaceChoice
from traverse_search_api.pages.visit.routes import MOST, MOST_PERMANENCES, PARTS, Line, Part
from traverse_search_api.permanences.near import PermanenceLine

pytestmark = pytest.mark.engines


def test_a_visit_and_a_territory_are_prepared(context: BrowserContext) -> None:
    page = context.new_page()
    look(page, "/visite")
    page.get_by_label("Où va-t-on ?").fill("Marseille")
    page.get_by_role("button", name="Préparer la fiche").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Fiche de visite : Marseille (13)")
    main = page.get_by_role("main")
    for text in ("Belle-de-Mai", "cantine de l’école", "Nettoyage de la plage", "Métropole d"):
        expect(main).to_contain_text(text)
    # Who is there for whom, and when, as an institution's own calendar says.
    expect(main).to_contain_text("mardi 17 mars 2026, de 9 h à 12 h")
    link = main.get_by_role("link", name="Toutes, dans mon agenda")
    file = context.request.get(link.get_attribute("href") or "")
    assert file.headers["content-type"].startswith("text/calendar")
    assert "Créer son entreprise (CCI Aix-Marseille-Provence)" in file.text()
    # A need that somebody can answer is not among those without an answer.
    expect(main).not_to_contain_text("Bornes de recharge")
    # A trade that finds nothing there leads to what there is without it.
    look(page, "/visite?lieu=Marseille&metier=koala")
    expect(main).to_contain_text("Rien d’ouvert en ce moment pour le métier « koala ».")
    main.get_by_role("link", name="sans le métier").click()
    expect(main).to_contain_text("Belle-de-Mai")
    look(page, "/tableau-de-bord?lieu=Aubagne")
    expect(page.get_by_role("heading", level=1)).to_have_text("Tableau de bord : Aubagne (13)")
    page.get_by_text("Les chiffres").first.click()
    page.get_by_role("table").get_by_role("link", name="Déchets").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("2 résultats")


def test_a_visit_fits_on_one_printed_page(browser: Browser) -> None:
    """However much there is, and however long its titles."""
    line = Line(
        address="/fiche/x",
        title="Travaux de réfection de la voirie communale et de ses dépendances, " * 3,
        owner="Communauté de communes du Pays des Sorgues et des Monts de Vaucluse",
        place="Aubagne",
        kind="Marché public",
        status="Ouvert",
        deadline="clôture dans 5 jours, le mardi 17 mars 2026 à 12 h",
        amount="120 000 €",
    )
    place = PlaceChoice("com:13005", "Aubagne (13)")
    view: dict[str, Any] = {
        "where": "Aubagne",
        "trade": "maçonnerie",
        "theme": "",
        "themes": [],
        "theme_label": "",
        "choices": [place],
        "place": place,
        "around": "Métropole d'Aix-Marseille-Provence",
        "wider": [],
        "parts": [Part("Besoins sans réponse", [line] * MOST, "12", "", "/?kind=need")]
        * len(PARTS),
        "permanences": [
            PermanenceLine(
                "mardi 17 mars 2026, de 9 h à 12 h",
                "puis 24 mars, 31 mars",
                "Créer, reprendre et transmettre une entreprise artisanale " * 3,
                "Chambre de commerce et d’industrie territoriale d’Aix-Marseille-Provence",
                "Maison de l’emploi, 1 rue Haute, 13400 Aubagne",
                "https://cci.example/",
            )
        ]
        * MOST_PERMANENCES,
        "more_permanences": 12,
        "calendar": "/visite.ics?lieu=Aubagne",
        "state": "12 mars 2026 à 11 h",
    }
    assert printed_pages(browser, rendered("/visite", "visit.html", **view)) == 1


def test_a_sheet_that_was_opened_is_read_without_a_network_until_its_reader_leaves(
    browser: Browser, running: Town
) -> None:
    sheet, kept, told = "/visite?lieu=Marseille&metier=papier", "#gardee", "#hors-ligne"
    context = browser.new_context(
        base_url=running.address, viewport={"width": PHONE, "height": 800}
    )
    page = context.new_page()
    heading, main = page.get_by_role("heading", level=1), page.get_by_role("main")
    page.goto(f"/connexion?vers={quote(sheet)}")
    page.get_by_label("Adresse électronique").fill(PUBLISHER)
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(main).to_contain_text("Papier pour les mairies")
    expect(page.locator(told)).to_be_hidden()
    expect(page.locator(kept)).to_be_visible()
    context.set_offline(True)
    page.goto(sheet)
    expect(page.locator(told)).to_have_text(
        re.compile("Consultée hors ligne, état du 12.mars 2026 à 11.h")
    )
    expect(main).to_contain_text("Papier pour les mairies")
    assert (
        page.evaluate("getComputedStyle(document.querySelector('#hors-ligne')).borderLeftWidth")
        == "4px"
    )
    no_fault(page)
    # What was not opened is not there; what was is named.
    page.goto("/visite?lieu=Aubagne")
    expect(heading).to_have_text("Fiches gardées sur cet appareil")
    no_fault(page)
    page.get_by_role("link", name="Marseille (13), état du").click()
    expect(main).to_contain_text("Papier pour les mairies")
    # Back on the network, the present state is shown.
    context.set_offline(False)
    page.goto(sheet)
    expect(page.locator(kept)).to_be_visible()
    expect(page.locator(told)).to_be_hidden()
    # When its time is over, it is as if it had never been kept.
    page.evaluate(
        """async (address) => {
            const cache = await caches.open("fiches-personnelles-1");
            const known = await cache.match(address), headers = new Headers(known.headers);
            headers.set("Traverse-Sheet-Until", "1");
            await cache.put(address, new Response(await known.text(), { headers }));
        }""",
        sheet,
    )
    context.set_offline(True)
    page.goto(sheet)
    expect(main).to_contain_text("Aucune fiche n’est gardée")
    context.set_offline(False)
    # Who signs out leaves nothing of theirs behind.
    page.goto(sheet)
    expect(page.locator(kept)).to_be_visible()
    assert "Papier" in kept_on(page)
    page.get_by_role("button", name="Se déconnecter").click()
    expect(page.get_by_role("link", name="Se connecter", exact=True)).to_be_visible()
    page.wait_for_function("caches.has('fiches-personnelles-1').then((there) => !there)")
    assert "Papier" not in kept_on(page)
    context.set_offline(True)
    page.goto(sheet)
    expect(heading).to_have_text("Fiches gardées sur cet appareil")
    expect(main).not_to_contain_text("Marseille")
    # What anybody may read is kept for anybody.
    context.set_offline(False)
    page.goto(sheet)
    expect(page.locator(kept)).to_be_visible()
    expect(main).not_to_contain_text("Papier pour les mairies")
    context.set_offline(True)
    page.goto(sheet)
    expect(page.locator(told)).to_be_visible()
    context.close()


def test_what_one_read_goes_when_nobody_or_somebody_else_is_there(
    browser: Browser, running: Town, signed_in: StorageState
) -> None:
    """A session that ended by itself, a cookie that was taken away: no sign-out was seen."""
    sheet = "/visite?lieu=Marseille&metier=papier"
    context = browser.new_context(base_url=running.address, storage_state=signed_in)
    page = context.new_page()
    page.goto(sheet)
    expect(page.locator("#gardee")).to_be_visible()
    assert "Papier" in kept_on(page)
    context.clear_cookies()
    page.goto("/visite")
    assert "Papier" not in kept_on(page)
    context.close()


def kept_on(page: Page) -> str:
    """Everything that the device keeps of us."""
    found: str = page.evaluate(
        """async () => {
            const texts = [];
            for (const name of await caches.keys()) {
                const cache = await caches.open(name);
                for (const key of await cache.keys()) {
                    texts.push(key.url, await (await cache.match(key)).text());
                }
            }
            return texts.join();
        }"""
    )
    return found
