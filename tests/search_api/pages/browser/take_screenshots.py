"""Writes docs/screenshots/: every page on a phone and on a desk (`make screenshots`)."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, StorageState

from tests.engines import RunningEngines
from tests.search_api.pages.town import PASSWORD, PUBLISHER, Town, town
from tests.search_api.pages.town_records import CALL, GONE, NEED, OVER, documents
from tests.search_api.permanences.publishing import WEEKLY, calendar
from traverse_schemas.documents.grouping import grouping_id

pytestmark = pytest.mark.engines

FOLDER = Path(__file__).parents[4] / "docs" / "screenshots"
PAGES = {
    "recherche": "/?q=voirie",
    "recherche-corrigee": "/?q=voirke&kind=need",
    "recherche-vide": "/?q=voirie&kind=need&theme=energie",
    "recherche-rien": "/?q=vaisseau+koala",
    "recherche-code": "/?territory=13001",
    "recherche-lieux": "/?q=benne+saint-denis",
    "recherche-filtres": "/?kind=call&territory=dep:13&amount_min=1000&deadline_to=2026-04-30",
    "carte": "/?territory=dep:13#carte",
    "fiche": f"/fiche/{NEED}",
    "fiche-marche": f"/fiche/{CALL}",
    "fiche-close": f"/fiche/{OVER}",
    "fiche-retiree": f"/fiche/{GONE}",
    "changements": f"/fiche/{CALL}/changements",
    "changements-aucun": f"/fiche/{NEED}/changements",
    "signaler": "/signaler",
    "mon-institution": "/mon-institution",
    "qualite": "/mon-institution/qualite/reponse",
    "mutualiser": "/mutualiser?toutes=oui",
    "mutualiser-lieux": "/mutualiser?lieu=Saint-Denis",
    "visite": "/visite?lieu=Marseille",
    "visite-inconnue": "/visite?lieu=zzzz",
    "visite-hors-ligne": "/visite/hors-ligne",
    "tableau-de-bord": "/tableau-de-bord",
    "note": "/note",
    "note-liste": "/note/liste?quoi=sans-reponse&lieu=dep:13",
    "vitrine": "/vitrine?kind=call",
    "vitrine-refus": "/vitrine?territory=13001",
    "vitrine-sites": "/mon-institution/vitrine",
    "compte": "/compte",
    "alertes": "/alertes",
    "page-inconnue": "/nulle-part",
    "fiche-inconnue": "/fiche/zzzz",
    "parametre-refuse": "/?kind=chose",
    "suite-introuvable": "/?q=voirie&cursor=faux",
    "groupement-termine": f"/mutualiser/{grouping_id('buyers', NEED)}",
}
DARK = ("recherche", "carte")
AWAY = {"recherche-absente": "/?q=voirie", "changements-absents": f"/fiche/{CALL}/changements"}
"""What is shown while the engines do not answer."""


@pytest.fixture(scope="package")
def running(engines: RunningEngines, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """As the tests have it, without what is hostile: these pictures are for people."""
    with town(engines, tmp_path_factory.mktemp("town"), documents()) as made:
        yield made


def test_take_screenshots(
    browser: Browser, running: Town, away: str, signed_in: StorageState
) -> None:
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
                    page.screenshot(path=FOLDER / f"{name}-{device}{ending}.png", full_page=True)
            if scheme == "light":
                for name, reach in STATES.items():
                    reach(page)
                    page.screenshot(path=FOLDER / f"{name}-{device}.png", full_page=True)
                for name, path in AWAY.items():
                    page.goto(f"{away}{path}")
                    page.screenshot(path=FOLDER / f"{name}-{device}.png", full_page=True)
                menu_of(page)
                page.screenshot(path=FOLDER / f"menu-{device}.png")
                page.goto("/mon-institution/permanences")
                page.get_by_role("button", name="Retirer ce calendrier").click()
                context.clear_cookies()
                page.goto("/connexion")
                page.screenshot(path=FOLDER / f"connexion-{device}.png", full_page=True)
                page.get_by_label("Adresse électronique").fill(PUBLISHER)
                page.get_by_label("Mot de passe").fill(PASSWORD[:-1])
                page.get_by_role("main").get_by_role("button", name="Se connecter").click()
                page.screenshot(path=FOLDER / f"connexion-refusee-{device}.png", full_page=True)
            context.close()
    running.forget_alerts()


def menu_of(page: Page) -> None:
    """Opens it, where it is behind a button."""
    page.goto("/?q=voirie")
    for button in page.get_by_role("button", name="Menu").all():
        button.click()


def open_files(page: Page) -> None:
    page.goto("/?q=voirie")
    page.locator("summary").filter(has_text="Télécharger").click()


def hand_in_permanences(page: Page) -> None:
    """Publishes a calendar on its page."""
    octets = calendar(WEEKLY)
    page.goto("/mon-institution/permanences")
    page.get_by_label("Fichier d’agenda").set_input_files(
        {"name": "agenda.ics", "mimeType": "text/calendar", "buffer": octets}
    )
    page.get_by_role("main").get_by_role("button", name="Publier").click()


def send_a_need_with_faults(page: Page) -> None:
    page.goto("/signaler")
    page.get_by_label("De quoi a-t-on besoin ?").fill("")
    page.get_by_label("Où ?").fill("Saint-Denis")
    page.get_by_text("Préciser, dire qui contacter (facultatif)").click()
    page.get_by_label("Montant").fill("beaucoup")
    page.get_by_role("button", name="Continuer").click()


def read_a_need_again(page: Page) -> None:
    page.goto("/signaler")
    page.get_by_label("De quoi a-t-on besoin ?").fill("Nettoyage de la plage")
    page.get_by_label("Où ?").fill("Marseille")
    page.get_by_role("button", name="Continuer").click()


def open_a_refusal(page: Page) -> None:
    page.goto("/mon-institution")
    page.get_by_role("link", name="Corriger et rejouer").first.click()
    page.get_by_text("Corriger l’événement entier").click()


def ask_to_unbind(page: Page) -> None:
    page.goto("/compte")
    page.get_by_role("link", name="Délier son identité").click()


def follow_a_search(page: Page) -> None:
    page.goto("/?q=benne")
    page.get_by_role("button", name="M’alerter").click()


def ask_to_delete_an_alert(page: Page) -> None:
    page.goto("/alertes")
    page.get_by_role("link", name="Supprimer").first.click()


def answer_a_link(page: Page) -> None:
    page.goto(f"/fiche/{NEED}")
    page.get_by_role("button", name=re.compile("^Cela répond à notre besoin")).click()


def answer_a_grouping(page: Page) -> None:
    page.goto("/mutualiser")
    page.get_by_role("button", name="Nous sommes intéressés").click()


STATES: dict[str, Callable[[Page], None]] = {
    "recherche-fichiers": open_files,
    "permanences": hand_in_permanences,
    "signaler-fautes": send_a_need_with_faults,
    "signaler-relire": read_a_need_again,
    "refus": open_a_refusal,
    "compte-delier": ask_to_unbind,
    "alertes-suivie": follow_a_search,
    "alertes-supprimer": ask_to_delete_an_alert,
    "lien-dit": answer_a_link,
    "groupement-dit": answer_a_grouping,
}
"""What a page shows once one has done something there."""
