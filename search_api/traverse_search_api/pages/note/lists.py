"""The items that the note of a week names, and why; and the lists behind its figures. Pure."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from traverse_schemas.documents.status import TO_CONFIRM, french_day
from traverse_schemas.french.numbers import euros
from traverse_schemas.reference.territories import Territories
from traverse_search_api.answers.links import EXPIRED, may_answer
from traverse_search_api.filters.status_query import index_text
from traverse_search_api.pages import words
from traverse_search_api.pages.address import page_address
from traverse_search_api.pages.note.reading import Found, Item, Scope

_SOON: Final = timedelta(days=30)
ENDINGS: Final = (
    ("satisfaits", "need", ("met",), "Besoins satisfaits"),
    ("attribues", "call", ("awarded",), "Marchés attribués"),
    ("realises", "project", ("completed",), "Projets réalisés"),
    ("sans-suite", "call", ("unsuccessful", "dropped"), "Consultations sans suite"),
    ("abandonnes", "need", ("abandoned",), "Besoins abandonnés"),
)
"""How things end: the name of the list, kind, outcomes, words."""

LISTS: Final = {
    "sans-reponse": "Besoins sans aucune réponse",
    "douleurs": "Ce qui fait mal",
    "reponses": "Besoins dont une réponse possible est parue",
    **{name: label for name, _, _, label in ENDINGS},
}
"""The lists behind figures that no search counts."""


class Line(NamedTuple):
    """One item and why it stands there."""

    title: str
    address: str
    facts: str
    reasons: str = ""


Place = tuple[str, str]
"""A territory's code and its name."""


def listed(
    found: Found,
    scope: Scope,
    territories: Territories,
    name: str,
    *,
    theme: str = "",
    place: str = "",
) -> list[Line]:
    """The items behind a figure: one of `LISTS`, of a theme and a place where these are said."""
    as_of = scope.as_of
    if name == "sans-reponse":
        of = places_in(scope, territories)
        return [
            line_of(need, as_of, "; ".join(reasons(need, as_of)))
            for need in found.left
            if theme in ("", *(need["themes"] or ("sans",))) and place in ("", of(need)[0])
        ]
    if name == "douleurs":
        return [line_of(need, as_of, "; ".join(why)) for need, why in painful(found.left, as_of)]
    if name == "reponses":
        return [
            line_of(need, as_of, f"réponse possible : {', '.join(titles)}")
            for need, titles in answered_needs(found)
        ]
    for ending, kind, outcomes, _ in ENDINGS:
        if ending == name:
            return [
                line_of(item, as_of)
                for item in found.closed
                if item["kind"] == kind and item["outcome"] in outcomes
            ]
    return []


def list_address(scope: Scope, name: str, **more: str) -> str:
    """The address of one of `LISTS`."""
    asked = {"lieu": scope.code or "fr", "semaine": scope.week.code, "quoi": name, **more}
    if scope.as_of < scope.week.end:
        asked["as_of"] = index_text(scope.as_of)
    return page_address({key: [value] for key, value in asked.items()}, "/note/liste")


def places_in(scope: Scope, territories: Territories) -> Callable[[Mapping[str, Any]], Place]:
    """In which part of the scope's territory a need lies: communes of an intercommunality,
    intercommunalities of a département, départements of more."""
    level = {"dep": "epci", "reg": "dep", "fr": "dep"}.get(
        (scope.code or "fr").partition(":")[0], "com"
    )

    def of(need: Mapping[str, Any]) -> Place:
        own = need["territory"]
        if not own:
            return ("", "Lieu non dit")
        chain = territories.chain(own["code"])
        part = chain.first(level) if chain else None
        return (part.code, part.name) if part else (own["code"], own["name"])

    return of


def reasons(need: Mapping[str, Any], as_of: datetime) -> list[str]:
    """Why a need without an answer hurts, in words: its day is past or near, several say it, it
    waits for long. The heaviest first; none: it is only awaited."""
    today = french_day(as_of)
    found = []
    until = need.get("window", {}).get("to")
    if until:
        day = date.fromisoformat(until[:10])
        if day < today:
            found.append(f"attendu pour le {words.day(day)}, c’est passé")
        elif day <= today + _SOON:
            found.append(f"attendu pour le {words.planned_day(day)}")
    several = len({one["source"].split(":")[2] for one in need["sources"]})
    if several > 1:
        found.append(f"dit par {several} institutions")
    alike = sum(link["type"] == "joint" and link.get("state") != EXPIRED for link in need["links"])
    if alike:
        found.append(f"{words.count(alike, 'besoin semblable', 'besoins semblables')} à côté")
    waited = as_of - datetime.fromisoformat(need["published_at"])
    if waited >= TO_CONFIRM:
        months = waited.days // 30
        found.append(f"sans réponse depuis {months} mois")
    return found


def painful(needs: Iterable[Item], as_of: datetime) -> list[tuple[Item, list[str]]]:
    """The needs that hurt, with why: those with the most reasons first, then the oldest."""
    found = [(need, why) for need in needs if (why := reasons(need, as_of))]
    found.sort(key=lambda pair: (-len(pair[1]), pair[0]["published_at"], pair[0]["id"]))
    return found


def answered_needs(found: Found) -> list[tuple[Item, list[str]]]:
    """The needs of which a possible answer came in the week, with the titles of these."""
    pairs = []
    for need in found.needs:
        ids = [link["id"] for link in may_answer(need["links"])]
        titles = [found.answers[one]["title"] for one in ids if one in found.answers]
        if titles:
            pairs.append((need, titles))
    return pairs


def line_of(item: Mapping[str, Any], as_of: datetime, why: str = "") -> Line:
    """An item as a line: what one must know of it, and why it stands there."""
    owners = [one["name"] for one in item["institutions"] if one["role"] == "owner"]
    where = (item["territory"] or {}).get("name", "")
    deadline = item["deadline"] and item["kind"] == "call" and item["status"] != "announced"
    facts = [
        words.dated_deadline(item["deadline"], as_of) if deadline else "",
        item["kind_label"],
        ", ".join(owners),
        where if where not in owners else "",
        euros(item["amount"]) if item["amount"] else "",
    ]
    said = " · ".join(fact for fact in facts if fact)
    return Line(item["title"], f"/fiche/{item['id']}", said, why)
