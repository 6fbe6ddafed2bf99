"""What people answer in a real Chromium: to a grouping, to a link."""

import re

import pytest
from playwright.sync_api import (
    BrowserContext,
    expect,
)

from tests.search_api.pages.browser.looking import look
from tests.search_api.pages.town import Town
from tests.search_api.pages.town_records import COPY, GROUPING, MARSEILLE, NEED, TWICE

pytestmark = pytest.mark.engines


def test_what_could_be_bought_together_is_found_and_answered(
    context: BrowserContext, running: Town
) -> None:
    page = context.new_page()
    look(page, "/mutualiser")
    main = page.get_by_role("main")
    expect(main.get_by_role("heading", level=2)).to_have_text("Nettoyage de plages")
    for text in (
        "Ville de La Ciotat", "au moins 30", "110 jours", "L.2113-6", "Plages du nord",
        "Pourraient rejoindre", "Ville de Cassis (fin de contrat, besoin non confirmé)",
    ):  # fmt: skip
        expect(main).to_contain_text(text)
    page.get_by_role("button", name="Nous sommes intéressés").click()
    expect(page.get_by_role("status")).to_contain_text("« Nous sommes intéressés » est dit")
    page.get_by_role("button", name="Reprendre cette réponse").click()
    expect(page.get_by_role("status")).to_contain_text("« Réponse reprise » est dit")
    said, taken_back = running.words()[-2:]
    assert said["type"] == "fr.traverse.grouping.interested.v1"
    assert taken_back["type"] == "fr.traverse.grouping.withdrawn.v1"
    assert said["subject"] == taken_back["subject"]
    assert said["data"] == {
        "grouping": GROUPING,
        "record": {"source": "urn:siren:211300553", "subject": "N1"},
    }
    look(page, "/mutualiser?lieu=Saint-Denis")
    page.get_by_role("link", name="Saint-Denis (93)").click()
    expect(page.get_by_label("Territoire")).to_have_value("Saint-Denis (93)")
    # What is for buyers is there for one, and for nobody else.
    look(page, "/?q=papier")
    expect(page.get_by_role("link", name="Papier pour les mairies")).to_be_visible()
    context.clear_cookies()
    look(page, "/?q=papier")
    expect(page.get_by_role("link", name="Papier pour les mairies")).to_have_count(0)
    page.goto("/mutualiser")
    expect(page.get_by_role("heading", level=1)).to_have_text("Se connecter")


def test_what_may_answer_a_need_is_confirmed_and_taken_back(
    context: BrowserContext, running: Town
) -> None:
    """On the page of the need; what was set aside is there for the two sides alone, and what two
    publications tell of one thing is contested in the same way."""
    page = context.new_page()
    look(page, f"/fiche/{NEED}")
    main, status = page.get_by_role("main"), page.get_by_role("status")
    yes = main.get_by_role("button", name=re.compile("^Cela répond à notre besoin"))
    # By keyboard alone.
    yes.focus()
    page.keyboard.press("Enter")
    expect(status).to_contain_text("« Cela répond à notre besoin » est dit au nom de Ville de Mar")
    page.get_by_role("button", name="Reprendre cette réponse").click()
    expect(status).to_contain_text("« Réponse reprise » est dit")
    page.get_by_role("link", name="Revenir à la fiche").click()
    aside = main.locator("section").filter(has_text="Entre les institutions concernées")
    expect(aside).to_contain_text("Écarté par Ville de Marseille")
    aside.get_by_role("button", name="Reprendre notre réponse").click()
    expect(status).to_contain_text("« Réponse reprise » est dit")
    confirmed, back, page_back, system_back = running.said()[-4:]
    assert confirmed["type"] == "fr.traverse.link.confirmed.v1"
    assert confirmed["data"]["records"] == [
        {"source": f"urn:siren:{MARSEILLE}", "subject": subject} for subject in ("N2", "V1")
    ]
    assert back["type"] == page_back["type"] == "fr.traverse.link.withdrawn.v1"
    assert (back["source"], back["subject"]) == (confirmed["source"], confirmed["subject"])
    assert (system_back["source"], system_back["subject"]) == (f"urn:siren:{MARSEILLE}:si", "REF-9")
    look(page, "/mon-institution")
    links = main.locator("section").filter(has_text="Liens proposés à l’institution")
    links.get_by_role("button", name=re.compile("^Pas pour nous : Réfection")).first.click()
    expect(status).to_contain_text("« Pas pour nous » est dit")
    look(page, f"/fiche/{TWICE}")
    main.get_by_role("listitem").filter(has_text="26-112233").get_by_role("button").click()
    expect(status).to_contain_text("« Ce n’est pas le même dossier » est dit")
    dismissed, contested = running.said()[-2:]
    assert dismissed["subject"] == confirmed["subject"]
    assert contested["type"] == "fr.traverse.link.not_same.v1"
    assert {one["subject"] for one in contested["data"]["records"]} == {"V2", COPY[1]}
    assert running.deeds()[-1] == "link_answered"
    context.clear_cookies()
    look(page, f"/fiche/{NEED}")
    expect(main).to_contain_text("Belle-de-Mai")
    expect(main).not_to_contain_text("Pagnol")
    expect(main.get_by_role("button")).to_have_count(0)
