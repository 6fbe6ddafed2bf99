"""Writes docs/screenshots/: every page on a phone and on a desk (`make screenshots`)."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, StorageState

from tests.search_api.pages.town import NEED, Town
from tests.search_api.permanences.publishing import WEEKLY, calendar

pytestmark = pytest.mark.engines

FOLDER = Path(__file__).parents[3] / "docs" / "screenshots"
PAGES = {
    "recherche": "/?q=voirie",
    "carte": "/?territory=dep:13#carte",
    "fiche": f"/fiche/{NEED}",
    "signaler": "/signaler",
    "mon-institution": "/mon-institution",
    "qualite": "/mon-institution/qualite/reponse",
    "mutualiser": "/mutualiser?toutes=oui",
    "visite": "/visite?lieu=Marseille",
    "tableau-de-bord": "/tableau-de-bord",
    "note": "/note",
    "vitrine": "/vitrine?kind=call",
    "vitrine-refus": "/vitrine?territory=13001",
    "vitrine-sites": "/mon-institution/vitrine",
    "compte": "/compte",
    "alertes": "/alertes",
    "page-inconnue": "/nulle-part",
}


DARK = ("recherche", "carte")


def test_take_screenshots(browser: Browser, running: Town, signed_in: StorageState) -> None:
    FOLDER.mkdir(exist_ok=True)
    for device, width in (("telephone", 360), ("bureau", 1280)):
        for scheme, ending in (("light", ""), ("dark", "-sombre")):
            context = browser.new_context(
                base_url=running.address,
                storage_state=signed_in,
                color_scheme=scheme,  # type: ignore[arg-type]
                viewport={"width": width, "height": 800},
            )
            page = context.new_page()
            for name, path in PAGES.items():
                if scheme == "light" or name in DARK:
                    page.goto(path)
                    for drawing in page.locator(".drawing img").all():
                        # Loaded late, and only once it is looked at.
                        drawing.evaluate("one => { one.loading = 'eager'; return one.decode(); }")
                    page.screenshot(path=FOLDER / f"{name}-{device}{ending}.png")
            if scheme == "light":
                hand_in_permanences(page)
                page.screenshot(path=FOLDER / f"permanences-{device}.png", full_page=True)
                page.get_by_role("button", name="Retirer ce calendrier").click()
            context.close()


def hand_in_permanences(page: Page) -> None:
    """Publishes a calendar on its page."""
    octets = calendar(WEEKLY)
    page.goto("/mon-institution/permanences")
    page.get_by_label("Fichier d’agenda").set_input_files(
        {"name": "agenda.ics", "mimeType": "text/calendar", "buffer": octets}
    )
    page.get_by_role("main").get_by_role("button", name="Publier").click()
