"""« Note du comité stratégique » as data: what is awaited and what hurts, what was answered, what
grew, what comes. Every figure has the address of what it counts. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from traverse_schemas.french.numbers import number
from traverse_schemas.reference.territories import Territories
from traverse_search_api import labels
from traverse_search_api.pages.address import page_address
from traverse_search_api.pages.dashboard_view import MOST_NEEDS
from traverse_search_api.pages.note.lists import (
    ENDINGS,
    Line,
    Place,
    answered_needs,
    line_of,
    list_address,
    painful,
    places_in,
)
from traverse_search_api.pages.note.reading import AHEAD, BEFORE, Found, Item, Scope

ROWS: Final = 6
LINES: Final = 5
"""Rows of a table and items of a part: all of the note fits on two printed pages."""

_CUT: Final = (
    f"Les réponses possibles sont cherchées parmi les {number(MOST_NEEDS)} besoins les plus "
    "récents."
)
_NO_GROUPINGS: Final = "Les groupements n’ont pas pu être lus : cette note est sans eux."
_KINDS: Final = (("need", "Besoins"), ("call", "Appels et marchés"), ("project", "Projets"))


class Figure(NamedTuple):
    """A number, and the address where what it counts is listed."""

    label: str
    value: str
    address: str = ""


class Cell(NamedTuple):
    """A number of a table; without an address where there is nothing to list."""

    value: str
    address: str = ""


class Row(NamedTuple):
    """A line of a table: a theme, a place or a kind, its numbers, and a last word."""

    label: str
    cells: list[Cell]
    word: str = ""


@dataclass(frozen=True, slots=True)
class NoteView:
    """The note, part by part. `missing` says what could not be read, `cut` where not all was looked
    at."""

    figures: list[Figure]
    themes: list[Row]
    places: list[Row]
    pains: list[Line]
    more_pains: str
    pains_address: str
    endings: list[Figure]
    answered: list[Line]
    grouped: list[Line]
    missing: str
    grew: list[Row]
    weeks: list[Row]
    coming: list[Line]
    cut: str


def note_view(found: Found, scope: Scope, territories: Territories) -> NoteView:
    """The note of what was found."""
    left, place = found.left, places_in(scope, territories)
    pains = painful(left, scope.as_of)
    answered = answered_needs(found)
    grouped = list(_grouped(found.groupings or (), scope))
    return NoteView(
        figures=list(_figures(found, scope, len(left), len(pains), len(grouped))),
        themes=_by_theme(found.needs, left, scope, place),
        places=_by_place(left, scope, place),
        pains=[line_of(need, scope.as_of, "; ".join(why)) for need, why in pains[:LINES]],
        more_pains=number(len(pains) - LINES) if len(pains) > LINES else "",
        pains_address=list_address(scope, "douleurs"),
        endings=list(_endings(found, scope)),
        answered=[
            line_of(need, scope.as_of, f"réponse possible : {', '.join(titles)}")
            for need, titles in answered[:LINES]
        ],
        grouped=grouped[:LINES],
        missing=_NO_GROUPINGS if found.groupings is None else "",
        grew=_grew(found.counts, scope),
        weeks=_weeks(found.coming_counts, scope),
        coming=[line_of(item, scope.as_of) for item in found.coming[:LINES]],
        cut=_CUT if found.waiting > len(found.needs) else "",
    )


def _figures(found: Found, scope: Scope, left: int, pains: int, grouped: int) -> Iterable[Figure]:
    new = _doc_counts(found.counts.get("week", {})).get("need", 0)
    came = len(answered_needs(found))
    closing = sum(each.get("doc_count", 0) for each in found.coming_counts.values())
    yield Figure("Besoins en attente", number(found.waiting), scope.waiting())
    yield Figure("sans aucune réponse", number(left), list_address(scope, "sans-reponse"))
    yield Figure("qui font mal", number(pains), list_address(scope, "douleurs"))
    yield Figure("signalés cette semaine", number(new), scope.published(0, kind="need"))
    yield Figure("Réponses possibles parues", number(came), list_address(scope, "reponses"))
    if found.groupings is not None:
        where = page_address({"lieu": [scope.code or ""], "toutes": ["oui"]}, "/mutualiser")
        yield Figure("Groupements qui ont avancé", number(grouped), where)
    yield Figure(f"Clôtures des {AHEAD} semaines à venir", number(closing), scope.closing())


def _by_theme(
    needs: Sequence[Item],
    left: Sequence[Item],
    scope: Scope,
    place: Callable[[Mapping[str, Any]], Place],
) -> list[Row]:
    """What is awaited by theme, and where most of all; a need may be of several."""
    waiting = Counter(theme for need in needs for theme in need["themes"])
    counts = Counter(theme for need in left for theme in need["themes"] or ("sans",))
    rows = []
    for theme, count in _ranked(counts):
        where = Counter(place(need)[1] for need in left if theme in (need["themes"] or ("sans",)))
        name, most = _ranked(where)[0]
        known = theme != "sans"
        rows.append(
            Row(
                labels.theme_label(theme) if known else "Sans thème",
                [
                    Cell(number(waiting[theme]), scope.waiting(theme=theme))
                    if known
                    else Cell("–"),
                    Cell(number(count), list_address(scope, "sans-reponse", theme=theme)),
                ],
                f"{name} ({number(most)})",
            )
        )
    return rows


def _by_place(
    left: Sequence[Item], scope: Scope, place: Callable[[Mapping[str, Any]], Place]
) -> list[Row]:
    """The same by place, and of what most of all."""
    names = dict(place(need) for need in left)
    rows = []
    for code, count in _ranked(Counter(place(need)[0] for need in left)):
        themes = Counter(
            theme for need in left if place(need)[0] == code for theme in need["themes"]
        )
        theme, most = _ranked(themes)[0] if themes else ("", 0)
        rows.append(
            Row(
                names[code],
                [Cell(number(count), list_address(scope, "sans-reponse", place=code))],
                f"{labels.theme_label(theme)} ({number(most)})" if theme else "",
            )
        )
    return rows


def _endings(found: Found, scope: Scope) -> Iterable[Figure]:
    """How many things ended in the week, and how; what did not happen is not said."""
    kinds = {each["key"]: each for each in found.closed_counts.get("kinds", {}).get("buckets", ())}
    for name, kind, outcomes, label in ENDINGS:
        ended = kinds.get(kind, {}).get("outcomes", {}).get("buckets", ())
        count = sum(each["doc_count"] for each in ended if each["key"] in outcomes)
        if count:
            yield Figure(label, number(count), list_address(scope, name))


def _grouped(groupings: Iterable[Mapping[str, Any]], scope: Scope) -> Iterable[Line]:
    """The groupings of which somebody said something, or took a formal step, in the week."""
    first, last = scope.week.monday.isoformat(), scope.week.sunday.isoformat()
    for one in groupings:
        said = [
            f"{member['owner']} : {member['stance_label'].lower()}"
            for member in (*one["members"], *one.get("others", ()))
            if "stance_label" in member and first <= member.get("stance_on", "")[:10] <= last
        ]
        if said:
            address = page_address({"toutes": ["oui"]}, "/mutualiser")
            yield Line(one["subject"], address, one["status_label"], "; ".join(said))


def _grew(counts: Mapping[str, Any], scope: Scope) -> list[Row]:
    """What was published in the week beside a usual one: every kind, then the themes of needs that
    grew most. A usual week is the mean of those before."""
    week, before = counts.get("week", {}), counts.get("before", {})
    new, old = _doc_counts(week), _doc_counts(before)
    rows = [
        _grown(label, new.get(kind, 0), old.get(kind, 0), scope, kind=kind)
        for kind, label in _KINDS
    ]
    new, old = _doc_counts(week, "need"), _doc_counts(before, "need")
    risen = sorted(
        (theme for theme, count in new.items() if count > old.get(theme, 0) / BEFORE),
        key=lambda theme: (old.get(theme, 0) / BEFORE - new[theme], theme),
    )
    return rows + [
        _grown(
            f"Besoins : {labels.theme_label(theme)}", new[theme], old.get(theme, 0), scope,
            kind="need", theme=theme,
        )
        for theme in risen[:ROWS]
    ]  # fmt: skip


def _grown(label: str, new: int, old: int, scope: Scope, **asked: str) -> Row:
    difference = new - old / BEFORE
    sign = "+" if difference > 0 else "−" if difference < 0 else ""
    text = f"{abs(difference):.2f}".rstrip("0").rstrip(".").replace(".", ",")
    return Row(
        label,
        [
            Cell(number(new), scope.published(0, **asked) if new else ""),
            Cell(number(old), scope.published(BEFORE, **asked) if old else ""),
        ],
        f"{sign}{text}" if sign else "stable",
    )


def _weeks(counts: Mapping[str, Any], scope: Scope) -> list[Row]:
    rows = []
    for ahead in range(AHEAD):
        count = counts.get(str(ahead), {}).get("doc_count", 0)
        address = scope.closing(ahead) if count else ""
        week = scope.week.before(-1 - ahead)
        rows.append(Row(week.label.capitalize(), [Cell(number(count), address)]))
    return rows


def _doc_counts(counts: Mapping[str, Any], kind: str = "") -> dict[str, int]:
    """Counts by kind; or those of one kind, by theme."""
    buckets = counts.get("kinds", {}).get("buckets", ())
    if kind:
        buckets = [
            each for one in buckets if one["key"] == kind for each in one["themes"]["buckets"]
        ]
    return {each["key"]: each["doc_count"] for each in buckets}


def _ranked(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:ROWS]
