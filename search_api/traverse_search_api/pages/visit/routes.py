"""« Fiche de visite »: what there is around a commune, for who goes there; one page to print."""

from asyncio import gather
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from traverse_schemas.french.numbers import euros, number
from traverse_schemas.reference.themes import THEMES
from traverse_search_api.accounts.visits import Visits
from traverse_search_api.errors import InvalidParameterError
from traverse_search_api.pages import words
from traverse_search_api.pages.address import page_address
from traverse_search_api.pages.dashboard_view import MOST_NEEDS, unanswered
from traverse_search_api.pages.reading import Reading, Readings
from traverse_search_api.pages.render import Renderer
from traverse_search_api.pages.typed_place import PlaceChoice, place_choices, retyped
from traverse_search_api.pages.visit.offline import marked, state_of
from traverse_search_api.permanences.calendar import Permanence
from traverse_search_api.permanences.held import Calendars
from traverse_search_api.permanences.near import calendar_file, lines_of, near_to

MOST: Final = 5
"""Items of each part: all of them fit on one printed page."""

MOST_PERMANENCES: Final = 3
_TRADE: Final = 120
_Where = Annotated[str, Query(alias="lieu", max_length=120)]
_AsOf = Annotated[str | None, Query(max_length=40)]


@dataclass(frozen=True, slots=True)
class Line:
    """One item, on one or two printed lines."""

    address: str
    title: str
    owner: str
    place: str
    kind: str
    status: str
    deadline: str
    amount: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the page. `total` counts what there is beyond the lines shown; `address` is the
    search for all of it."""

    title: str
    lines: list[Line]
    total: str
    empty: str
    address: str


PARTS: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    (
        "Ouvert : on peut répondre",
        "Rien d’ouvert en ce moment.",
        {"kind": "call", "status": "open", "sort": "deadline"},
    ),
    (
        "Prévu : projets et appels annoncés",
        "Aucun projet annoncé.",
        {
            "kind": "project,call",
            "status": "announced,idea,studies,funded,tendering",
            "sort": "published",
        },
    ),
    (
        "Besoins sans réponse",
        "Aucun besoin sans réponse.",
        {
            "kind": "need",
            "status": "reported,qualified,directed,to_confirm",
            "sort": "published",
        },
    ),
    (
        "Contrats en cours, à suivre",
        "Aucun contrat en cours.",
        {"kind": "call", "status": "running", "sort": "published"},
    ),
)


def visit_router(
    readings: Readings, render: Renderer, calendars: Calendars, visits: Visits | None
) -> APIRouter:
    """The routes. Without `visits` nobody signs in."""
    router = APIRouter(include_in_schema=False, route_class=render.route_class)

    @router.get("/visite")
    async def visit(
        request: Request,
        where: _Where = "",
        trade: Annotated[str, Query(alias="metier", max_length=_TRADE)] = "",
        theme: Annotated[str, Query(max_length=40)] = "",
        as_of: _AsOf = None,
    ) -> Response:
        """The page; a form as long as no place is said."""
        reading = readings.of(request, as_of)
        choices = place_choices(where, reading.territories)
        place = choices[0] if len(choices) == 1 else None
        theme = theme if theme in THEMES else ""
        parts = await _parts(reading, place, trade.strip(), theme) if place else []
        near = lines_of(await _permanences(calendars, reading, place))
        state = state_of(reading.as_of)
        answer = render.page(
            request,
            "visit.html",
            scripts=True,
            where=retyped(where, choices, reading.territories),
            trade=trade,
            theme=theme,
            themes=list(THEMES.items()),
            theme_label=THEMES.get(theme, ""),
            choices=choices,
            place=place,
            around=_around(reading, place),
            parts=parts,
            wider=wider_ways(place, trade.strip(), theme, as_of)
            if place and is_bare(parts)
            else [],
            permanences=near[:MOST_PERMANENCES],
            more_permanences=max(0, len(near) - MOST_PERMANENCES),
            calendar=_calendar_address(place, as_of),
            state=state,
        )
        title = f"{place.label}, état du {state}" if place else ""
        return marked(answer, request, visits, calendars.present.now(), title)

    @router.get("/visite.ics")
    async def calendar(request: Request, where: _Where = "", as_of: _AsOf = None) -> Response:
        """The permanences near a place, as a calendar file."""
        reading = readings.of(request, as_of)
        choices = place_choices(where, reading.territories)
        if len(choices) != 1:
            raise InvalidParameterError("lieu", "Dites un lieu : une commune, un code postal.")
        found = await _permanences(calendars, reading, choices[0])
        return Response(
            calendar_file(found, choices[0].label, reading.as_of),
            headers={
                "Content-Disposition": 'attachment; filename="permanences.ics"',
                "Cache-Control": "no-cache",
                "X-Content-Type-Options": "nosniff",
            },
            media_type="text/calendar; charset=utf-8",
        )

    return router


def is_bare(parts: list[Part]) -> bool:
    """Whether no part has anything."""
    return not any(part.lines for part in parts)


def wider_ways(
    place: PlaceChoice, trade: str, theme: str, as_of: str | None
) -> list[tuple[str, str]]:
    """Label and address of the sheets of a place that leave less out."""
    asked = {"lieu": place.code, "metier": trade, "theme": theme, "as_of": as_of or ""}

    def without(*names: str) -> str:
        kept = {name: [text] for name, text in asked.items() if text and name not in names}
        return page_address(kept, "/visite")

    if trade and theme:
        return [
            ("sans le métier", without("metier")),
            ("sans le thème", without("theme")),
            ("sans l’un ni l’autre", without("metier", "theme")),
        ]
    return [(f"sans {'le métier' if trade else 'le thème'}", without("metier", "theme"))] * bool(
        trade or theme
    )


async def _permanences(
    calendars: Calendars, reading: Reading, place: PlaceChoice | None
) -> list[Permanence]:
    """The next ones near a place."""
    chain = reading.territories.chain(place.code) if place else None
    if place is None or chain is None:
        return []
    return await calendars.coming(reading.as_of, near_to(chain, _wide(reading, place)))


def _calendar_address(place: PlaceChoice | None, as_of: str | None) -> str:
    asked = {"lieu": [place.code]} if place else {}
    return page_address(asked | ({"as_of": [as_of]} if as_of else {}), "/visite.ics")


async def _parts(reading: Reading, place: PlaceChoice, trade: str, theme: str) -> list[Part]:
    asked = {"territory": _wide(reading, place), "q": trade, "size": 30}
    if theme:
        asked["theme"] = theme
    answers = await gather(*(reading.find(**asked, **more) for _, _, more in PARTS))
    found = []
    for (title, empty, more), answer in zip(PARTS, answers, strict=True):
        items = answer["items"]
        total = answer["total"]["value"]
        if more["kind"] == "need":
            items = unanswered(items)
            total = len(items) if total <= 30 else min(total, MOST_NEEDS)
        lines = [_line(item, reading) for item in items[:MOST]]
        beyond = total - len(lines)
        search = {**asked, **more, "size": ""}
        address = page_address({name: [str(text)] for name, text in search.items() if text})
        left = number(beyond) if beyond > 0 else ""
        found.append(Part(title, lines, left, empty_sentence(empty, trade, theme), address))
    return found


def empty_sentence(empty: str, trade: str, theme: str) -> str:
    """What a part without anything says: a place where a trade finds nothing may have more."""
    asked = [
        *([f"le métier « {trade} »"] if trade else []),
        *([f"le thème « {THEMES[theme]} »"] if theme else []),
    ]
    return f"{empty.removesuffix('.')} pour {' et '.join(asked)}." if asked else empty


def _wide(reading: Reading, place: PlaceChoice) -> str:
    """A commune is visited with its intercommunality: what is next door counts too."""
    chain = reading.territories.chain(place.code)
    epci = chain.first("epci") if chain else None
    return epci.code if epci is not None and place.code.startswith(("com:", "cp:")) else place.code


def _around(reading: Reading, place: PlaceChoice | None) -> str:
    if place is None:
        return ""
    wide = reading.territories.chain(_wide(reading, place))
    return wide.name if wide and wide.code != place.code else ""


def _line(item: dict[str, Any], reading: Reading) -> Line:
    owners = [one["name"] for one in item["institutions"] if one["role"] == "owner"]
    return Line(
        address=f"/fiche/{item['id']}",
        title=item["title"],
        owner=", ".join(owners),
        place=(item["territory"] or {}).get("name", ""),
        kind=item["kind_label"],
        status=item["status_label"],
        deadline=words.deadline(item["deadline"], reading.as_of) if item["deadline"] else "",
        amount=euros(item["amount"]) if item["amount"] else "",
    )
