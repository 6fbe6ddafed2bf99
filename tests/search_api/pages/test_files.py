"""The files and feeds of the search on a page: all of it, with what its reader may read."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from lxml import html

from tests.documents import document
from tests.search_api.accounts.people import MARSEILLE, NOW, House, house, words_of
from traverse_search_api.access.reader import ANYBODY, Reader
from traverse_search_api.answers.items import item_of
from traverse_search_api.errors import TooManyExportsError, TooManyRowsError
from traverse_search_api.exports import routes as export_routes
from traverse_search_api.exports.formats import FEED_FORMS, Form
from traverse_search_api.pages.files_view import FilesView, files_view
from traverse_search_api.parameters import SearchParameters

LEA = "lea@marseille.example"
ASKED = "/mon-institution/recherche.csv?q=voirie&territory=dep%3A13"
BROWSER = {"Accept": "text/html"}


def files(*, found: bool = True, member: bool = False, **asked: Any) -> FilesView:
    return files_view(SearchParameters.model_validate(asked), found=found, member=member)


def test_files_are_of_the_search_as_it_stands_and_feeds_of_what_comes() -> None:
    """A file is in the page's order, of its date; a feed has the last ones, of its own."""
    made = files(q="voirie & trottoirs", kind=["call"], sort="deadline", as_of="2026-03-01")
    whole = "q=voirie+%26+trottoirs&kind=call&as_of=2026-03-01&sort=deadline"
    assert [one.address for one in made.files] == [
        f"/v1/opportunities.{form}?{whole}" for form in ("xlsx", "csv", "ics", "geojson", "ndjson")
    ]
    followed = "q=voirie+%26+trottoirs&kind=call"
    assert [one.address for one in made.feeds] == [
        f"/v1/opportunities.{form}?{followed}" for form in ("rss", "atom")
    ]
    assert made.atom == made.feeds[1].address
    assert files(cursor="x", size=5, explain=True).files[0].address == "/v1/opportunities.xlsx"


def test_a_member_s_files_ask_for_the_session_and_feeds_for_nothing() -> None:
    made = files(member=True)
    assert made.files[1].address == "/mon-institution/recherche.csv"
    assert made.feeds[0].address == "/v1/opportunities.rss"


def test_of_nothing_there_is_no_file_but_a_feed() -> None:
    made = files(found=False)
    assert (made.files, len(made.feeds)) == ([], 2)


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[House, list[Reader]]]:
    """A service where every search finds one thing, and who has read it as a file."""
    readers: list[Reader] = []

    @asynccontextmanager
    async def found(
        _: Any, parameters: SearchParameters, reader: Reader, _most: Any
    ) -> AsyncIterator[Any]:
        readers.append(reader)
        if parameters.q == "tout":
            raise TooManyRowsError(100_000)
        if parameters.q == "foule":
            raise TooManyExportsError(2)

        async def pages() -> AsyncIterator[list[dict[str, Any]]]:
            yield [item_of({"_source": document("V1", "Réfection de la voirie")}, NOW, reader)]

        yield pages()

    monkeypatch.setattr(export_routes, "export_pages", found)
    with house() as made:
        yield made, readers


def test_a_file_has_what_its_reader_may_read(own: tuple[House, list[Reader]]) -> None:
    """By the session, for the page and for the API alike; the API's is anybody's without one."""
    made, readers = own
    lea, nobody = made.signed_in(LEA), made.visitor()
    api = ASKED.replace("/mon-institution/recherche", "/v1/opportunities")
    for visitor, address in ((lea, ASKED), (lea, api), (nobody, api)):
        answer = visitor.get(address)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert "attachment" in answer.headers["content-disposition"]
        assert "Réfection de la voirie" in answer.text
        assert "https://traverse.example/fiche/" in answer.text
    assert lea.get(ASKED).headers["cache-control"] == "no-store"
    assert readers == [Reader(MARSEILLE, buyer=True)] * 2 + [ANYBODY, Reader(MARSEILLE, buyer=True)]


@pytest.mark.parametrize("form", list(Form))
def test_a_feed_opens_where_it_is_followed_and_any_other_form_is_a_file_to_keep(
    own: tuple[House, list[Reader]], form: Form
) -> None:
    """Browsers and feed readers show what is inline; it has a name for who saves it."""
    answer = own[0].visitor().get(f"/v1/opportunities.{form}?q=voirie")
    shown = "inline" if form in FEED_FORMS else "attachment"
    assert answer.headers["content-disposition"] == f'{shown}; filename="traverse.{form}"'
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_who_is_signed_out_meanwhile_is_asked_to_sign_in_and_given_no_part(
    own: tuple[House, list[Reader]],
) -> None:
    """The public part alone would look whole; they come back to the search."""
    made, readers = own
    lea = made.signed_in(LEA)
    made.clock.move(hours=2)
    for visitor in (lea, made.visitor()):
        answer = visitor.get(ASKED)
        assert answer.status_code == 303
        back = "/connexion?vers=%2F%3Fq%3Dvoirie%26territory%3Ddep%253A13"
        assert answer.headers["location"] == back
    assert readers == []


def test_who_is_signed_out_from_a_long_search_is_still_asked_to_sign_in(
    own: tuple[House, list[Reader]],
) -> None:
    """One that is too long to come back to leads to the beginning."""
    visitor = own[0].visitor()
    asked = visitor.get("/mon-institution/recherche.csv", params={"q": "été " * 200})
    page = visitor.get(asked.headers["location"])
    assert page.status_code == 200
    assert html.document_fromstring(page.text).cssselect("input[name=vers]")[0].get("value") == "/"


@pytest.mark.parametrize(
    ("asked", "status", "sentence"),
    [
        ("xlsx?q=tout", 400, "Cette recherche a plus de 100\u202f000 résultats"),
        ("csv?q=foule", 429, "2 exports sont déjà en cours"),
        ("csv?kind=chose", 422, "Un de ses réglages est trop long, ou mal écrit"),
    ],
)
def test_what_goes_wrong_with_a_file_is_told_to_people_by_a_page(
    own: tuple[House, list[Reader]], asked: str, status: int, sentence: str
) -> None:
    """At the address of members and at that of all; a program gets its problem there."""
    made, _ = own
    lea = made.signed_in(LEA)

    def page_of(answer: httpx.Response) -> None:
        assert answer.status_code == status
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert html.document_fromstring(answer.text).cssselect("main h1")
        assert sentence in words_of(answer)
        assert ("retry-after" in answer.headers) == (status == 429)

    page_of(lea.get(f"/mon-institution/recherche.{asked}", headers=BROWSER))
    page_of(lea.get(f"/v1/opportunities.{asked}", headers=BROWSER))
    program = lea.get(f"/v1/opportunities.{asked}")
    assert program.status_code == status
    assert program.headers["content-type"] == "application/problem+json"
