"""What people publish in a real Chromium: a need, a draft, what was refused, permanences."""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    StorageState,
    expect,
)

from tests.search_api.pages.browser.looking import DESK, PHONE, device, judge_once, look
from tests.search_api.pages.town import (
    Town,
)
from tests.search_api.permanences.publishing import WEEKLY, calendar
from traverse_infra.engines.waiting import wait_until

pytestmark = pytest.mark.engines


def test_a_need_is_signalled_in_two_steps(context: BrowserContext, running: Town) -> None:
    title = f"Nettoyage de la plage {uuid4().hex[:8]}"
    page = context.new_page()
    look(page, "/signaler")
    page.get_by_label("De quoi a-t-on besoin ?").fill(title)
    page.get_by_label("Où ?").fill("Saint-Denis")
    page.get_by_role("button", name="Continuer").click()
    # Two towns of that name: the form asks, and keeps what was typed.
    expect(page.get_by_role("alert")).to_contain_text("Plusieurs lieux portent ce nom")
    expect(page.get_by_label("De quoi a-t-on besoin ?")).to_have_value(title)
    page.get_by_label("Où ?").fill("13005")
    page.get_by_role("button", name="Continuer").click()
    page.get_by_label("Aubagne (13)").check()
    page.get_by_role("button", name="Continuer").click()
    main = page.get_by_role("main")
    expect(page.get_by_role("heading", level=1)).to_have_text("Relire avant de publier")
    expect(main).to_contain_text("Aubagne (13)")
    # What resembles it next door is shown before anything is published.
    expect(main).to_contain_text("Déjà signalé tout près ?")
    expect(main.get_by_role("link", name="Nettoyage de la plage")).to_be_visible()
    assert running.published(title) == []
    page.get_by_role("button", name="Publier au nom de Ville de Marseille").click()
    expect(page.get_by_role("status")).to_contain_text("Il paraît dans quelques secondes")
    (event,) = running.published(title)
    assert event["source"] == "urn:siren:211300553:pages"
    assert event["data"]["place"] == ["com:13005"]
    assert event["data"]["visibility"] == "buyers"
    assert "need_published" in running.deeds()


def test_a_draft_outlives_the_network(
    browser: Browser, running: Town, signed_in: StorageState
) -> None:
    """With scripts: what was typed is there again, and gone once it is published; what resembles
    it and the names of places come while one types."""
    context = browser.new_context(base_url=running.address, storage_state=signed_in)
    page = context.new_page()
    page.goto("/signaler")
    page.get_by_label("De quoi a-t-on besoin ?").fill("Nettoyage de plage")
    expect(page.locator("#semblables")).to_contain_text("Nettoyage de la plage")
    page.get_by_label("Où ?").fill("Auba")
    expect(page.locator("#lieux option").first).to_have_attribute("value", "Aubagne (13)")
    page.get_by_label("Où ?").fill("Aubagne (13)")
    page.get_by_text("Préciser, dire qui contacter (facultatif)").click()
    page.get_by_label("Courriel ou téléphone").fill("plage@exemple.fr")
    context.set_offline(True)
    page.get_by_label("Pour quand ?").select_option("bientot")
    page.get_by_role("button", name="Continuer").click()
    context.set_offline(False)
    page.goto("/signaler")
    expect(page.get_by_label("De quoi a-t-on besoin ?")).to_have_value("Nettoyage de plage")
    expect(page.get_by_label("Pour quand ?")).to_have_value("bientot")
    expect(page.locator("#brouillon")).to_be_visible()
    # What the draft holds is all in sight before it is published.
    expect(page.get_by_label("Courriel ou téléphone")).to_be_visible()
    expect(page.get_by_label("Courriel ou téléphone")).to_have_value("plage@exemple.fr")
    page.get_by_role("button", name="Continuer").click()
    page.get_by_role("button", name="Publier").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Le besoin est reçu")
    page.wait_for_function("localStorage.length === 0")
    page.goto("/signaler")
    expect(page.get_by_label("De quoi a-t-on besoin ?")).to_have_value("")
    context.close()


def test_a_refusal_is_mended_and_replayed(context: BrowserContext, running: Town) -> None:
    page = context.new_page()
    look(page, "/mon-institution")
    main = page.get_by_role("main")
    expect(main).to_contain_text("com:99999 n’est pas une commune connue")
    expect(main).to_contain_text("Réfection de la voirie")
    expect(main).to_contain_text("Publications directes")
    expect(main).to_contain_text(re.compile(r"Qualité\s: \d+ sur 100"))
    expect(main).to_contain_text("moins de 5")
    page.get_by_role("link", name="ce qui manque à la règle « Une adresse où répondre »").click()
    expect(page.get_by_role("main")).to_contain_text("champ actions")
    expect(page.get_by_role("link", name="Toiture de la halle")).to_be_visible()
    page.go_back()
    page.get_by_role("link", name="Corriger et rejouer").first.click()
    page.get_by_label("Lieu").fill("rien")
    page.get_by_role("button", name="Rejouer avec cette valeur").click()
    expect(page.get_by_role("alert")).to_contain_text("rien")
    page.get_by_label("Lieu").fill("com:13055")
    page.get_by_role("button", name="Rejouer avec cette valeur").click()
    expect(page.get_by_role("status")).to_contain_text("L’événement est rejoué")
    replayed = running.published("Marché refusé 211300553")
    assert replayed
    assert {one["data"]["place"][0] for one in replayed} == {"com:13055"}


@pytest.mark.parametrize("context", [(PHONE, True), (DESK, False)], indirect=True, ids=device)
def test_permanences_are_published_told_near_and_taken_away(
    context: BrowserContext, request: pytest.FixtureRequest
) -> None:
    scripts = "no script" not in request.node.callspec.id  # axe needs them
    page = context.new_page()
    look(page, "/mon-institution")
    page.get_by_role("link", name="Publier nos permanences").click()
    main, file = page.get_by_role("main"), page.get_by_label("Fichier d’agenda")

    def hand_in(octets: bytes) -> None:
        file.set_input_files({"name": "a.ics", "mimeType": "text/calendar", "buffer": octets})
        main.get_by_role("button", name="Publier").click()

    hand_in(b"rien")
    expect(page.get_by_role("alert")).to_contain_text("pas un calendrier lisible")
    expect(file).to_have_attribute("aria-invalid", "true")
    judge_once(page, axe=scripts)
    hand_in(calendar(WEEKLY.replace("Créer", "Reprendre")))
    expect(page.get_by_role("status")).to_contain_text("C’est publié")
    expect(main).to_contain_text("Reprendre son entreprise")
    expect(main).not_to_contain_text("Anne")
    judge_once(page, axe=scripts)
    sheet = "/visite.ics?lieu=Aubagne"
    assert wait_until(lambda: "Reprendre" in context.request.get(sheet).text(), timeout=60)
    main.get_by_role("button", name="Retirer ce calendrier").click()
    expect(page.get_by_role("status")).to_contain_text("C’est retiré")
    expect(main).to_contain_text("Rien encore")
    assert wait_until(lambda: "Reprendre" not in context.request.get(sheet).text(), timeout=60)
