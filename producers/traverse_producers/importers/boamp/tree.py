"""An eForms notice that BOAMP gives as JSON, back as the XML tree that it was."""

import re
from typing import Any

from lxml import etree
from lxml.etree import _Element as Element

from traverse_producers.importers.errors import UnreadableFileError

_NAME = re.compile(r"[A-Za-z_][\w.-]*\Z", re.ASCII)
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DEPTH = 64  # a notice has about 20 levels
_NODES = 500_000


def tree_of(name: str, value: Any) -> Element:
    """The element, names without namespaces: `@x` are attributes, `#text` the text, lists repeat.

    Raises UnreadableFileError for a tree that no notice can be.
    """
    root = etree.Element(_local(name) or "notice")
    left = _NODES
    todo: list[tuple[Element, Any, int]] = [(root, value, 0)]
    while todo:
        element, content, depth = todo.pop()
        left -= 1
        if depth > _DEPTH or left < 0:
            raise UnreadableFileError(
                "L'avis eForms contenu dans « donnees » est trop imbriqué ou trop grand : "
                "demandez-le à la DILA."
            )
        if not isinstance(content, dict):
            element.text = _text(content)
            continue
        for key, inner in content.items():
            if key == "#text":
                element.text = _text(inner)
            elif key.startswith("@"):
                if not isinstance(inner, dict | list) and (attribute := _local(key[1:])):
                    element.set(attribute, _text(inner))
            elif child := _local(key):
                for each in inner if isinstance(inner, list) else [inner]:
                    todo.append((etree.SubElement(element, child), each, depth + 1))
    return root


def _local(name: str) -> str:
    local = name.rpartition(":")[2]
    return local if _NAME.match(local) else ""


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None or isinstance(value, list) else _NOT_XML.sub(" ", str(value))
