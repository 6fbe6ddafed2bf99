"""The sheets of visits that a browser keeps, to be read without a network.

A service worker of ours keeps those that were opened, and only those (`static/visit-worker.js`).
What somebody reads who is signed in is kept as theirs: it goes when they sign out, when somebody
else is there or nobody any more, and by itself when their session must end.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from traverse_search_api.accounts.visits import Visits
from traverse_search_api.pages import words
from traverse_search_api.pages.render import Renderer

_PARIS: Final = ZoneInfo("Europe/Paris")
_WORKER: Final = Path(__file__).parent.parent / "static" / "visit-worker.js"
_PUBLIC_LASTS: Final = timedelta(days=7)


def offline_router(render: Renderer) -> APIRouter:
    """The routes of what works without a network."""
    router = APIRouter(include_in_schema=False, route_class=render.route_class)

    @router.get("/visite-hors-ligne.js")
    async def worker() -> Response:
        """The service worker. At the root: it serves addresses there."""
        return Response(
            _WORKER.read_bytes(),
            headers={
                "Cache-Control": "no-cache",
                "Content-Security-Policy": "default-src 'none'; connect-src 'self'",
                "X-Content-Type-Options": "nosniff",
            },
            media_type="text/javascript; charset=utf-8",
        )

    @router.get("/visite/hors-ligne")
    async def kept(request: Request) -> Response:
        """The page for who asks for a sheet that was not kept; the worker lists in it those that
        were."""
        return render.page(request, "visit_offline.html")

    return router


def marked(
    answer: Response, request: Request, visits: Visits | None, now: datetime, title: str
) -> Response:
    """The answer with what the worker must know: the sheet's title ("" for what is no sheet),
    whose it is (`public`: anybody's), and until when it may be kept. `now` is the machine's."""
    person = visits.person(request) if visits else None
    owner, until = "public", now + _PUBLIC_LASTS
    if visits is not None and person is not None:
        owner = visits.sessions.form_token(f"sheet {person.session.id}")
        until = person.session.started + visits.sessions.longest
    answer.headers["Traverse-Sheet-Owner"] = owner
    if title:
        answer.headers["Traverse-Sheet"] = quote(title)
        answer.headers["Traverse-Sheet-Until"] = str(int(until.timestamp()))
    return answer


def state_of(as_of: datetime) -> str:
    """« 12 mars 2026 à 11 h », in mainland France."""
    here = as_of.astimezone(_PARIS)
    return f"{words.day(here.date())} à {words.hour(here)}"
