"""Pages of views of our own making, and on how many sheets they print."""

import re
from pathlib import Path
from typing import Any

from fastapi import Request
from playwright.sync_api import (
    Browser,
    PdfMargins,
)

from traverse_search_api.pages import routes
from traverse_search_api.pages.render import Renderer


def rendered(path: str, name: str, **view: Any) -> str:
    """A page of a view of our own making, its style inside."""
    scope = {"type": "http", "path": path, "query_string": b"", "headers": []}
    made = bytes(Renderer().page(Request(scope), name, **view).body).decode()
    style = (Path(routes.__file__).parent / "static" / "style.css").read_text(encoding="utf-8")
    return re.sub("<link[^>]*style.css[^>]*>", f"<style>{style}</style>", made)


def printed_pages(browser: Browser, made: str) -> int:
    """On how many sheets of A4 it prints, with the margins that browsers give them."""
    page = browser.new_page()
    page.set_content(made)
    margin: PdfMargins = {"top": "1cm", "right": "1cm", "bottom": "1cm", "left": "1cm"}
    count = len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4", margin=margin)))
    page.close()
    return count
