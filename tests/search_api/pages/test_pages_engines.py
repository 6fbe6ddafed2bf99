"""The pages over a real index: what staff see, and what nobody can slip in."""

import re

import pytest
from lxml import html

from tests.documents import deadline, document, stub
from tests.search_api.accounts.people import MARSEILLE
from tests.search_api.conftest import Service

pytestmark = pytest.mark.engines

# The one image that is ours lies beneath the map.
FOREIGN = "script, [onerror], img:not([src^='/carte/'])"
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)> \"' tramway"


@pytest.fixture(scope="module")
def filled(service: Service) -> Service:
    service.add(
        document(
            "V1",
            "Réfection de la voirie",
            description="Enrobés et trottoirs de la rue Nationale.",
            deadline=deadline("2026-03-17T11:00:00Z"),
            amount=120000.0,
            amounts=[{"kind": "estimate", "value": 120000, "tax": "excluded"}],
            themes=["voirie"],
            cpv=["45233140"],
            url="https://example.org/avis/V1",
            actions=[{"kind": "respond", "url": "https://example.org/repondre"}],
            lots=[{"number": "1", "title": "Chaussée", "amount": {"value": 80000}}],
        ),
        document("N1", "Voirie du hameau", kind="need", subtype="purchase"),
        document("X1", EVIL, description=EVIL, owner=EVIL),
        *(document(f"P{number}", f"Pont numéro {number}") for number in range(25)),
        stub("gone"),
    )
    return service


def page(service: Service, address: str, status: int = 200) -> html.HtmlElement:
    answer = service.client.get(address)
    assert answer.status_code == status, answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert len(answer.content) < 100_000
    return html.document_fromstring(answer.text)


def texts(found: html.HtmlElement, path: str) -> list[str]:
    return [said(each) for each in found.cssselect(path)]


def said(element: html.HtmlElement) -> str:
    """What it says, with single spaces."""
    return " ".join(element.text_content().split())


def test_a_search_says_what_it_found_and_why(filled: Service) -> None:
    found = page(filled, "/?q=voiries")
    assert texts(found, "h1") == ["2 résultats pour « voiries »"]
    assert set(texts(found, ".results h2")) == {"Réfection de la voirie", "Voirie du hameau"}
    assert texts(found, ".results mark")[0].lower() == "voirie"
    assert any(
        "clôture dans 5 jours, le mardi 17 mars 2026" in fact for fact in texts(found, ".facts")
    )


def test_filters_are_links_that_put_them_on_and_chips_that_take_them_off(
    filled: Service,
) -> None:
    found = page(filled, "/?q=voirie")
    needs = next(a for a in found.cssselect("aside a") if said(a) == "Besoin")
    narrowed = page(filled, needs.get("href"))
    assert texts(narrowed, ".results h2") == ["Voirie du hameau"]
    chip = narrowed.cssselect(".chips a")[0]
    assert said(chip) == "Besoin × : retirer ce filtre"
    assert texts(page(filled, chip.get("href")), "h1") == ["2 résultats pour « voirie »"]


def test_a_new_search_keeps_the_filters(filled: Service) -> None:
    found = page(filled, "/?q=voirie&kind=need&status=reported")
    carried = {(i.get("name"), i.get("value")) for i in found.cssselect("form input[type=hidden]")}
    assert carried == {("kind", "need"), ("status", "reported")}


def test_pages_follow_one_another(filled: Service) -> None:
    first = page(filled, "/?q=pont")
    second = page(filled, first.cssselect("a[rel=next]")[0].get("href"))
    titles = texts(first, ".results h2") + texts(second, ".results h2")
    assert len(titles) == len(set(titles)) == 25


def test_a_record_shows_facts_lots_actions_and_who_says_it(filled: Service) -> None:
    found = page(filled, "/?q=réfection")
    record = page(filled, found.cssselect(".results h2 a")[0].get("href"))
    assert texts(record, "h1") == ["Réfection de la voirie"]
    facts = dict(zip(texts(record, "dt"), texts(record, "dd"), strict=True))
    assert facts["Lieu"] == "Marseille"
    assert facts["Montant estimé"] == "120 000 € HT"
    assert "45233140" in facts["Achat (CPV)"]
    assert texts(record, ".actions a") == ["Répondre", "Voir la publication d’origine"]
    assert texts(record, "tbody td")[:2] == ["Chaussée", "80 000 €"]
    assert "référence V1" in texts(record, ".sources li")[0]


def test_a_whole_publication_counts_as_read_by_page_and_api_and_a_search_as_none(
    filled: Service,
) -> None:
    before = filled.reads(MARSEILLE)
    found = filled.ask(q="réfection")["items"][0]["id"]
    page(filled, "/?q=réfection")
    page(filled, f"/fiche/{stub('gone')['id']}", 410)
    assert filled.reads(MARSEILLE) == before
    page(filled, f"/fiche/{found}")
    assert filled.client.get(f"/v1/opportunities/{found}").status_code == 200
    assert filled.reads(MARSEILLE) == before + 2


def test_nothing_that_was_published_or_typed_becomes_code(filled: Service) -> None:
    for address in ("/?q=tramway", f"/?q={EVIL}", f"/?institution={EVIL}"):
        found = page(filled, address)
        assert not found.cssselect(FOREIGN)
    found = page(filled, "/?q=tramway")
    record = page(filled, found.cssselect(".results h2 a")[0].get("href"))
    assert not record.cssselect(FOREIGN)
    assert texts(record, "h1")[0].startswith("<script>")


def test_an_ambiguous_code_is_answered_with_a_choice(filled: Service) -> None:
    found = page(filled, "/?territory=13001", 400)
    choices = [a.get("href") for a in found.cssselect("main li a")]
    assert sorted(choices) == ["/?territory=com:13001", "/?territory=cp:13001"]
    for choice in choices:
        page(filled, choice)
    asked = page(filled, "/?q=voirie&territory=dep:83,13001&kind=call", 400)
    assert "/?q=voirie&kind=call&territory=dep:83&territory=com:13001" in [
        a.get("href") for a in asked.cssselect("main li a")
    ]
    typed = page(filled, "/?q=voirie+13001&kind=call")
    (notice,) = typed.cssselect(".notice")
    assert said(notice).startswith("« 13001 » peut être plusieurs territoires")
    aix, district = (page(filled, a.get("href")) for a in notice.cssselect("a"))
    assert texts(aix, ".chips li")[-2].startswith("Aix-en-Provence")
    assert texts(district, ".chips li")[-2].startswith("13001 Marseille")
    assert texts(aix, "h1")[0].endswith("pour « voirie »")


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/?kind=chose", 400),
        ("/?inconnu=1", 400),
        ("/fiche/zzzz", 404),
        ("/?cursor=faux", 400),
    ],
)
def test_a_mistake_gets_a_page_with_a_sentence(filled: Service, address: str, status: int) -> None:
    found = page(filled, address, status)
    assert texts(found, "main p")[0]
    assert found.cssselect("main a[href='/']")


def test_what_was_withdrawn_says_so(filled: Service) -> None:
    identity = stub("gone")["id"]
    assert "retirée" in texts(page(filled, f"/fiche/{identity}", 410), "main p")[0]


def test_an_empty_page_helps(filled: Service) -> None:
    found = page(filled, "/?q=vaisseau+spatial+koala&kind=need")
    assert texts(found, "h1") == ["Aucun résultat pour « vaisseau spatial koala »"]
    assert any("Retirez un filtre" in line for line in texts(found, ".empty li"))
    assert texts(found, "details.files > summary") == ["S’abonner à cette recherche (RSS)"]
    assert not found.cssselect("details.files a[href*=csv]")


def test_where_a_filter_hides_everything_the_page_leads_back(filled: Service) -> None:
    """Also where the word had to be corrected first."""
    for text in ("voirie", "voirke"):
        found = page(filled, f"/?q={text}&territory=dep:09&reach=within&kind=need")
        notices = found.cssselect(".notice")
        assert texts(found, ".notice")[-1] == (
            "Le filtre « Ariège » écarte tout : sans lui, 1 résultat. Sans « Ariège » (1)"
        )
        if text == "voirke":
            assert texts(found, ".notice")[0].startswith("Aucun résultat ici, même pour « voirie »")
        back = page(filled, notices[-1].cssselect("a")[0].get("href"))
        assert texts(back, ".results h2") == ["Voirie du hameau"]
    found = page(filled, "/?q=voirie&territory=dep:09&reach=within&amount_min=900000")
    (link,) = found.cssselect(".notice a")
    assert said(link) == "Sans aucun filtre"
    assert len(page(filled, link.get("href")).cssselect(".results h2")) == 2


def test_the_style_is_ours_and_short(filled: Service) -> None:
    answer = filled.client.get("/static/style.css")
    assert answer.status_code == 200
    assert not re.search(r"url\(|@import|http", answer.text)


def test_every_field_has_a_name_for_who_does_not_see(filled: Service) -> None:
    found = page(filled, "/?q=voirie")
    assert found.get("lang") == "fr"
    for field in found.cssselect("input:not([type=hidden])"):
        assert found.cssselect(f"label[for={field.get('id')}]")
    levels = [int(h.tag[1]) for h in found.cssselect("h1, h2, h3")]
    assert levels[0] == 1
    assert levels.count(1) == 1


def test_what_the_search_did_by_itself_is_said_and_can_be_taken_back(filled: Service) -> None:
    """A correction with the way to insist, and a place understood as a removable filter."""
    corrected = page(filled, "/?q=voirke")
    assert texts(corrected, ".notice") == [
        "Résultats pour « voirie ». Chercher « voirke » tel quel"
    ]
    insisted = page(filled, corrected.cssselect(".notice a")[0].get("href"))
    assert "Aucune publication ne contient" in texts(insisted, ".notice")[0]
    understood = page(filled, "/?q=voirie+marseille")
    chip = understood.cssselect(".chips a")[0]
    assert "« marseille » compris : Marseille (13)" in said(chip)
    literal = page(filled, chip.get("href"))
    assert "« marseille » au mot" in texts(literal, ".chips")[0]
