"""The header of every page on a phone: short, with all of it at hand."""

import re

import pytest
from playwright.sync_api import (
    Browser,
    StorageState,
    expect,
)

from tests.search_api.pages.browser.looking import DESK, PHONE, fits, look, no_fault
from tests.search_api.pages.town import Town

pytestmark = pytest.mark.engines


@pytest.mark.parametrize("member", [False, True])
def test_a_phone_s_header_leaves_room_for_the_page(
    browser: Browser, running: Town, signed_in: StorageState, member: bool
) -> None:
    """Search and sign-in are there at once; the pages are behind a button that needs no script."""
    context = browser.new_context(
        base_url=running.address,
        storage_state=signed_in if member else None,
        viewport={"width": PHONE, "height": 800},
        java_script_enabled=member,
    )
    page = context.new_page()
    look(page, "/?q=voirie")
    header = page.get_by_role("banner")
    box = header.bounding_box()
    assert box is not None
    assert box["height"] < (170 if member else 140)
    expect(header.get_by_label("Chercher un projet")).to_be_visible()
    name = re.compile("^Paul Blanc" if member else "^Se connecter")
    expect(header.get_by_role("link", name=name)).to_be_visible()
    menu = header.get_by_role("button", name="Menu")
    pages = page.get_by_role("navigation", name="Pages")
    expect(pages).to_have_count(0)
    menu.focus()
    page.keyboard.press("Enter")
    expect(pages).to_be_visible()
    fits(page)
    if member:
        no_fault(page)
    page.keyboard.press("Escape")
    expect(pages).to_have_count(0)
    menu.click()
    pages.get_by_role("button", name="Fermer").click()
    expect(pages).to_have_count(0)
    menu.click()
    pages.get_by_role("link", name="Fiche de visite").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Fiche de visite")
    page.set_viewport_size({"width": DESK, "height": 800})
    expect(pages.get_by_role("link", name="Tableau de bord")).to_be_visible()
    expect(menu).to_have_count(0)
    context.close()
