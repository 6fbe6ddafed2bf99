"""The pages in a real Chromium: each one's main job, on a phone and on a desk, with and without
scripts, by keyboard alone; and axe-core finds nothing on any of them, in light and in dark."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import Request
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    PdfMargins,
    Response,
    StorageState,
    expect,
)
from typer.testing import CliRunner

from tests.local_http import Quiet, answering
from tests.search_api.pages.town import (
    CALL,
    CHAMBER,
    COPY,
    GROUPING,
    MARSEILLE,
    NEED,
    OTHER,
    PASSWORD,
    PUBLISHER,
    SHOWCASE,
    TWICE,
    Town,
)
from tests.search_api.permanences.publishing import WEEKLY, calendar
from traverse_infra.command_tree import build
from traverse_infra.engines.waiting import wait_until
from traverse_search_api.pages import routes
from traverse_search_api.pages.note_lists import Line as NoteLine
from traverse_search_api.pages.note_view import LINES, ROWS, Cell, Figure, NoteView, Row
from traverse_search_api.pages.note_week import Week
from traverse_search_api.pages.render import Renderer
from traverse_search_api.pages.typed_place import PlaceChoice
from traverse_search_api.pages.visit_routes import MOST, MOST_PERMANENCES, PARTS, Line, Part
from traverse_search_api.permanences.near import PermanenceLine

pytestmark = pytest.mark.engines

PHONE, DESK = 360, 1280
PUBLIC = (
    "/",
    "/?q=voirke&kind=need",
    "/?q=vaisseau+koala",
    "/?territory=dep:13",
    "/?territory=13001",
    "/?kind=chose",
    "/fiche/zzzz",
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
    f"/fiche/{NEED}",
    f"/fiche/{TWICE}",
    f"/fiche/{NEED}/changements",
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
FRAMES = {
    "shown": f"/vitrine/{MARSEILLE}",
    "failed": f"/vitrine/{MARSEILLE}?kind=chose",
    "other": "/tableau-de-bord",
}
BUDGET = 100_000  # octets of a page


def _device(given: tuple[int, bool]) -> str:
    width, scripts = given
    return f"{width} px, {'scripts' if scripts else 'no script'}"


@pytest.fixture(params=product((PHONE, DESK), (False, True)), ids=_device)
def context(
    request: pytest.FixtureRequest, browser: Browser, running: Town, signed_in: StorageState
) -> Iterator[BrowserContext]:
    """Somebody who is signed in, on a device."""
    width, scripts = request.param
    made = browser.new_context(
        base_url=running.address,
        storage_state=signed_in,
        viewport={"width": width, "height": 800},
        java_script_enabled=scripts,
    )
    made.set_default_timeout(60_000)
    yield made
    made.close()


def look(page: Page, path: str) -> None:
    """Go there; what is loaded is small, ours, and fits the width."""
    loaded: list[str] = []

    def note(answer: Response) -> None:
        loaded.append(answer.url)

    page.on("response", note)
    answer = page.goto(path)
    assert answer is not None
    assert len(answer.body()) < BUDGET
    page.remove_listener("response", note)
    ours = page.url.split("/", 3)[2]
    assert all(url.startswith("data:") or url.split("/", 3)[2] == ours for url in loaded), loaded
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= page.viewport_size["width"], (path, wide)  # type: ignore[index]


@contextmanager
def framing_site(address: str) -> Iterator[str]:
    """A site that shows pages of the service in frames; its origin."""
    frames = [f'<iframe id="{one}" src="{address}{path}"></iframe>' for one, path in FRAMES.items()]
    body = f"<!doctype html><title>Site</title>{''.join(frames)}".encode()

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with answering(Handler) as site:
        yield site.rstrip("/")


def judge_once(page: Page, *, axe: bool) -> None:
    """It fits the width, and axe finds nothing on it."""
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= page.viewport_size["width"], page.url  # type: ignore[index]
    if axe:
        rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
        found = Axe().run(page, options=rules)
        assert not found.violations_count, found.generate_report()


def rendered(path: str, name: str, **view: Any) -> str:
    """A page of a view of our own making, its style inside."""
    scope = {"type": "http", "path": path, "query_string": b"", "headers": []}
    made = bytes(Renderer().page(Request(scope), name, **view).body).decode()
    style = (Path(routes.__file__).parent / "static" / "style.css").read_text(encoding="utf-8")
    return re.sub("<link[^>]*style.css[^>]*>", f"<style>{style}</style>", made)


def printed_pages(browser: Browser, made: str) -> int:
    """On how many sheets of A4 it prints, with the margins that browsers give them."""
    page = browser.new_page()
    page.set_content(made)
    margin: PdfMargins = {"top": "1cm", "right": "1cm", "bottom": "1cm", "left": "1cm"}
    count = len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4", margin=margin)))
    page.close()
    return count


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
    expect(main.get_by_role("link", name="Les bennes")).to_be_visible()
    expect(main).to_contain_text("une fois par semaine")
    main.get_by_role("button", name="Mettre en pause").click()
    expect(main).to_contain_text("en pause")
    main.get_by_role("button", name="Supprimer l’alerte « Les bennes »").click()
    expect(main).to_contain_text("Aucune alerte")


@pytest.mark.parametrize("context", [(PHONE, True), (DESK, False)], indirect=True, ids=_device)
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


def test_a_refusal_is_mended_and_replayed(context: BrowserContext, running: Town) -> None:
    page = context.new_page()
    look(page, "/mon-institution")
    main = page.get_by_role("main")
    expect(main).to_contain_text("com:99999 n’est pas une commune connue")
    expect(main).to_contain_text("Réfection de la voirie")
    expect(main).to_contain_text("Publications directes")
    expect(main).to_contain_text(re.compile(r"Qualité : \d+ sur 100"))
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
    context.set_offline(True)
    page.get_by_label("Pour quand ?").select_option("bientot")
    page.get_by_role("button", name="Continuer").click()
    context.set_offline(False)
    page.goto("/signaler")
    expect(page.get_by_label("De quoi a-t-on besoin ?")).to_have_value("Nettoyage de plage")
    expect(page.get_by_label("Pour quand ?")).to_have_value("bientot")
    expect(page.locator("#brouillon")).to_be_visible()
    page.get_by_role("button", name="Continuer").click()
    page.get_by_role("button", name="Publier").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Le besoin est reçu")
    page.wait_for_function("localStorage.length === 0")
    page.goto("/signaler")
    expect(page.get_by_label("De quoi a-t-on besoin ?")).to_have_value("")
    context.close()


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
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
    found = Axe().run(page, options=rules)
    assert not found.violations_count, found.generate_report()
    # What was not opened is not there; what was is named.
    page.goto("/visite?lieu=Aubagne")
    expect(heading).to_have_text("Fiches gardées sur cet appareil")
    found = Axe().run(page, options=rules)
    assert not found.violations_count, found.generate_report()
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


def test_only_named_sites_may_frame_the_showcase(
    running: Town, browser: Browser, signed_in: StorageState
) -> None:
    """The operator's sites one list, an institution's sites its own, and nobody anything else."""
    with_ours = browser.new_context(
        base_url=running.address, storage_state=signed_in, java_script_enabled=False
    )
    page = with_ours.new_page()
    look(page, "/mon-institution")
    page.get_by_role("link", name="sur un autre site").click()
    page.get_by_label("Sites autorisés").fill("http://www.ville.example")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("alert")).to_contain_text("n’est pas l’adresse d’un site en https")
    page.get_by_label("Sites autorisés").fill("https://www.Ville.example/\nhttps://b.example:8443")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("status")).to_contain_text("C’est enregistré")
    assert "showcase_opened" in running.deeds()
    with_ours.close()
    context = browser.new_context(base_url=running.address)

    def framed(path: str) -> str:
        policy = context.request.get(path).headers["content-security-policy"]
        return policy.rpartition("frame-ancestors ")[2]

    for path, ancestors in (
        (f"/vitrine/{MARSEILLE}", "https://www.ville.example https://b.example:8443"),
        (f"/vitrine/{MARSEILLE}?kind=need", "https://www.ville.example https://b.example:8443"),
        (f"/vitrine/{CHAMBER}", "'none'"),
        ("/vitrine/130002199", "'none'"),
        ("/vitrine/21130055x", "'none'"),
    ):
        assert framed(path) == ancestors, path
    # The operator reads the same, opens others, and closes it; the pages follow.
    command = ["institutions", "showcase", MARSEILLE]
    for more, origins in (
        ((), ["https://www.ville.example", "https://b.example:8443"]),
        (("https://c.example",), ["https://c.example"]),
        (("--close",), []),
    ):
        done = CliRunner().invoke(
            build(), [*command, *more, "--json"], env={"TRAVERSE_KAFKA": running.kafka}
        )
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout) == {"siren": MARSEILLE, "origins": origins}
    assert wait_until(lambda: framed(f"/vitrine/{MARSEILLE}") == "'none'", timeout=60)
    own = context.request.get(f"/vitrine/{MARSEILLE}").text()
    assert "Nettoyage de la plage" in own
    assert "Papier pour les mairies" not in own
    showcase = context.request.get("/vitrine").headers["content-security-policy"]
    assert f"frame-ancestors {SHOWCASE}" in showcase
    for path in ("/", "/connexion", "/tableau-de-bord"):
        policy = context.request.get(path).headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
    assert "set-cookie" not in context.request.get("/vitrine").headers
    context.close()


def test_a_showcase_that_fails_says_so_in_its_frame(running: Town, browser: Browser) -> None:
    """On a site that its institution has named; another page is not shown there."""
    with framing_site(running.address) as site:
        command = ["institutions", "showcase", MARSEILLE, site]
        env = {"TRAVERSE_KAFKA": running.kafka}
        assert CliRunner().invoke(build(), command, env=env).exit_code == 0
        for width, scripts in ((PHONE, False), (DESK, True)):
            context = browser.new_context(
                viewport={"width": width, "height": 800}, java_script_enabled=scripts
            )
            page = context.new_page()
            page.goto(site)
            shown, failed, other = (page.frame_locator(f"#{name}") for name in FRAMES)
            expect(shown.get_by_role("heading", level=1)).to_contain_text("résultat")
            expect(failed.get_by_role("heading", level=1)).to_have_text("Demande refusée")
            expect(failed.get_by_role("alert")).to_contain_text("n’admet pas « chose »")
            expect(other.get_by_text("Tableau de bord")).to_have_count(0)
            context.close()
        command = ["institutions", "showcase", MARSEILLE, "--close"]
        assert CliRunner().invoke(build(), command, env=env).exit_code == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault(
    browser: Browser, running: Town, signed_in: StorageState, scheme: str
) -> None:
    """WCAG 2.1 A and AA, on every page and in its states; in the dark, what may differ there."""
    axe = Axe()
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
    options = {"runOnly": rules if scheme == "light" else ["color-contrast"]}
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
    context.clear_cookies()
    look(page, unsubscribe)
    judge("unsubscribing")
    page.get_by_role("button", name="Me désabonner").click()
    judge("unsubscribed")
    look(page, "/?q=voirie")
    judge("search of anybody")
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
