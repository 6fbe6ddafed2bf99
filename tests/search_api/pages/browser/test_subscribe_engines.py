"""The browser's program of docs/subscribe.md, as it stands, in a Chromium and on a real stream."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import pytest
from playwright.sync_api import Browser

from tests.documents import document, stub
from tests.engines import RunningEngines
from tests.local_http import Quiet, answering
from tests.search_api.stream.flow import PATIENCE, Flow, flowing
from tests.search_api.stream.subscribe_page import blocks

pytestmark = pytest.mark.engines


@pytest.fixture
def flow(engines: RunningEngines) -> Iterator[Flow]:
    with flowing(engines) as made:
        yield made


@contextmanager
def another_site(script: str) -> Iterator[str]:
    """A page of another origin, with the script and nothing else: no icon either, which a browser
    would ask for by itself, and tell of in its console where there is none."""
    page = (
        "<!doctype html><meta charset=utf-8><title>Site</title><link rel=icon href='data:,'>"
        f"<script>{script}</script>"
    )

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/" else 404)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page.encode() if self.path == "/" else b"")

    with answering(Handler) as address:
        yield address


def test_on_any_site_a_page_is_told_each_change_of_its_search(browser: Browser, flow: Flow) -> None:
    """What comes, what changes and what goes, and nothing that the search would not find."""
    (script,) = blocks("js")
    with another_site(script.replace("https://traverse.example", flow.address)) as site:
        context = browser.new_context()
        page = context.new_page()
        with page.expect_request(lambda asked: "/v1/stream" in asked.url) as asked:
            page.goto(site)
        answer = asked.value.response()
        assert answer is not None and answer.status == 200
        told: list[str] = []
        page.on("console", lambda said: told.append(said.text))

        def tells(*lines: str) -> None:
            """Waits until exactly this was told."""
            while len(told) < len(lines):
                page.wait_for_event("console", timeout=PATIENCE * 1000)
            assert told == list(lines)

        school = document("navigateur-1", "École du port")
        with page.expect_console_message(timeout=PATIENCE * 1000):
            flow.write(document("navigateur-2", "Voirie du port"))
            flow.write(school)
        tells("École du port Annoncé")
        with page.expect_console_message(timeout=PATIENCE * 1000):
            flow.write(school | {"title": "École du phare"})
        tells("École du port Annoncé", "École du phare Annoncé")
        with page.expect_console_message(timeout=PATIENCE * 1000):
            flow.write(stub("navigateur-1"))
        tells("École du port Annoncé", "École du phare Annoncé", f"disparu : {school['id']}")
        context.close()
