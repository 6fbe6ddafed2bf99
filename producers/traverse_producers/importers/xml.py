"""XML of strangers, read with everything off that could harm (OWASP, XML External Entity
Prevention): no entities, no DTD, no network, libxml2's own limits of depth and size on."""

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


def hostile(tree: etree._ElementTree) -> str | None:
    """The sentence that refuses a document with a DTD (entities, external files), or None."""
    if tree.docinfo.internalDTD is None and not tree.docinfo.doctype:
        return None
    return (
        "Le fichier XML contient une DTD (DOCTYPE) : par sécurité elle n'est pas lue ; "
        "retirez-la, ou demandez le fichier d'origine."
    )


def parse(octets: bytes) -> etree._Element:
    """The root element, names without their namespaces. Raises UnreadableFileError."""
    try:
        root = etree.fromstring(octets, etree.XMLParser(**LIMITS))
    except (etree.XMLSyntaxError, ValueError) as error:
        detail = " ".join(str(error).split())[:120]
        raise UnreadableFileError(
            f"Le fichier n'est pas du XML lisible ({detail}) : téléchargez-le à nouveau."
        ) from error
    if reason := hostile(root.getroottree()):
        raise UnreadableFileError(reason)
    for element in root.iter(etree.Element):
        if isinstance(element.tag, str) and element.tag.startswith("{"):
            element.tag = element.tag.rpartition("}")[2]
    return root
