"""What strangers try in a real Chromium: what is of another institution, and scripts."""

import re

import pytest
from playwright.sync_api import (
    Browser,
    StorageState,
    expect,
)

from tests.search_api.pages.town import OTHER, PASSWORD, Town
from tests.search_api.pages.town_records import CALL, GROUPING, NEED, TWICE

pytestmark = pytest.mark.engines


def test_one_institution_sees_nothing_of_another(
    browser: Browser, running: Town, signed_in: StorageState
) -> None:
    """IDOR: the address of somebody else's refusal opens nothing, and replays nothing."""
    with_ours = browser.new_context(base_url=running.address, storage_state=signed_in)
    page = with_ours.new_page()
    page.goto("/mon-institution")
    theirs = page.get_by_role("link", name="Corriger et rejouer").first.get_attribute("href")
    with_ours.close()
    context = browser.new_context(base_url=running.address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/connexion?vers=/mon-institution")
    page.get_by_label("Adresse électronique").fill(OTHER)
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("CCI Aix-Marseille-Provence")
    expect(page.get_by_role("main")).not_to_contain_text("refus-0")
    before = len(running.published("Marché refusé 211300553"))
    answer = page.goto(theirs or "")
    assert answer is not None and answer.status in (404, 422)
    token = page.locator("[name=jeton]").first.get_attribute("value") or ""
    posted = context.request.post(
        theirs or "", form={"jeton": token, "comment": "tel-quel"}, max_redirects=0
    )
    assert posted.status in (404, 422)
    assert len(running.published("Marché refusé 211300553")) == before
    words = len(running.words())
    page.goto("/mutualiser?toutes=oui")
    expect(page.get_by_role("heading", level=2)).to_have_text("Nettoyage de plages")
    expect(page.get_by_role("button", name="Nous sommes intéressés")).to_have_count(0)
    for word in ("interested", "withdrawn"):
        spoken = context.request.post(
            f"/mutualiser/{GROUPING}",
            form={"jeton": token, "dossier": GROUPING[8:], "mot": word},
            max_redirects=0,
        )
        assert spoken.status == 403
    assert len(running.words()) == words
    said = len(running.said())
    page.goto(f"/fiche/{NEED}")
    expect(page.get_by_role("main")).not_to_contain_text("Pagnol")
    for word, other, status in (
        ("confirmed", CALL, 403),
        ("withdrawn", CALL, 403),
        ("not_same", CALL, 403),
        ("confirmed", "z" * 16, 404),
    ):
        spoken = context.request.post(
            "/lien",
            form={"jeton": token, "dossier": NEED, "avec": other, "mot": word, "sujet": "reponse"},
            max_redirects=0,
        )
        assert spoken.status == status
    assert len(running.said()) == said
    # It does publish one of these two, and may say that both are not the same.
    page.goto(f"/fiche/{TWICE}")
    expect(page.get_by_role("button", name=re.compile("pas le même dossier"))).to_have_count(2)
    page.get_by_role("button", name="Se déconnecter").click()
    page.goto("/mon-institution")
    assert page.url.endswith("/connexion?vers=%2Fmon-institution")
    context.close()


def test_nothing_that_was_published_or_typed_runs(
    browser: Browser, running: Town, signed_in: StorageState
) -> None:
    """XSS: stored, in every page that shows it; reflected, by every field that comes back."""
    context = browser.new_context(base_url=running.address, storage_state=signed_in)
    page = context.new_page()
    blocked: list[str] = []
    page.on(
        "console",
        lambda said: blocked.append(said.text) if "Security Policy" in said.text else None,
    )
    trap = "<img src=x onerror=\"document.title='pris'\">"
    for path in (
        "/?q=tramway",
        "/tableau-de-bord",
        "/visite?lieu=Marseille&metier=tramway",
        "/vitrine?q=tramway",
        "/mon-institution",
        f"/?q={trap}",
        f"/visite?lieu={trap}&metier={trap}&theme={trap}",
        f"/tableau-de-bord?lieu={trap}",
        f"/connexion?vers={trap}",
        f"/mon-institution?avant={trap}&fait={trap}",
        f"/signaler/recu?reference={trap}",
        f"/?institution={trap}",
    ):
        page.goto(path)
        assert "pris" not in page.title() or trap in page.title(), path
        assert page.locator("main img:not([src^='/carte/']), main script").count() == 0, path
    page.goto("/signaler")
    page.get_by_label("De quoi a-t-on besoin ?").fill(f"tramway {trap}")
    page.get_by_label("Où ?").fill("Marseille")
    page.get_by_role("button", name="Continuer").click()
    expect(page.get_by_role("main")).to_contain_text(trap)
    assert page.locator("main img").count() == 0
    assert blocked == []
    context.close()
