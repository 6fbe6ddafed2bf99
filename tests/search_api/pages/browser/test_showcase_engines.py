"""The showcase in a real Chromium, in frames of other sites."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import pytest
from playwright.sync_api import (
    Browser,
    StorageState,
    expect,
)
from typer.testing import CliRunner

from tests.local_http import Quiet, answering
from tests.search_api.pages.browser.looking import DESK, PHONE, look
from tests.search_api.pages.town import SHOWCASE, Town
from tests.search_api.pages.town_records import CHAMBER, MARSEILLE
from traverse_infra.commands.tree import build
from traverse_infra.engines.waiting import wait_until

pytestmark = pytest.mark.engines


FRAMES = {
    "shown": f"/vitrine/{MARSEILLE}",
    "failed": f"/vitrine/{MARSEILLE}?kind=chose",
    "other": "/tableau-de-bord",
}


@contextmanager
def framing_site(address: str) -> Iterator[str]:
    """A site that shows pages of the service in frames; its origin."""
    frames = [f'<iframe id="{one}" src="{address}{path}"></iframe>' for one, path in FRAMES.items()]
    body = f"<!doctype html><title>Site</title>{''.join(frames)}".encode()

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with answering(Handler) as site:
        yield site.rstrip("/")


def test_only_named_sites_may_frame_the_showcase(
    running: Town, browser: Browser, signed_in: StorageState
) -> None:
    """The operator's sites one list, an institution's sites its own, and nobody anything else."""
    with_ours = browser.new_context(
        base_url=running.address, storage_state=signed_in, java_script_enabled=False
    )
    page = with_ours.new_page()
    look(page, "/mon-institution")
    page.get_by_role("link", name="sur un autre site").click()
    page.get_by_label("Sites autorisés").fill("http://www.ville.example")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("alert")).to_contain_text("n’est pas l’adresse d’un site en https")
    page.get_by_label("Sites autorisés").fill("https://www.Ville.example/\nhttps://b.example:8443")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("status")).to_contain_text("C’est enregistré")
    assert "showcase_opened" in running.deeds()
    with_ours.close()
    context = browser.new_context(base_url=running.address)

    def framed(path: str) -> str:
        policy = context.request.get(path).headers["content-security-policy"]
        return policy.rpartition("frame-ancestors ")[2]

    for path, ancestors in (
        (f"/vitrine/{MARSEILLE}", "https://www.ville.example https://b.example:8443"),
        (f"/vitrine/{MARSEILLE}?kind=need", "https://www.ville.example https://b.example:8443"),
        (f"/vitrine/{CHAMBER}", "'none'"),
        ("/vitrine/130002199", "'none'"),
        ("/vitrine/21130055x", "'none'"),
    ):
        assert framed(path) == ancestors, path
    # The operator reads the same, opens others, and closes it; the pages follow.
    command = ["institutions", "showcase", MARSEILLE]
    for more, origins in (
        ((), ["https://www.ville.example", "https://b.example:8443"]),
        (("https://c.example",), ["https://c.example"]),
        (("--close",), []),
    ):
        done = CliRunner().invoke(
            build(), [*command, *more, "--json"], env={"TRAVERSE_KAFKA": running.kafka}
        )
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout) == {"siren": MARSEILLE, "origins": origins}
    assert wait_until(lambda: framed(f"/vitrine/{MARSEILLE}") == "'none'", timeout=60)
    own = context.request.get(f"/vitrine/{MARSEILLE}").text()
    assert "Nettoyage de la plage" in own
    assert "Papier pour les mairies" not in own
    showcase = context.request.get("/vitrine").headers["content-security-policy"]
    assert f"frame-ancestors {SHOWCASE}" in showcase
    for path in ("/", "/connexion", "/tableau-de-bord"):
        policy = context.request.get(path).headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
    assert "set-cookie" not in context.request.get("/vitrine").headers
    context.close()


def test_a_showcase_that_fails_says_so_in_its_frame(running: Town, browser: Browser) -> None:
    """On a site that its institution has named; another page is not shown there."""
    with framing_site(running.address) as site:
        command = ["institutions", "showcase", MARSEILLE, site]
        env = {"TRAVERSE_KAFKA": running.kafka}
        assert CliRunner().invoke(build(), command, env=env).exit_code == 0
        for width, scripts in ((PHONE, False), (DESK, True)):
            context = browser.new_context(
                viewport={"width": width, "height": 800}, java_script_enabled=scripts
            )
            page = context.new_page()
            page.goto(site)
            shown, failed, other = (page.frame_locator(f"#{name}") for name in FRAMES)
            expect(shown.get_by_role("heading", level=1)).to_contain_text("publication")
            expect(failed.get_by_role("heading", level=1)).to_have_text("Demande refusée")
            expect(failed.get_by_role("alert")).to_contain_text("n’admet pas « chose »")
            expect(other.get_by_text("Tableau de bord")).to_have_count(0)
            context.close()
        command = ["institutions", "showcase", MARSEILLE, "--close"]
        assert CliRunner().invoke(build(), command, env=env).exit_code == 0
