"""The programs of docs/subscribe.md, as the page has them."""

import re
from pathlib import Path
from typing import Any

_PAGE = Path(__file__).parents[3] / "docs" / "subscribe.md"


def blocks(language: str) -> list[str]:
    """The page's code blocks in a language, in order."""
    text = _PAGE.read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def program(number: int) -> dict[str, Any]:
    """The names that one of its Python programs defines."""
    names: dict[str, Any] = {}
    exec(compile(blocks("python")[number], _PAGE.name, "exec"), names)  # noqa: S102 - our own page
    return names
