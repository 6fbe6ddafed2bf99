"""What the search page says before anything was asked: that it shows all there is, and how much
of it can be answered today. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from traverse_schemas.documents.status import Status
from traverse_search_api.pages.address import Given, page_address
from traverse_search_api.pages.dashboard_view import WAITING
from traverse_search_api.pages.words import at_least, count

_NO_CHOICE: Final = frozenset({"sort", "explain"})
"""The parameters that leave nothing out."""

_PRESENT: Final = (
    # What closes soon counts as open too.
    ("call", (Status.OPEN,), "appel ou marché ouvert", "appels et marchés ouverts"),
    ("need", WAITING, "besoin en attente", "besoins en attente"),
)


def is_whole(asked: Given) -> bool:
    """Whether nothing was asked."""
    return set(asked) <= _NO_CHOICE


def everything(value: int, exact: bool) -> str:
    """« Tout ce qui est publié : 1 204 publications »."""
    if value == 0:
        return "Rien n’est publié pour le moment"
    return f"Tout ce qui est publié : {publications(value, exact)}"


def publications(value: int, exact: bool) -> str:
    """« aucune publication », « 1 publication », « plus de 100 000 publications »."""
    if value == 0:
        return "aucune publication"
    return at_least(count(value, "publication", "publications"), exact)


def present(asked: Given, statuses: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Of all there is, what can be answered today: how much in words, and the address of its list.
    `statuses` are those of the answer, each `value` with its `count`."""
    counts = {each["value"]: each["count"] for each in statuses}
    found = []
    for kind, codes, one, many in _PRESENT:
        value = sum(counts.get(code.value, 0) for code in codes)
        if value:
            chosen = {"kind": [kind], "status": [code.value for code in codes]}
            found.append((count(value, one, many), page_address({**asked, **chosen})))
    return found
