"""Imports the Fonds vert export of the State (data.gouv.fr): projects that it funds, as CSV.

The rows carry no date. Without `--as-of` they are dated of the last day of the year that the
file's name gives (`fonds-vert-2023-export.csv`: 31 December 2023): what the export says was true
then. The département is where the project is; the commune is the beneficiary's seat, and wins only
when it is in that département (a pôle métropolitain in Annemasse runs a project in the Ain).
"""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from tempfile import SpooledTemporaryFile
from typing import IO, Any, BinaryIO

from traverse_producers.importers.contract import Dropped, ImportContext, Imported
from traverse_producers.importers.days import start_of_day
from traverse_producers.importers.emit import Once, make_event, short_hash, without_empty
from traverse_producers.importers.money import euros
from traverse_producers.importers.octets import lines
from traverse_producers.importers.places import Places
from traverse_producers.importers.text import clean, cut, title_and_description
from traverse_schemas.events import Action
from traverse_schemas.records.codes import Kind
from traverse_schemas.reference.territories import Territories
from traverse_schemas.values.siren import normalise_siret

Row = dict[str, str]

FUNDER = "Fonds vert (État)"
_COLUMNS = ("code_departement", "code_commune", "numero_dossier_ds", "nom_du_projet")
_YEAR = re.compile(r"(?<![0-9])(20[0-9]{2})(?![0-9])")
_IN_MEMORY = 16 << 20
_LARGEST = 1 << 30  # octets; a year has some ten megabytes
_LONGEST_LINE = 1 << 20  # characters
_UNNUMBERED = re.compile(r"[0-9]{4,}")


def import_fonds_vert(
    stream: BinaryIO, name: str, context: ImportContext
) -> Iterator[Imported | Dropped]:
    """Read a Fonds vert export. See `contract.Importer`; `line` is the line of the file's table.

    A row gives `project.published`. A file number (dossier) of several rows, for several
    beneficiaries, communes or grants, gives as many projects.
    """
    time = context.as_of or _year_end(name)
    places, once, number = Places(Territories.load()), Once(), 1
    # Which numbers repeat is known at the end only, so the file is read twice: beyond 16 MiB
    # from a temporary file.
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as copy:
        try:
            _copy(stream, copy)
            repeats = Counter(_dossier(row) for row in _rows(copy))
            copy.seek(0)
            for number, row in enumerate(_rows(copy), start=2):
                result = _project(number, row, repeats, time=time, places=places, context=context)
                yield once.check(result) if isinstance(result, Imported) else result
        except (csv.Error, _NotAnExportError) as error:
            sentence = (
                str(error)
                if isinstance(error, _NotAnExportError)
                else f"Le CSV n'est plus lisible ({error}) : téléchargez le fichier à nouveau."
            )
            yield Dropped(number, name, sentence, unread=True)


class _NotAnExportError(ValueError):
    """The columns, or the size, are not those of the export."""


def _copy(stream: BinaryIO, copy: IO[bytes]) -> None:
    """Ends at the copy's beginning. Raises _NotAnExportError for too many octets."""
    size = 0
    while octets := stream.read(1 << 20):
        size += len(octets)
        if size > _LARGEST:
            raise _NotAnExportError(
                f"Le fichier dépasse {_LARGEST >> 20} Mio : ce n'est pas un export du Fonds vert."
            )
        copy.write(octets)
    copy.seek(0)


def _rows(copy: Any) -> Iterator[Row]:
    text = lines(copy, _LONGEST_LINE)
    header = next(text, "")
    delimiter = ";" if ";" in header else ","
    columns = [cell.strip().lower() for cell in next(csv.reader([header], delimiter=delimiter), [])]
    if missing := [column for column in _COLUMNS if column not in columns]:
        raise _NotAnExportError(
            f"Ce n'est pas un export du Fonds vert : il manque les colonnes {', '.join(missing)}."
        )
    for cells in csv.reader(text, delimiter=delimiter):
        if any(cells):
            yield {column: clean(cell) for column, cell in zip(columns, cells, strict=False)} | {
                "cells": str(len(cells) - len(columns))
            }


def _project(
    line: int,
    row: Row,
    repeats: Counter[str],
    *,
    time: datetime | None,
    places: Places,
    context: ImportContext,
) -> Imported | Dropped:
    dossier = _dossier(row)
    if row["cells"] != "0":
        return Dropped(
            line,
            dossier or None,
            "La ligne n'a pas autant de colonnes que l'en-tête : corrigez-la dans le fichier.",
        )
    if not row["nom_du_projet"]:
        return Dropped(
            line, dossier or None, "Le projet n'a pas de nom : complétez la colonne nom_du_projet."
        )
    if time is None:
        return Dropped(
            line,
            dossier or None,
            "La ligne n'a pas de date, et le nom du fichier ne donne pas d'année : donnez celle "
            "de l'export avec --as-of.",
        )
    subject = dossier
    if not dossier or repeats[dossier] > 1:
        subject = f"{dossier or 'sans-dossier'}:{_mark(row)}"
    return Imported(
        line,
        make_event(
            context,
            Kind.PROJECT,
            Action.PUBLISHED,
            subject=subject,
            time=time,
            data=_record(row, places),
        ),
    )


def _record(row: Row, places: Places) -> dict[str, Any]:
    title, description = title_and_description(row["nom_du_projet"], row.get("nom_demarche_ds", ""))
    number = normalise_siret(row.get("siren", ""))
    amount = euros(row.get("montant_engage"))
    department = _department(row["code_departement"])
    commune = row["code_commune"].upper()
    place = places.of_commune(
        commune.zfill(5) if commune else "", row.get("nom_commune", ""), department, number
    )
    record = {
        "subtype": "project",
        "stage": "funded",
        "title": title,
        "description": description,
        "language": "fr",
        "references": [row["numero_dossier_ds"]] if _dossier(row) else [],
        "owner": without_empty(
            {"id": number, "name": cut(row.get("nom_beneficiaire_principal", ""), 500)}
        ),
        "place": [place],
        "amounts": [{"value": amount, "kind": "subsidy"}] if amount else [],
        "financing": [without_empty({"funder": FUNDER, "amount": amount})],
    }
    return without_empty(record)


def _department(code: str) -> str:
    return code.upper().zfill(2)


def _dossier(row: Row) -> str:
    """The file's number in Démarches simplifiées; "" for « Non Renseigné »."""
    number = row.get("numero_dossier_ds", "")
    return number if _UNNUMBERED.fullmatch(number) else ""


def _mark(row: Row) -> str:
    names = ("siren", "nom_beneficiaire_principal", "code_departement", "code_commune",
             "nom_du_projet", "montant_engage")  # fmt: skip
    return short_hash([row.get(name, "") for name in names])


def _year_end(name: str) -> datetime | None:
    years = _YEAR.findall(name.rpartition("/")[2])
    return start_of_day(date(int(years[-1]), 12, 31)) if years else None
