"""Pages as answers: a template with what every page shows, and the headers that protect it."""

import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from traverse_schemas.clock import InvalidClockError
from traverse_search_api.accounts.account import ROLE_LABELS
from traverse_search_api.accounts.errors import (
    SignInNeededError,
    TooManyAttemptsError,
)
from traverse_search_api.accounts.forms import local_address, sign_in_address
from traverse_search_api.accounts.throttle import WAIT
from traverse_search_api.errors import (
    CHALLENGE,
    InvalidParameterError,
    MergedError,
    SearchError,
    TooManyExportsError,
)
from traverse_search_api.groupings.errors import MovedGroupingError
from traverse_search_api.pages.excuse_view import Asked, excuse_view

if TYPE_CHECKING:
    from traverse_search_api.accounts.visits import Visits

# Nothing comes from elsewhere, nothing is run, nobody frames the pages.
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors {ancestors}"
)
# Of a page that works without, and is kinder with: our own files, which speak to us alone.
_SCRIPTS: Final = "; script-src 'self'; connect-src 'self'"
_HEADERS: Final = {
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_NAVIGATION: Final = (
    ("/", "Rechercher", False),
    ("/tableau-de-bord", "Tableau de bord", False),
    ("/visite", "Fiche de visite", False),
    ("/note", "Note du comité", True),
    ("/mutualiser", "Mutualiser", True),
    ("/signaler", "Signaler un besoin", True),
    ("/mon-institution", "Mon institution", True),
    ("/alertes", "Mes alertes", True),
)
"""Every page that one goes to: address, name, and whether it is for people with an account."""


# Templates escape what they are given: within these there is text alone.
_TEXT: Final = re.compile(r"<(?:textarea|code|title)\b[^>]*>[^<]+|>[^<]* [^<]*")
_BREAKS: Final = re.compile("(?<=«) | (?=[»:;?!])")


@dataclass(frozen=True, slots=True)
class Step:
    """A page in the navigation."""

    address: str
    label: str
    current: bool


class Renderer:
    """Renders pages. Without `visits` nobody signs in, and pages for who does are not shown."""

    def __init__(
        self,
        visits: "Visits | None" = None,
        framed: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        """`framed` gives which sites may frame the page at a path (CSP), None for a page that
        nobody frames."""
        self._visits = visits
        self._framed = framed
        self._templates = Environment(
            loader=PackageLoader("traverse_search_api.pages"),
            autoescape=select_autoescape(default=True, default_for_string=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def page(
        self,
        request: Request,
        name: str,
        status: int = 200,
        *,
        scripts: bool = False,
        nameless: bool = False,
        **view: Any,
    ) -> Response:
        """A page of a template; `scripts`: our own scripts may run there (CSP); `nameless`: who
        looks is not asked."""
        visits = None if nameless else self._visits
        person = visits.person(request) if visits else None
        content = self._rendered(
            name,
            {
                "query": "",
                "navigation": self._navigation(request),
                "accounts": visits is not None,
                "person": person,
                "role_label": ROLE_LABELS[person.role] if person else "",
                "token": visits.form_token(request) if visits else "",
                "here": _address(request),
                **view,
            },
        )
        headers = {
            **_HEADERS,
            "Content-Security-Policy": _POLICY.format(ancestors="'none'")
            + (_SCRIPTS if scripts else ""),
            # What a page shows to somebody is nobody else's, and no cache's.
            "Cache-Control": "no-store" if person or "token" in view else "no-cache",
        }
        answer = Response(content, status, headers, media_type="text/html; charset=utf-8")
        return visits.keep(request, answer) if visits else answer

    def bare(self, name: str, status: int = 200, *, frames: str, **view: Any) -> Response:
        """A page without navigation nor person, the same for everybody; `frames` says which sites
        may show it in a frame (CSP)."""
        headers = {
            **_HEADERS,
            "Content-Security-Policy": _POLICY.format(ancestors=frames),
            "Cache-Control": "no-cache",
        }
        content = self._rendered(name, view)
        return Response(content, status, headers, media_type="text/html; charset=utf-8")

    def _rendered(self, name: str, view: Mapping[str, Any]) -> str:
        return _unbroken(self._templates.get_template(name).render(view))

    def excuse(self, request: Request, error: SearchError) -> Response:
        """The page for what cannot be done, with the sentence that says why."""
        if isinstance(error, SignInNeededError):
            if request.method == "GET":
                return RedirectResponse(sign_in_address(_address(request)), 303)
            return RedirectResponse("/connexion", 303)
        if isinstance(error, MergedError):
            query = request.url.query
            return RedirectResponse(f"/fiche/{error.identifier}" + (query and f"?{query}"), 301)
        if isinstance(error, MovedGroupingError):
            return RedirectResponse(f"/mutualiser/{error.identifier}", 303)
        asked = Asked(
            request.url.path,
            request.query_params.multi_items(),
            request.method in ("GET", "HEAD"),
            # In a frame, another choice is a list in that frame.
            "/" if self._framed(request.url.path) is None else request.url.path,
        )
        view = excuse_view(error, asked)
        answer = self._excused(
            request,
            error.status,
            title=view.title,
            sentence=view.sentence,
            choices=view.ways,
            query=request.query_params.get("q", "") if request.url.path == "/" else "",
        )
        if error.status == 401:
            answer.headers.update(CHALLENGE)
        if isinstance(error, TooManyExportsError) or error.status == 503:
            answer.headers["Retry-After"] = "2"
        if isinstance(error, TooManyAttemptsError):
            answer.headers["Retry-After"] = str(WAIT)
        return answer

    def apology(
        self, request: Request, status: int, title: str, sentence: str, *, nameless: bool = False
    ) -> Response:
        """The page for what went wrong outside of any page; one that was read can be asked for
        again."""
        again = local_address(_address(request)) if request.method in ("GET", "HEAD") else ""
        return self._excused(
            request,
            status,
            nameless=nameless,
            title=title,
            sentence=sentence,
            choices=[(again, "Réessayer")] if again and status >= 500 else [],
        )

    def _excused(
        self, request: Request, status: int, *, nameless: bool = False, **view: Any
    ) -> Response:
        """A page that says what went wrong; to be read in the frame, where it was asked for as a
        page that others frame."""
        frames = self._framed(request.url.path) if request.method in ("GET", "HEAD") else None
        if frames is not None:
            return self.bare("showcase_excuse.html", status, frames=frames, **view)
        return self.page(request, "excuse.html", status, nameless=nameless, **view)

    @property
    def route_class(self) -> type[APIRoute]:
        """Routes of which every error of ours is answered by a page."""
        excuse = self.excuse

        class PageRoute(APIRoute):
            def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
                handle = super().get_route_handler()

                async def excused(request: Request) -> Response:
                    try:
                        return await handle(request)
                    except SearchError as error:
                        return excuse(request, error)
                    except InvalidClockError as error:
                        return excuse(request, InvalidParameterError("as_of", str(error)))

                return excused

        return PageRoute

    def _navigation(self, request: Request) -> list[Step]:
        here = request.url.path
        return [
            Step(address, label, here == address)
            for address, label, members in _NAVIGATION
            if self._visits is not None or not members
        ]


def members_page(address: str) -> str:
    """The name of the page at an address of ours where that is for people with an account; empty
    for any other."""
    path = address.partition("?")[0]
    return next((label for here, label, members in _NAVIGATION if members and here == path), "")


def _unbroken(page: str) -> str:
    """A page where no line ends before « » », « : », « ; », « ? » or « ! », nor after « « »: with
    no-break spaces there, as French has them. What one may edit or copy stays as it is."""

    def spaced(found: re.Match[str]) -> str:
        text = found[0]
        return text if text.startswith("<") else _BREAKS.sub("\u00a0", text)

    return _TEXT.sub(spaced, page)


def _address(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{request.url.path}{query}"
