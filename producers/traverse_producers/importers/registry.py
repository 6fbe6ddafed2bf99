"""The importers by the name that the command line knows: one explicit table."""

from traverse_producers.importers.boamp.importer import import_boamp
from traverse_producers.importers.contract import Importer
from traverse_producers.importers.decp.importer import import_decp
from traverse_producers.importers.eforms.importer import import_eforms
from traverse_producers.importers.fonds_vert import import_fonds_vert
from traverse_producers.importers.ocds.importer import import_ocds
from traverse_producers.importers.ted.importer import import_ted

IMPORTERS: dict[str, Importer] = {
    "boamp": import_boamp,
    "decp": import_decp,
    "ted": import_ted,
    "eforms": import_eforms,
    "ocds": import_ocds,
    "fonds-vert": import_fonds_vert,
}
