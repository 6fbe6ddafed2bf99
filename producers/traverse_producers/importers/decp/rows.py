"""DECP files as rows, one at a time: JSON of both formats, and XML of schema 2.0.

2019 format: `{"marches": [row, …]}`. Schema 2.0 (2024): `{"marches": {"marche": [row, …],
"contrat-concession": [row, …]}}`, and in XML `<marches><marche>…`, which gives the same rows.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO

from lxml import etree

from traverse_producers.importers.errors import UnreadableFileError
from traverse_producers.importers.json_items import Row, Shape, json_items
from traverse_producers.importers.octets import Rewound, read_fully
from traverse_producers.importers.xml import LIMITS, hostile

_SHAPE = Shape(
    prefixes=frozenset(
        {"item", "marches.item", "marches.marche.item", "marches.contrat-concession.item"}
    ),
    depth=24,  # the schema has 7 levels
    row="une donnée essentielle (DECP)",
    missing="Aucun marché dans ce fichier : un fichier DECP a une liste « marches », ou "
    "« marches.marche » et « marches.contrat-concession » (schéma 2.0).",
)
_ROW_TAGS = ("marche", "contrat-concession")
_XML_START = (b"<", b"\xef\xbb\xbf<", b"\xff\xfe<", b"\xfe\xff\x00<")


def rows(stream: BinaryIO) -> Iterator[Row]:
    """The rows of a file, in its order. Raises UnreadableFileError where it cannot be read on."""
    head = read_fully(stream, 256)
    rewound: Any = Rewound(head, stream)
    if head.lstrip().startswith(_XML_START):
        return _xml_rows(rewound)
    return json_items(rewound, _SHAPE)


def _xml_rows(stream: BinaryIO) -> Iterator[Row]:
    found = 0
    try:
        for _, element in etree.iterparse(stream, events=("end",), tag=_ROW_TAGS, **LIMITS):
            if reason := hostile(element.getroottree()):
                raise UnreadableFileError(reason)
            parent = element.getparent()
            if parent is None or parent.tag != "marches":
                continue
            found += 1
            yield _from_xml(element)
            element.clear()
            while element.getprevious() is not None:
                del parent[0]
    except etree.XMLSyntaxError as error:
        raise UnreadableFileError(
            f"Le XML n'est plus lisible après l'enregistrement {found} "
            f"({str(error.msg)[:120]}) : téléchargez le fichier à nouveau."
        ) from error
    if not found:
        raise UnreadableFileError(
            "Aucun marché dans ce fichier XML : la racine doit être « marches » et contenir des "
            "éléments « marche » ou « contrat-concession »."
        )


# What is a list in JSON is an element that repeats in XML, under an element of the plural.
_LISTS = {
    "titulaires": "titulaire",
    "concessionnaires": "concessionnaire",
    "modifications": "modification",
}
_TEXT_LISTS = frozenset({"techniques", "considerationsSociales", "considerationsEnvironnementales"})


def _from_xml(element: etree._Element) -> Row:
    row: Row = {}
    for child in element:
        if child.tag in _LISTS:
            row[child.tag] = [_from_xml(item) for item in child if item.tag == _LISTS[child.tag]]
        elif child.tag in _TEXT_LISTS:
            row[child.tag] = [item.text for item in child]
        elif len(child):
            row[child.tag] = _from_xml(child)
        else:
            row[child.tag] = child.text
    return row
