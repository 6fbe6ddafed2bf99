"""Writes the template that staff fill in: French headers, lists to choose from, an example row,
and a sheet that explains."""

from collections.abc import Iterable
from itertools import zip_longest
from typing import IO, Any, NamedTuple

from traverse_producers.tables.columns import BY_HEADER, Column
from traverse_producers.tables.rows import CORRECTIONS, EXAMPLE
from traverse_schemas.records.codes import (
    SUBTYPE_LABELS,
    CallSubtype,
    Kind,
    NeedSubtype,
    ProjectSubtype,
)
from traverse_schemas.visibility import VISIBILITY_LABELS

ROWS = 1000
"""The rows that the lists to choose from are put on."""


class Field(NamedTuple):
    """A column of the template: Traverse's name, the header, an example, whether it is needed, and
    what may be chosen."""

    name: str
    header: str
    example: str
    needed: bool = False
    choices: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return f"{self.header} *" if self.needed else self.header

    @property
    def column(self) -> Column:
        return BY_HEADER[self.name]


_AMOUNTS = ("estimation", "maximum", "attribué", "subvention", "coût")
_STAGES = ("idée", "études", "financé", "consultation", "travaux", "livré", "abandonné")
_START = (Field("reference", "Référence", EXAMPLE, needed=True),)
_WORDS = (
    Field("title", "Titre", "Vélos pour les agents", needed=True),
    Field("description", "Description", "Dix vélos à assistance électrique, avec entretien."),
)
_PLACE = (
    Field("commune", "Code INSEE", "13055"),
    Field("department", "Département", ""),
    Field("epci", "SIREN EPCI", ""),
    Field("owner_name", "Propriétaire nom", ""),
    Field("owner_id", "Propriétaire SIREN", ""),
)
_MONEY = (
    Field("amount_excluding_tax", "Montant HT", "30000"),
    Field("amount_kind", "Type montant", "estimation", choices=_AMOUNTS),
)
_END = (
    Field("cpv", "Codes CPV", "34430000"),
    Field("visibility", "Visibilité", "", choices=tuple(VISIBILITY_LABELS.values())),
    Field("action", "Action", "publié", choices=("publié", "modifié", "clos", "retiré")),
    Field("outcome", "Issue", ""),
    Field("reason", "Motif", ""),
)
_PERIOD = (
    Field("window_from", "Période début", "01/09/2026"),
    Field("window_to", "Période fin", "31/12/2026"),
    Field("recurrence", "Fréquence", "annuel",
          choices=("une fois", "mensuel", "annuel", "continu")),
)  # fmt: skip


def _labels(subtypes: Iterable[str]) -> tuple[str, ...]:
    return tuple(SUBTYPE_LABELS[subtype] for subtype in subtypes)


def _type(subtypes: Iterable[str]) -> Field:
    labels = _labels(subtypes)
    return Field("kind", "Type", labels[0], needed=True, choices=labels)


FIELDS: dict[Kind, tuple[Field, ...]] = {
    Kind.NEED: (
        *_START, _type([NeedSubtype.PURCHASE, NeedSubtype.BUSINESS]), *_WORDS, *_PLACE, *_PERIOD,
        *_MONEY, Field("stage", "Étape", "signalé", choices=("signalé", "qualifié", "orienté")),
        Field("on_behalf", "Pour le compte de", ""), *_END,
    ),
    Kind.CALL: (
        *_START,
        _type([CallSubtype.CONTRACT, CallSubtype.CONCESSION, CallSubtype.CALL_FOR_PROJECTS,
               CallSubtype.EXPRESSION_OF_INTEREST, CallSubtype.SOURCING]),
        *_WORDS, Field("url", "Lien", "https://exemple.fr/avis/1", needed=True), *_PLACE,
        Field("deadline", "Date limite", "12/06/2026 12:00"),
        Field("deadline_kind", "Type date limite", "offres",
              choices=("offres", "candidatures", "questions")),
        Field("nature", "Nature", "fournitures", choices=("travaux", "fournitures", "services")),
        Field("procedure", "Procédure", "Procédure adaptée"),
        Field("access", "Accès", "PME", choices=("PME", "réservé", "social", "environnement")),
        *_MONEY, *_END,
    ),
    Kind.PROJECT: (
        *_START,
        _type([ProjectSubtype.PROJECT, ProjectSubtype.PURCHASE_PROGRAMME,
               ProjectSubtype.SHARED_RESOURCES]),
        *_WORDS, Field("url", "Lien", ""), *_PLACE,
        Field("stage", "Étape", "études", choices=_STAGES), *_PERIOD, *_MONEY, *_END,
    ),
}  # fmt: skip

_KIND_NAMES = {Kind.NEED: "des besoins", Kind.CALL: "des appels", Kind.PROJECT: "des projets"}


def write_template(kind: Kind, file: IO[bytes]) -> None:
    """Write the workbook of a kind."""
    from openpyxl import Workbook
    from openpyxl.comments import Comment
    from openpyxl.styles import Font, PatternFill
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet: Any = book.active
    sheet.title = "Dossiers"
    fields = FIELDS[kind]
    sheet.append([field.title for field in fields])
    sheet.append([field.example for field in fields])
    for position, field in enumerate(fields, start=1):
        head = sheet.cell(1, position)
        head.font = Font(bold=True)
        head.fill = PatternFill("solid", fgColor="DDE6F0")
        if field.column.example:
            head.comment = Comment(f"Exemple : {field.column.example}", "Traverse")
        sheet.cell(2, position).font = Font(italic=True, color="808080")
        letter = get_column_letter(position)
        sheet.column_dimensions[letter].width = max(14, min(40, len(field.title) + 4))
        # As text, a code keeps its leading zero.
        sheet.column_dimensions[letter].number_format = "@"
        sheet.cell(2, position).number_format = "@"
    sheet.freeze_panes = "A2"
    add_choices(book, sheet, {n: f.choices for n, f in enumerate(fields, start=1) if f.choices})
    _explain(book.create_sheet("Mode d'emploi"), kind)
    book.save(file)


def add_choices(book: Any, sheet: Any, choices: dict[int, tuple[str, ...]]) -> None:
    """Lists to choose from, by the numbers of their columns; the words stand in a hidden sheet, for
    a list inside of a rule may have 255 characters only."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    if not choices:
        return
    lists = book.create_sheet("Listes")
    lists.sheet_state = "hidden"
    ordered = sorted(choices.items())
    for row in zip_longest(*(words for _, words in ordered)):
        lists.append(row)
    for place, (position, words) in enumerate(ordered, start=1):
        letter = get_column_letter(place)
        rule = DataValidation(
            type="list", formula1=f"=Listes!${letter}$1:${letter}${len(words)}", allow_blank=True
        )
        rule.error = "Choisissez dans la liste, ou laissez la cellule vide."
        rule.errorTitle = "Traverse"
        rule.showErrorMessage = True
        column = get_column_letter(position)
        rule.add(f"{column}2:{column}{ROWS + 1}")
        sheet.data_validations.append(rule)


def choices_of(columns: Iterable[object]) -> dict[int, tuple[str, ...]]:
    """The lists to choose from for the columns of a table, by their numbers from 1."""
    by_name = {
        field.name: field.choices for fields in FIELDS.values() for field in fields if field.choices
    }
    by_name.pop("kind"), by_name.pop("stage")  # they depend on the kind
    return {
        position: by_name[column.name]
        for position, column in enumerate(columns, start=1)
        if isinstance(column, Column) and column.name in by_name
    }


def _explain(sheet: Any, kind: Kind) -> None:
    from openpyxl.styles import Alignment, Font

    lines = [
        f"Publier {_KIND_NAMES[kind]} avec Traverse",
        "",
        "1. Remplissez une ligne par dossier dans la feuille « Dossiers ». Les colonnes marquées "
        "d'un astérisque sont obligatoires.",
        f"2. La ligne d'exemple (référence {EXAMPLE}) n'est jamais publiée : laissez-la ou "
        "effacez-la.",
        "3. La référence est la vôtre, et ne change pas : la même référence publiée à nouveau "
        "remplace le dossier.",
        "4. Un territoire au moins : code INSEE d'une commune, département, ou SIREN d'une "
        "intercommunalité.",
        "5. Les dates s'écrivent 12/06/2026, ou 12/06/2026 12:00 quand l'heure compte.",
        "6. Pour clore ou retirer un dossier, reprenez sa ligne et choisissez l'action « clos » "
        "(avec l'issue) ou « retiré ».",
        "7. N'écrivez dans aucune colonne le nom, le courriel ou le téléphone d'une personne.",
        f"8. Les lignes refusées reviennent dans une copie avec une colonne « {CORRECTIONS} ».",
        "",
        "Publier : traverse publish FICHIER.xlsx --institution VOTRE_SIREN",
        "",
        "Colonnes",
    ]
    for line in lines:
        sheet.append([line])
    for field in FIELDS[kind]:
        said = ", ".join(field.choices) or field.column.example or "texte"
        sheet.append([field.title, said])
    sheet["A1"].font = Font(bold=True, size=14)
    sheet.column_dimensions["A"].width = 90
    sheet.column_dimensions["B"].width = 80
    for row in sheet.iter_rows(max_col=1):
        row[0].alignment = Alignment(wrap_text=True, vertical="top")
