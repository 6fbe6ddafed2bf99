"""One browser and one running service for all the tests of this folder.

For no longer: while Playwright is there, an event loop runs in this thread, and no other test could
run one of its own.
"""

from collections.abc import Iterator
from itertools import product

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, StorageState, expect, sync_playwright

from tests.engines import RunningEngines
from tests.search_api.pages.browser.looking import DESK, PHONE, device
from tests.search_api.pages.town import PASSWORD, PUBLISHER, Town, chromium, town
from tests.search_api.pages.town_records import documents, hostile
from tests.serving import served
from traverse_search_api.app import create_app
from traverse_search_api.settings import SearchSettings


@pytest.fixture(scope="package")
def running(engines: RunningEngines, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    published = [*documents(), hostile()]
    with town(engines, tmp_path_factory.mktemp("town"), published) as made:
        yield made


@pytest.fixture(scope="package")
def away(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service whose engines do not answer."""
    home = tmp_path_factory.mktemp("away")
    app = create_app(
        SearchSettings(elasticsearch="http://127.0.0.1:1", kafka="127.0.0.1:1", home=home)
    )
    with served(uvicorn.Server(uvicorn.Config(app, access_log=False, log_level="error"))) as made:
        yield made


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=60_000)  # tests share the machine
    with sync_playwright() as playwright:
        # Root may not use the sandbox, and CI is root; the pages are ours.
        made = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        yield made
        made.close()


@pytest.fixture(scope="package")
def signed_in(browser: Browser, running: Town) -> StorageState:
    """The cookies of somebody who has signed in."""
    context = browser.new_context(base_url=running.address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/connexion?vers=/compte")
    page.get_by_label("Adresse électronique").fill(PUBLISHER)
    page.get_by_label("Mot de passe").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Se connecter").click()
    assert page.url.endswith("/compte")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture(params=product((PHONE, DESK), (False, True)), ids=device)
def context(
    request: pytest.FixtureRequest, browser: Browser, running: Town, signed_in: StorageState
) -> Iterator[BrowserContext]:
    """Somebody who is signed in, on a device."""
    width, scripts = request.param
    made = browser.new_context(
        base_url=running.address,
        storage_state=signed_in,
        viewport={"width": width, "height": 800},
        java_script_enabled=scripts,
    )
    made.set_default_timeout(60_000)
    yield made
    made.close()
