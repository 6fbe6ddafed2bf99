"""How the tests look at a page: on a phone and on a desk, within bounds, with axe-core."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Page,
    Response,
)

PHONE, DESK = 360, 1280
BUDGET = 100_000  # octets of a page
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
VIOLATIONS = {"resultTypes": ["violations"]}  # of what is as it should be, nothing is told


def device(given: tuple[int, bool]) -> str:
    width, scripts = given
    return f"{width} px, {'scripts' if scripts else 'no script'}"


def look(page: Page, path: str) -> None:
    """Go there; what is loaded is small, ours, and fits the width."""
    loaded: list[str] = []

    def note(answer: Response) -> None:
        loaded.append(answer.url)

    page.on("response", note)
    answer = page.goto(path)
    assert answer is not None
    assert len(answer.body()) < BUDGET
    page.remove_listener("response", note)
    ours = page.url.split("/", 3)[2]
    assert all(url.startswith("data:") or url.split("/", 3)[2] == ours for url in loaded), loaded
    fits(page)


def fits(page: Page) -> None:
    """Nothing on it is wider than the window."""
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= page.viewport_size["width"], (page.url, wide)  # type: ignore[index]


def judge_once(page: Page, *, axe: bool) -> None:
    """It fits the width, and axe finds nothing on it."""
    fits(page)
    if axe:
        no_fault(page)


def no_fault(page: Page) -> None:
    """axe finds nothing on it."""
    found = Axe().run(page, options={**VIOLATIONS, "runOnly": RULES})
    assert not found.violations_count, found.generate_report()
