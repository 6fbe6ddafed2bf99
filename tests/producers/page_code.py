"""The code of docs/publish/transactional-outbox.md, as the page has it."""

import re
from pathlib import Path
from types import ModuleType

_PAGE = Path(__file__).parents[2] / "docs" / "publish" / "transactional-outbox.md"


def blocks(language: str) -> list[str]:
    """The page's code blocks in a language, in order."""
    text = _PAGE.read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def relay_module() -> ModuleType:
    """The relay, compiled from the page."""
    (source,) = blocks("python")
    module = ModuleType("relay")
    exec(compile(source, _PAGE.name, "exec"), module.__dict__)  # noqa: S102 - our own page
    return module
