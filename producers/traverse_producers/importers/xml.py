"""XML of strangers, read with everything off that could harm (OWASP, XML External Entity
Prevention): no entities, no DTD, no network, libxml2's own limits of depth and size on."""

import re
from typing import Any, Final

from lxml import etree

from traverse_producers.importers.errors import UnreadableFileError

LIMITS: Final[dict[str, Any]] = {
    "resolve_entities": False,
    "load_dtd": False,
    "no_network": True,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}


_REFUSED = (
    "Le fichier XML contient une DTD (DOCTYPE) : par sécurité elle n'est pas lue ; "
    "retirez-la, ou demandez le fichier d'origine."
)
# In UTF-8 and its kin, and in UTF-16 (an octet of 0 beside each letter).
_DOCTYPE = re.compile(rb"<\0?!\0?D\0?O\0?C\0?T\0?Y\0?P\0?E")


def hostile(tree: etree._ElementTree) -> str | None:
    """The sentence that refuses a document with a DTD (entities, external files), or None."""
    if tree.docinfo.internalDTD is None and not tree.docinfo.doctype:
        return None
    return _REFUSED


def parse(octets: bytes) -> etree._Element:
    """The root element, names without their namespaces. Raises UnreadableFileError.

    A DTD is refused before the parser sees it: no notice has one.
    """
    if _DOCTYPE.search(octets):
        raise UnreadableFileError(_REFUSED)
    try:
        root = etree.fromstring(octets, etree.XMLParser(**LIMITS))
    except (etree.XMLSyntaxError, ValueError) as error:
        detail = " ".join(str(error).split())[:120]
        raise UnreadableFileError(
            f"Le fichier n'est pas du XML lisible ({detail}) : téléchargez-le à nouveau."
        ) from error
    for element in root.iter(etree.Element):
        if isinstance(element.tag, str) and element.tag.startswith("{"):
            element.tag = element.tag.rpartition("}")[2]
    return root
