"""Templates that publish what is filled in, mappings of sheets that exist, copies to mend."""

import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import typer
from typer.testing import CliRunner, Result

from tests.producers.importers.checks import SOURCE
from tests.producers.memory_transport import MemoryTransport, opened_by_commands
from tests.producers.spreadsheets.test_workbook import book
from traverse_producers import commands
from traverse_producers.errors import InvalidOptionError
from traverse_producers.event_builder import check_event
from traverse_producers.files.rows import LeftOut, Ready, Refused
from traverse_producers.spreadsheets.rows import read_xlsx
from traverse_producers.spreadsheets.template import FIELDS, write_template
from traverse_producers.tables import commands as commands_tables
from traverse_producers.tables.cells import plain
from traverse_producers.tables.columns import BY_HEADER
from traverse_producers.tables.mapping import read_mapping
from traverse_producers.tables.rows import Voice
from traverse_schemas.clock import clock_from
from traverse_schemas.records.codes import Kind

VOICE = Voice(SOURCE, clock_from("2026-04-01T09:00+02:00").now)
PROGRAMME = """
sheet = "Programme 2026"
header_row = 4
date_format = "%d.%m.%Y"
reference = ["Exercice", "N°"]
ignore_others = true

[columns]
"Intitulé du besoin" = "titre"
"Montant prévisionnel (k€)" = "montant_ht"
"Début" = "periode_debut"
"Service" = ""

[constants]
type = "Besoin d'achat"
territoire = "com:13055"
visibilite = "Acheteurs"

[values."Récurrence"]
A = "annuel"

[factors]
montant_ht = 1000
"""


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> MemoryTransport:
    return opened_by_commands(monkeypatch)


def run(*words: str) -> Result:
    app = typer.Typer()
    app.command("publish")(commands.publish)
    app.command("template")(commands_tables.template)
    return CliRunner().invoke(app, list(words))


@pytest.mark.parametrize("kind", FIELDS)
def test_every_header_of_a_template_is_a_column(kind: Kind) -> None:
    """And what may be chosen is what its column reads."""
    for field in FIELDS[kind]:
        assert BY_HEADER[plain(field.title)].name == field.name
        for word in field.choices:
            assert field.column.read(word) is not None


@pytest.mark.parametrize("kind", FIELDS)
def test_the_example_of_a_template_would_be_published(kind: Kind) -> None:
    """Under another reference than EXEMPLE, which is left out."""
    file = io.BytesIO()
    write_template(kind, file)
    (left_out,) = read_xlsx(io.BytesIO(file.getvalue()), "m.xlsx", VOICE)
    assert isinstance(left_out, LeftOut)
    filled = openpyxl.load_workbook(io.BytesIO(file.getvalue()))
    filled["Dossiers"]["A2"] = "R-1"
    file = io.BytesIO()
    filled.save(file)
    (ready,) = read_xlsx(io.BytesIO(file.getvalue()), "m.xlsx", VOICE)
    assert isinstance(ready, Ready), ready
    event = check_event(ready.octets)
    assert event.type == f"fr.traverse.{kind}.published.v1"
    assert event.subject == "R-1"


def test_a_template_has_lists_to_choose_from_and_explains_itself() -> None:
    """The lists stand in a hidden sheet; codes are text, for their zeros."""
    file = io.BytesIO()
    write_template(Kind.NEED, file)
    made = openpyxl.load_workbook(io.BytesIO(file.getvalue()))
    assert made.sheetnames == ["Dossiers", "Listes", "Mode d'emploi"]
    assert made["Listes"].sheet_state == "hidden"
    rules = made["Dossiers"].data_validations.dataValidation
    chosen = {str(rule.sqref): rule.formula1 for rule in rules}
    assert chosen["B2:B1001"] == "=Listes!$A$1:$A$2"
    assert [made["Listes"]["A1"].value, made["Listes"]["A2"].value] == [
        "Besoin d'achat",
        "Besoin d'entreprise",
    ]
    assert made["Dossiers"].column_dimensions["E"].number_format == "@"
    assert "EXEMPLE" in " ".join(str(row[0].value) for row in made["Mode d'emploi"].iter_rows())


def programme(*rows: list[Any]) -> bytes:
    """A buyer's yearly programme, as it has been kept for years."""
    made = openpyxl.Workbook()
    sheet: Any = made.create_sheet("Programme 2026")
    for row in (
        ["Programme des achats"],
        [],
        ["mis à jour le 3 mars"],
        ["Exercice", "N°", "Intitulé du besoin", "Montant prévisionnel (k€)", "Début", "Service",
         "Récurrence", "Visa"],
        *rows,
    ):  # fmt: skip
        sheet.append(row)
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def test_a_mapping_reads_a_sheet_that_exists() -> None:
    """Sheet, header row, constants, composed reference, factor, dates as text, words."""
    mapping = read_mapping(
        PROGRAMME.replace('"Service" = ""', '"Service" = ""\n"Récurrence" = "frequence"').encode(),
        "p.toml",
    )
    octets = programme([2026, 7, "Vélos", 30.5, "01.09.2026", "DGS", "A", "ok"])
    (ready,) = read_xlsx(io.BytesIO(octets), "p.xlsx", VOICE, mapping)
    assert isinstance(ready, Ready), ready
    event = json.loads(ready.octets)
    check_event(ready.octets)
    assert event["subject"] == "2026-7"
    assert event["data"] == {
        "subtype": "purchase",
        "title": "Vélos",
        "place": ["com:13055"],
        "visibility": "buyers",
        "window": {"from": "2026-09-01"},
        "recurrence": "yearly",
        "amounts": [{"value": 30500.0, "kind": "estimate", "tax": "excluded"}],
    }


def test_rows_that_a_mapping_cannot_read_are_told() -> None:
    """A reference without all of its parts; a number that is none."""
    mapping = read_mapping(PROGRAMME.encode(), "p.toml")
    octets = programme(
        [2026, None, "Vélos", 30, "01.09.2026"], [2026, 8, "Vélos", "cher", "01.09.2026"]
    )
    first, second = read_xlsx(io.BytesIO(octets), "p.xlsx", VOICE, mapping)
    assert isinstance(first, Refused)
    assert isinstance(second, Refused)
    assert (first.line, second.line) == (5, 6)
    assert "reference" in first.sentence
    assert "« cher » n'est pas un nombre" in second.sentence


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("[colonnes]", "« colonnes » n'existe pas"),
        ("header_row = 'x'", "header_row"),
        ("reference = 3", "reference"),
        ("ignore_others = 1", "ignore_others"),
        ("columns = 1", "[columns]"),
        ("[values]\nNature = 1", "[Nature]"),
        ("[factors]\ntitre = 'x'", "[factors]"),
        ("a = ", "TOML"),
        ("sheet = 2", "sheet"),
    ],
)
def test_a_wrong_mapping_is_one_sentence(toml: str, said: str) -> None:
    """It names the key."""
    with pytest.raises(InvalidOptionError) as caught:
        read_mapping(toml.encode(), "p.toml")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ('[columns]\n"Titre" = "licorne"', "licorne"),
        ('[constants]\nlicorne = "1"', "licorne"),
        ('reference = ["Numéro"]', "Numéro"),
    ],
)
def test_a_mapping_of_columns_that_do_not_exist_refuses_the_sheet(toml: str, said: str) -> None:
    """Traverse's, or the table's."""
    octets = book(["Référence", "Type", "Titre"], ["1", "Projet", "x"])
    (refused,) = read_xlsx(io.BytesIO(octets), "p.xlsx", VOICE, read_mapping(toml.encode(), "p"))
    assert isinstance(refused, Refused)
    assert said in refused.sentence


def test_a_csv_takes_a_mapping_too(memory: MemoryTransport, tmp_path: Path) -> None:
    """The same file."""
    mapping, table = tmp_path / "p.toml", tmp_path / "p.csv"
    mapping.write_text(PROGRAMME.replace("header_row = 4", "header_row = 2"), encoding="utf-8")
    table.write_text(
        "Programme des achats;\nExercice;N°;Intitulé du besoin;Début\n2026;7;Vélos;01.09.2026\n",
        encoding="utf-8",
    )
    result = run("publish", str(table), "--institution", "211300553", "--mapping", str(mapping))
    assert result.exit_code == 0, result.output
    assert [json.loads(octets)["subject"] for _, octets, _ in memory.sent] == ["2026-7"]


ROWS = (
    ["Référence", "Type", "Titre", "Code INSEE", "Période début", "Lien"],
    ["R-1", "Besoin d'achat", "Vélos", "13055", "01/09/2026", ""],
    ["R-2", "licorne", "Vélos", "13055", "01/09/2026", ""],
    ["R-3", "Besoin d'achat", "=1+1", "13055", "01/09/2026", "rien"],
)


def test_errors_come_back_as_a_copy_of_the_sheet(memory: MemoryTransport, tmp_path: Path) -> None:
    """All rows, the wrong ones with what to mend; mended, the copy is published as it is."""
    file = tmp_path / "besoins.xlsx"
    file.write_bytes(book(*ROWS[:3], [*ROWS[3][:2], "Trop cher", *ROWS[3][3:]]))
    result = run("publish", str(file), "--institution", "211300553")
    copy = tmp_path / "besoins.a-corriger.xlsx"
    assert result.exit_code == 1
    assert f"À corriger : {copy}" in result.output
    sheet = openpyxl.load_workbook(copy)["Dossiers"]
    table = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert table[0][:2] == ["À corriger", "Référence"]
    assert table[1][0] is None
    assert "licorne" in str(table[2][0])
    assert str(table[3][0]).startswith("Colonne Lien : ")
    assert [row[1] for row in table[1:]] == ["R-1", "R-2", "R-3"]
    sheet["C3"], sheet["G4"] = "Besoin d'achat", None
    mended = openpyxl.load_workbook(copy)
    mended["Dossiers"]["C3"], mended["Dossiers"]["G4"] = "Besoin d'achat", None
    mended.save(copy)
    again = run("publish", str(copy), "--institution", "211300553")
    assert again.exit_code == 0, again.output
    subjects = [json.loads(octets)["subject"] for _, octets, _ in memory.sent]
    assert subjects == ["R-1", "R-1", "R-2", "R-3"]


def test_a_wrong_header_comes_back_too(memory: MemoryTransport, tmp_path: Path) -> None:
    """With its sentence beside the header."""
    file = tmp_path / "besoins.xlsx"
    file.write_bytes(book(["Référence", "Licorne"], ["1", "x"]))
    run("publish", str(file), "--institution", "211300553")
    sheet = openpyxl.load_workbook(tmp_path / "besoins.a-corriger.xlsx")["Dossiers"]
    assert "Licorne" in str(sheet["A1"].value)


def test_a_copy_runs_no_formula(memory: MemoryTransport, tmp_path: Path) -> None:
    """What somebody typed stays text in the copy."""
    file = tmp_path / "besoins.csv"
    lines = [";".join(row) for row in ROWS]
    file.write_text("\n".join(lines), encoding="utf-8")
    run("publish", str(file), "--institution", "211300553")
    text = (tmp_path / "besoins.a-corriger.csv").read_text(encoding="utf-8-sig")
    assert text.splitlines()[0].startswith("À corriger;Référence")
    workbook = tmp_path / "b.xlsx"

    def as_text(_: Any, sheet: Any) -> None:
        sheet["C3"].value = "=HYPERLINK(1)"
        sheet["C3"].data_type = "s"

    workbook.write_bytes(book(*ROWS[:3], change=as_text))
    run("publish", str(workbook), "--institution", "211300553")
    cell = openpyxl.load_workbook(tmp_path / "b.a-corriger.xlsx")["Dossiers"]["D3"]
    assert (cell.value, cell.data_type) == ("=HYPERLINK(1)", "s")


def test_the_template_command(memory: MemoryTransport, tmp_path: Path) -> None:
    """Writes the file, prints its path, never over what somebody filled in."""
    file = tmp_path / "besoins.xlsx"
    result = run("template", "need", "--output", str(file))
    assert result.exit_code == 0
    assert result.output.strip() == str(file)
    assert "existe déjà" in str(run("template", "need", "--output", str(file)).exception)
    assert "need, project" in str(run("template", "licorne").exception)
    assert ".xlsx" in str(run("template", "need", "--output", "x.csv").exception)
    published = run("publish", str(file), "--institution", "211300553")
    assert published.exit_code == 0
    assert not memory.sent
