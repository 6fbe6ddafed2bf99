"""Which sites may frame a list: what is typed never becomes another header, and each institution
opens its own."""

import json
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.schemas.memory_log import MemoryTableLog, MemoryTopic
from tests.search_api.accounts.people import CHAMBER, MARSEILLE, House, house, token_of
from traverse_schemas.log.compacted_table import CompactedTable
from traverse_search_api.institutions.showcase_errors import InvalidOriginError, TooManyOriginsError
from traverse_search_api.institutions.showcases import (
    NOBODY,
    Showcase,
    Showcases,
    ancestors_of,
    decode_showcase,
    is_origin,
    origin_of,
    origins_typed,
)
from traverse_search_api.pages.showcase_routes import showcase_heading
from traverse_search_api.search import Searcher
from traverse_search_api.settings import SearchSettings

ADMINISTRATOR, PUBLISHER, NEIGHBOUR = (
    "ines@marseille.example",
    "paul@marseille.example",
    "omar@cci.example",
)
TRAPS = (
    "https://a.fr; script-src *",
    "https://a.fr https://b.fr",
    "https://a.fr\r\nSet-Cookie: a=b",
    "https://a.fr\nX: y",
    "https://a.fr,https://b.fr",
    "https://*.fr",
    "https://*",
    "*",
    "'self'",
    "'unsafe-inline'",
    "http://a.fr",
    "http://*",
    "http://localhost.fr",
    "http://localhost:*",
    "http://127.0.0.1.fr",
    "http://127.0.0.2",
    "http://localhost@a.fr",
    "ftp://localhost",
    "//a.fr",
    "a.fr",
    "javascript:alert(1)",
    "data:text/html,x",
    "https://",
    "https://u:p@a.fr",
    "https://a.fr/chemin",
    "https://a.fr?x",
    "https://a.fr#x",
    "https://a.fr:0",
    "https://a.fr:99999",
    "https://a..fr",
    "https://-a.fr",
    "https://a_b.fr",
    "https://" + "a" * 64 + ".fr",
    "https://" + "a." * 200 + "fr",
    "https://a.fr\x00",
    "https://a.fr\u2028b",
    "https://a.fr;",
    "https://[::1]",
)


@pytest.mark.parametrize("text", TRAPS)
def test_what_is_no_site_over_tls_is_refused_in_words(text: str) -> None:
    with pytest.raises(InvalidOriginError) as error:
        origin_of(text)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://www.exemple.fr", "https://www.exemple.fr"),
        ("HTTPS://WWW.Exemple.FR/", "https://www.exemple.fr"),
        ("https://a.fr:443", "https://a.fr"),
        ("https://a.fr:8443", "https://a.fr:8443"),
        ("https://île-de-france.fr", "https://xn--le-de-france-4fb.fr"),
        # For who develops a site.
        ("http://localhost:3000/", "http://localhost:3000"),
        ("http://LOCALHOST:80", "http://localhost"),
        ("http://localhost:443", "http://localhost:443"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_a_site_is_written_as_browsers_do(text: str, origin: str) -> None:
    assert origin_of(text) == origin
    assert origin_of(origin) == origin


@given(st.text(max_size=60) | st.from_regex(r"https://.{0,40}", fullmatch=True))
def test_whatever_is_typed_a_header_holds_one_origin_or_nothing(text: str) -> None:
    try:
        origin = origin_of(text)
    except InvalidOriginError:
        return
    assert is_origin(origin)
    assert not set(origin) & set(" ;,'\"*\r\n\t/?#@\\") - {"/"}
    assert origin.count("/") == 2
    assert decode_showcase(Showcase(origins=(origin,)).model_dump_json().encode()).origins


def test_a_row_with_a_trap_in_it_opens_nothing() -> None:
    for text in TRAPS:
        with pytest.raises(ValueError, match="fautes"):
            decode_showcase(json.dumps({"origins": [text]}).encode())
    assert ancestors_of(TRAPS) == NOBODY
    assert ancestors_of(("https://a.fr\n", "https://b.fr")) == "https://b.fr"


@pytest.mark.parametrize("text", ["*", "http://a.fr", "https://*.a.fr", "https://a.fr http://b.fr"])
def test_the_sites_of_the_operator_are_held_to_the_same(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence, which names the setting."""
    monkeypatch.setenv("TRAVERSE_SHOWCASE_ORIGINS", text)
    with pytest.raises(InvalidOriginError, match=r"^TRAVERSE_SHOWCASE_ORIGINS : « .* » n’est pas"):
        SearchSettings()


def test_the_sites_of_the_operator_are_written_as_browsers_do() -> None:
    typed = "https://WWW.exemple.fr/  http://localhost:3000 https://www.exemple.fr"
    chosen = SearchSettings(showcase_origins=typed).showcase_origins
    assert chosen == "https://www.exemple.fr http://localhost:3000"
    assert SearchSettings(showcase_origins="").showcase_origins == ""


def test_lines_are_sites_each_once_and_not_too_many() -> None:
    assert origins_typed(" https://a.fr \n\nhttps://b.fr/\nhttps://a.fr") == (
        "https://a.fr",
        "https://b.fr",
    )
    with pytest.raises(TooManyOriginsError):
        origins_typed("\n".join(f"https://a{number}.fr" for number in range(21)))


@pytest.mark.parametrize(
    ("total", "exact", "own", "said"),
    [
        (0, True, "", "Aucune publication"),
        (0, True, MARSEILLE, "Aucune publication"),
        (1, True, "", "1 publication"),
        (1204, True, MARSEILLE, "Ville de Marseille : 1 204 publications"),
        (100_000, False, "", "Plus de 100 000 publications"),
    ],
)
def test_a_showcase_says_what_it_is_in_the_page_of_another_site(
    total: int, exact: bool, own: str, said: str
) -> None:
    named = {"institutions": [{"name": "Ville de Marseille", "siren": MARSEILLE}]}
    items = [{"institutions": [{"name": "Syndicat"}]}, named] if total else []
    answer = {"total": {"value": total, "exact": exact}, "items": items}
    heading = showcase_heading(answer, own)
    assert heading.replace("\u202f", " ").replace("\u00a0", " ") == said


@pytest.fixture
def topic() -> MemoryTopic:
    return MemoryTopic()


@pytest.fixture
def town(topic: MemoryTopic) -> Iterator[House]:
    table = CompactedTable(
        MemoryTableLog(topic),
        encode=lambda row: row.model_dump_json().encode(),
        decode=decode_showcase,
    )
    with house(showcases=Showcases(table)) as made:
        yield made


def test_who_administers_an_institution_opens_its_own_list_and_no_other(
    town: House, topic: MemoryTopic
) -> None:
    ines = town.signed_in(ADMINISTRATOR)
    page = ines.get("/mon-institution/vitrine")
    assert f"/vitrine/{MARSEILLE}" in page.text
    sites = "https://b.fr\nhttps://a.fr:8443"
    sent = ines.post("/mon-institution/vitrine", data={"jeton": token_of(page), "sites": sites})
    assert sent.headers["location"] == "/mon-institution/vitrine?fait=enregistre"
    assert [message.key for message in topic.messages] == [MARSEILLE]
    assert town.audit.deeds[-1] == "showcase_opened"
    assert "https://a.fr:8443" in ines.get("/mon-institution/vitrine").text

    # A trap is shown again as it was typed, with why; nothing of it is kept.
    trap = "https://a.fr; script-src *</textarea><script>"
    again = ines.post("/mon-institution/vitrine", data={"jeton": token_of(page), "sites": trap})
    assert again.status_code == 422
    assert "<script>" not in again.text
    assert "script-src *" not in again.headers["content-security-policy"]
    assert len(topic.messages) == 1

    # Without its token, for another role, for nobody: nothing.
    assert ines.post("/mon-institution/vitrine", data={"sites": sites}).status_code == 403
    paul = town.signed_in(PUBLISHER)
    assert paul.get("/mon-institution/vitrine").status_code == 403
    token = token_of(paul.get("/compte"))
    answer = paul.post("/mon-institution/vitrine", data={"jeton": token, "sites": sites})
    assert answer.status_code == 403
    assert town.visitor().get("/mon-institution/vitrine").status_code == 303
    # A neighbour's page is the neighbour's.
    omar = town.signed_in(NEIGHBOUR)
    page = omar.get("/mon-institution/vitrine")
    assert "https://b.fr" not in page.text
    omar.post("/mon-institution/vitrine", data={"jeton": token_of(page), "sites": "https://c.fr"})
    assert [message.key for message in topic.messages] == [MARSEILLE, CHAMBER]
    # While the log is away nothing is said to be done.
    topic.away = True
    page = omar.post("/mon-institution/vitrine", data={"jeton": token_of(page), "sites": ""})
    assert page.status_code == 503


BROWSER = {"Accept": "text/html"}


def framed(answer: httpx.Response) -> str:
    policy: str = answer.headers["content-security-policy"]
    return policy.partition("frame-ancestors ")[2]


def test_what_goes_wrong_with_a_showcase_is_told_in_its_frame(
    topic: MemoryTopic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the sites that may frame it and to nobody else; and no other page may be framed, whatever
    goes wrong with it."""
    row = Showcase(origins=("https://b.fr", "https://a.fr:8443"))
    topic.write(MARSEILLE, row.model_dump_json().encode())
    table = CompactedTable(
        MemoryTableLog(topic),
        encode=lambda row: row.model_dump_json().encode(),
        decode=decode_showcase,
    )
    sites = {
        "/vitrine": "https://operateur.example",
        f"/vitrine/{MARSEILLE}": "https://b.fr https://a.fr:8443",
        f"/vitrine/{CHAMBER}": NOBODY,
        "/vitrine/200054807": NOBODY,
    }
    others = ("/", "/tableau-de-bord", "/vitrine/21130055x", f"/vitrine/{MARSEILLE}/x", "/vitrines")
    with house(
        showcases=Showcases(table),
        showcase_origins="https://operateur.example",
        address_rate=40,
        raising=False,
    ) as town:
        visitor = town.client
        visitor.headers.update(BROWSER)
        ines = town.signed_in(ADMINISTRATOR)  # a page for a frame is nobody's

        def judge(query: str, status: int, said: str) -> None:
            for path, ancestors in sites.items():
                answer = visitor.get(path + query)
                assert (answer.status_code, framed(answer)) == (status, ancestors), path
                assert said in answer.text and "<nav" not in answer.text
                assert "script" not in answer.headers["content-security-policy"]
                assert "set-cookie" not in answer.headers
            for path in others:
                assert framed(visitor.get(path + query)) == NOBODY, path

        judge("?kind=chose", 400, "Demande refusée")
        judge("?kind=call", 503, "Recherche indisponible")
        again = ines.get(f"/vitrine/{MARSEILLE}?territory=13001", headers=BROWSER)
        assert "Inès" not in again.text
        assert f'<a href="/vitrine/{MARSEILLE}?territory=com:13001">Aix-en-Provence' in again.text
        assert again.status_code == 400 and framed(again) == sites[f"/vitrine/{MARSEILLE}"]
        assert framed(visitor.post("/vitrine")) == NOBODY

        async def broken(*_: object) -> None:
            raise RuntimeError("le mot de passe est koala")

        with monkeypatch.context() as patch:
            patch.setattr(Searcher, "search", broken)
            judge("?kind=call", 500, "Une erreur s’est produite")
        while visitor.get("/nulle-part").status_code != 429:
            pass
        judge("", 429, "réessayez dans une minute")
        # Programs get problem+json, framed or not.
        program = visitor.get("/vitrine", headers={"Accept": "*/*"})
        assert program.headers["content-type"] == "application/problem+json"
