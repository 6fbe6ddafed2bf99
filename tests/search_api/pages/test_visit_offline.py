"""What the service says of a sheet to the worker that keeps it."""

from datetime import timedelta

from fastapi import Request, Response

from tests.search_api.accounts.people import NOW, PEOPLE, house
from traverse_search_api.pages.visit.offline import marked, state_of

LEA, PAUL = PEOPLE[0].email, PEOPLE[1].email


def test_a_sheet_says_whose_it_is_and_until_when_it_may_be_kept() -> None:
    with house() as home:
        visits = home.staff.visits

        def headers(cookies: str) -> dict[str, str]:
            scope = {"type": "http", "headers": [(b"cookie", cookies.encode())]}
            made = marked(Response(), Request(scope), visits, NOW, "Marseille, état du 1er")
            return dict(made.headers)

        anybody = headers("")
        assert anybody["traverse-sheet"] == "Marseille%2C%20%C3%A9tat%20du%201er"
        assert anybody["traverse-sheet-owner"] == "public"
        assert int(anybody["traverse-sheet-until"]) == (NOW + timedelta(days=7)).timestamp()
        owners = set()
        for email in (LEA, LEA, PAUL):
            person = home.signed_in(email)
            (value,) = (one.value for one in person.cookies.jar if one.value)
            found = headers(f"{visits.session_cookie}={value}")
            owners.add(found["traverse-sheet-owner"])
            # However often it is used, a session lasts no longer.
            assert int(found["traverse-sheet-until"]) == (NOW + timedelta(hours=12)).timestamp()
        assert len(owners) == 3 and "public" not in owners


def test_the_worker_is_ours_and_speaks_to_us_alone() -> None:
    with house() as home:
        worker = home.visitor().get("/visite-hors-ligne.js")
        assert worker.headers["content-security-policy"] == "default-src 'none'; connect-src 'self'"
        assert worker.headers["content-type"].startswith("text/javascript")
        assert worker.headers["cache-control"] == "no-cache"
        kept = home.visitor().get("/visite/hors-ligne")
        assert (
            "<!--fiches-->" in kept.text and "script" not in kept.headers["content-security-policy"]
        )
        form = home.signed_in(LEA).get("/visite")
        # Even what is no sheet says who is there now, so that another's go.
        assert form.headers["traverse-sheet-owner"] not in ("", "public")
        assert "traverse-sheet" not in form.headers
        assert home.visitor().get("/visite.ics").status_code == 400


def test_the_state_of_a_sheet_is_told_by_the_clocks_of_mainland_france() -> None:
    assert state_of(NOW).replace("\u00a0", " ") == "12 mars 2026 à 11 h"
