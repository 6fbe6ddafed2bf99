"""The pages by keyboard alone, in large letters, on a narrow screen, and as axe-core judges them in
light and in dark (RGAA 4.1)."""

import re
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    StorageState,
    expect,
)

from tests.search_api.pages.browser.looking import DESK, PHONE, RULES, VIOLATIONS, look
from tests.search_api.pages.town import PUBLISHER, Town
from tests.search_api.pages.town_records import CALL, GONE, NEED, TWICE

pytestmark = pytest.mark.engines


PUBLIC = (
    "/",
    "/?q=voirke&kind=need",
    "/?q=vaisseau+koala",
    "/?territory=dep:13",
    "/?territory=13001",
    "/?kind=chose",
    "/fiche/zzzz",
    f"/fiche/{GONE}",
    "/nulle-part",
    "/tableau-de-bord",
    "/tableau-de-bord?lieu=Saint-Denis",
    "/visite",
    "/visite?lieu=Marseille",
    "/visite?lieu=zzzz",
    "/visite/hors-ligne",
    "/vitrine?kind=need",
    "/vitrine?territory=13001",
)


OWN = (
    "/compte",
    "/mon-institution",
    "/mon-institution/qualite/reponse",
    "/mon-institution/vitrine",
    "/mon-institution/permanences",
    "/signaler",
    "/signaler/recu?reference=besoin-0123456789abcdef",
    "/mutualiser?toutes=oui",
    "/mutualiser?lieu=Saint-Denis",
    f"/fiche/{NEED}",
    f"/fiche/{TWICE}",
    f"/fiche/{NEED}/changements",
    f"/fiche/{CALL}/changements",
    "/alertes",
    "/note",
    "/note?lieu=Saint-Denis&semaine=2025-W01",
    "/note/liste?quoi=sans-reponse&lieu=dep:13",
)


DARK = (
    "/?q=voirke&kind=need",
    "/?territory=dep:13",
    "/tableau-de-bord",
    "/mon-institution",
    "/mon-institution/vitrine",
    "/mon-institution/permanences",
    "/mutualiser?toutes=oui",
    "/note",
    f"/fiche/{NEED}",
)


TABBED = (
    "/?q=voirke&kind=need",
    "/?territory=dep:13",
    "/signaler",
    "/mon-institution",
    "/compte",
    "/note",
    "/mutualiser?toutes=oui",
    f"/fiche/{NEED}",
)
CUT = """() => [...document.querySelectorAll("main *, header *")]
    .filter((one) => !one.closest(".hidden, .scroll, .drawing, textarea, select, svg"))
    .filter((one) => !["INPUT", "OPTION", "DATALIST"].includes(one.tagName))
    .filter((one) => one.checkVisibility() && getComputedStyle(one).display !== "inline")
    .filter((one) => one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 1)
    .map((one) => `${one.tagName} ${one.className} ${one.textContent.trim().slice(0, 40)}`)"""
FOCUSABLE = """() => [...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")]
    .filter((one) => one.checkVisibility()).length"""
# What is wrong with where the focus is: it went back up the page, it is not seen, it is not there.
# "round": it has been everywhere.
FOCUSED = """() => {
    const one = document.activeElement, before = window.passed.at(-1);
    if (one === document.body || one === window.passed[0]) return "round";
    const up = before && !(before.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING);
    if (up) return "back up: " + one.outerHTML;
    window.passed.push(one);
    const mark = one.closest("svg a") ? one.querySelector("circle") : one;
    const style = getComputedStyle(mark), box = one.getBoundingClientRect();
    const seen = mark === one
        ? style.outlineStyle === "solid" && parseFloat(style.outlineWidth) >= 2
        : parseFloat(style.strokeWidth) >= 3;
    if (!seen) return "no mark: " + one.outerHTML;
    if (box.bottom < 0 || box.top > innerHeight) return "out of sight: " + one.outerHTML;
    return "";
}"""


def test_the_keyboard_alone_suffices(
    browser: Browser, running: Town, signed_in: StorageState
) -> None:
    """To the content in one jump; through every control of a form; to the end of the job."""
    context = browser.new_context(base_url=running.address, storage_state=signed_in)
    page = context.new_page()
    page.goto("/signaler")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Aller au contenu")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_attribute("id", "titre")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    title = f"Au clavier {uuid4().hex[:8]}"
    page.keyboard.type(title)
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "document.activeElement.name || document.activeElement.type"
                " || document.activeElement.tagName"
            )
        )
        if reached[-1] == "submit":
            break
    assert reached == ["lieu", "type", "accord", "quand", "visibilite", "SUMMARY", "submit"]
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Relire avant de publier")
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.value") != "publier":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Le besoin est reçu")
    assert len(running.published(title)) == 1
    context.close()


def test_every_page_is_read_in_large_letters_and_on_a_narrow_screen(
    browser: Browser, running: Town, signed_in: StorageState
) -> None:
    """Text at 200 % (RGAA 10.4) and 320 px (10.11): nothing lies beyond the side, none is cut."""
    for width, size in ((320, "100%"), (DESK, "200%")):
        context = browser.new_context(
            base_url=running.address,
            storage_state=signed_in,
            viewport={"width": width, "height": 800},
        )
        page = context.new_page()
        for path in (*PUBLIC, *OWN):
            page.goto(path)
            page.evaluate("size => { document.documentElement.style.fontSize = size; }", size)
            beyond = page.evaluate("document.documentElement.scrollWidth")
            assert beyond <= width, (path, size, beyond)
            assert page.evaluate(CUT) == [], (path, size)
        context.close()


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_focus_is_always_seen_and_follows_the_page(
    browser: Browser, running: Town, signed_in: StorageState, width: int
) -> None:
    """RGAA 10.7 and 12.8: one tabs down the page, and sees where one is."""
    context = browser.new_context(
        base_url=running.address, storage_state=signed_in, viewport={"width": width, "height": 800}
    )
    page = context.new_page()
    for path in TABBED:
        page.goto(path)
        page.evaluate("window.passed = []")
        for _ in range(page.evaluate(FOCUSABLE)):
            page.keyboard.press("Tab")
            fault = page.evaluate(FOCUSED)
            if fault == "round":
                break
            assert fault == "", (path, fault)
        reached = page.evaluate("window.passed.length")
        assert reached > 8, (path, reached)
    context.close()


def test_each_page_has_a_title_of_its_own_and_one_of_each_landmark(
    browser: Browser, running: Town, signed_in: StorageState
) -> None:
    """RGAA 8.6, 9.1 and 12.6."""
    context = browser.new_context(
        base_url=running.address, storage_state=signed_in, java_script_enabled=False
    )
    page = context.new_page()
    titles: dict[str, str] = {}
    for path in (*PUBLIC, *OWN):
        page.goto(path)
        assert page.locator("html").get_attribute("lang") == "fr"
        headings = page.get_by_role("heading", level=1)
        expect(headings).to_have_count(1)
        expect(page.get_by_role("main")).to_have_count(1)
        if not path.startswith("/vitrine"):
            for landmark in ("banner", "contentinfo", "search"):
                expect(page.get_by_role(landmark)).to_have_count(1)
            titles.setdefault(page.title(), headings.inner_text())
            # Two addresses of one title say the same thing.
            assert titles[page.title()] == headings.inner_text(), path
    assert len(titles) > 20
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault(
    browser: Browser, running: Town, away: str, signed_in: StorageState, scheme: str
) -> None:
    """WCAG 2.1 A and AA, on every page and in its states; in the dark, what may differ there."""
    axe = Axe()
    rules = RULES if scheme == "light" else ["color-contrast"]
    options = {**VIOLATIONS, "runOnly": rules}
    context = browser.new_context(
        base_url=running.address,
        storage_state=signed_in,
        color_scheme=scheme,  # type: ignore[arg-type]
        viewport={"width": PHONE if scheme == "dark" else DESK, "height": 800},
    )
    page = context.new_page()
    faults = []

    def judge(state: str) -> None:
        found = axe.run(page, options=options)
        if found.violations_count:
            faults.append(f"{state}: {found.generate_report()}")

    for path in DARK if scheme == "dark" else (*PUBLIC, *OWN):
        look(page, path)
        judge(path)
    page.goto("/?q=voirie")
    page.get_by_role("link", name=re.compile("Belle-de-Mai")).click()
    judge("record")
    page.goto(f"/fiche/{NEED}")
    page.get_by_role("button", name=re.compile("^Cela répond à notre besoin")).click()
    expect(page.get_by_role("status")).to_contain_text("est dit au nom de")
    judge("answer")
    page.goto("/mutualiser")
    page.get_by_role("button", name="Nous sommes intéressés").click()
    expect(page.get_by_role("status")).to_contain_text("est dit au nom de")
    judge("answer to a grouping")
    page.goto("/signaler")
    page.get_by_label("Où ?").fill("Saint-Denis")
    page.get_by_role("button", name="Continuer").click()
    judge("need with faults")
    page.get_by_label("De quoi a-t-on besoin ?").fill("Nettoyage de la plage")
    page.get_by_label("Où ?").fill("Marseille")
    page.get_by_role("button", name="Continuer").click()
    judge("need to confirm")
    page.goto("/mon-institution")
    page.get_by_role("link", name="Corriger et rejouer").first.click()
    page.get_by_text("Corriger l’événement entier").click()
    judge("rejection")
    page.goto("/compte")
    page.get_by_role("link", name="Délier son identité").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Délier ce compte ?")
    judge("account to unbind")
    page.goto("/?q=benne")
    page.get_by_role("button", name="M’alerter").click()
    judge("alert made, with what it would have given")
    unsubscribe = running.troubled_alert()
    page.goto("/alertes")
    expect(page.get_by_role("main")).to_contain_text("ne répond plus")
    page.get_by_text("Adresses privées").click()
    judge("alert that is delivered no more")
    page.get_by_role("button", name="Mettre en pause").or_(
        page.get_by_role("button", name="Reprendre les envois")
    ).click()
    judge("alert changed")
    page.get_by_role("link", name="Supprimer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Supprimer cette alerte ?")
    judge("alert to delete")
    context.clear_cookies()
    look(page, unsubscribe)
    judge("unsubscribing")
    page.get_by_role("button", name="Me désabonner").click()
    judge("unsubscribed")
    look(page, "/?q=voirie")
    judge("search of anybody")
    page.locator("summary").filter(has_text="Télécharger").click()
    judge("files of a search")
    for path in ("/?q=voirie", f"/fiche/{CALL}/changements"):
        page.goto(f"{away}{path}")
        expect(page.get_by_role("main").get_by_role("link", name="Réessayer")).to_be_visible()
        judge(f"engines away: {path}")
    look(page, "/connexion")
    judge("/connexion")
    page.get_by_label("Adresse électronique").fill(PUBLISHER)
    page.get_by_label("Mot de passe").fill("rien de juste")
    page.get_by_role("main").get_by_role("button", name="Se connecter").click()
    expect(page.get_by_role("alert")).to_be_visible()
    judge("signing in refused")
    running.forget_alerts()
    assert faults == []
    context.close()
