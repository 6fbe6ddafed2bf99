"""The files and feeds of a search, for its page. Pure."""

from dataclasses import dataclass
from typing import Final

from traverse_search_api.exports.formats import Form
from traverse_search_api.exports.routes import path_of
from traverse_search_api.pages.address import given, page_address
from traverse_search_api.pages.search_view import Link
from traverse_search_api.parameters import SearchParameters

FILES: Final[dict[Form, str]] = {
    Form.XLSX: "Tableur (XLSX)",
    Form.CSV: "Tableau (CSV)",
    Form.ICS: "Agenda des échéances (iCalendar)",
    Form.GEOJSON: "Carte (GeoJSON)",
    Form.NDJSON: "Pour un programme (NDJSON)",
}
FEEDS: Final[dict[Form, str]] = {Form.RSS: "RSS", Form.ATOM: "Atom"}
_ONE_LOOK: Final = frozenset({"as_of", "explain", "sort"})
"""Parameters that say nothing where a search is followed: a feed has the last ones, of its day."""


@dataclass(frozen=True, slots=True)
class FilesView:
    """`member`: the files have what the reader's institution reads, which no feed does: programs
    that read feeds do not sign in. `atom` is the feed that programs find by themselves."""

    files: list[Link]
    feeds: list[Link]
    atom: str
    member: bool


def files_view(parameters: SearchParameters, *, found: bool, member: bool) -> FilesView:
    """Where the search of a page is to be had, whole; no files of one that has `found` nothing."""
    asked = given(parameters)
    asked.pop("explain", None)
    followed = {name: texts for name, texts in asked.items() if name not in _ONE_LOOK}
    feeds = [Link(label, page_address(followed, path_of(form))) for form, label in FEEDS.items()]
    where = own_path_of if member else path_of
    files = [Link(label, page_address(asked, where(form))) for form, label in FILES.items()]
    atom = page_address(followed, path_of(Form.ATOM))
    return FilesView(files if found else [], feeds, atom, member)


def own_path_of(form: Form) -> str:
    """Where who has signed in finds the file."""
    return f"/mon-institution/recherche.{form.value}"
