"""Fonds vert: rows of our own invention, with the oddities of the export."""

import io
from pathlib import Path

import pytest

from tests.producers.bounded import bounded
from tests.producers.importers.checks import AS_OF, CONTEXT, record_of, run
from traverse_producers.importers import fonds_vert
from traverse_producers.importers.contract import Dropped
from traverse_producers.importers.fonds_vert import import_fonds_vert

HEADER = (
    "nom_region;code_departement;nom_departement;code_commune;nom_commune;axe;numero_demarche_ds;"
    "nom_demarche_ds;numero_dossier_ds;nom_du_projet;nom_beneficiaire_principal;siren;montant_engage\n"
)
NAME = "fonds-vert-2023-export.csv"


def row(
    *,
    dossier: str = "11000001",
    department: str = "1",
    commune: str = "1004;AMBERIEU EN BUGEY",
    title: str = "Rénovation de l'école",
    owner: str = "COMMUNE D'ESSAI;210100046",
    amount: str = "21\u00a0667,00 €",
) -> str:
    return (
        f"Région;{department};Département;{commune};1;69000;Rénovation énergétique;{dossier};"
        f"{title};{owner};{amount}\n"
    )


def test_a_row_is_a_funded_project() -> None:
    """Every column finds its place; zeros lost from codes are restored."""
    (event,), dropped = run(import_fonds_vert, HEADER + row(), NAME)
    assert not dropped
    assert event["type"] == "fr.traverse.project.published.v1"
    assert event["subject"] == "11000001"
    assert event["time"] == "2023-12-31T00:00:00+01:00", "the end of the year in the file's name"
    assert event["data"] == {
        "subtype": "project",
        "stage": "funded",
        "title": "Rénovation de l'école",
        "description": "Rénovation énergétique",
        "language": "fr",
        "references": ["11000001"],
        "owner": {"id": "210100046", "name": "COMMUNE D'ESSAI"},
        "place": ["com:01004"],
        "amounts": [{"value": 21667, "kind": "subsidy"}],
        "financing": [{"funder": "Fonds vert (État)", "amount": 21667}],
    }


def test_the_date_is_that_of_as_of_when_given() -> None:
    """--as-of wins over the year of the file's name."""
    (event,), _ = run(import_fonds_vert, HEADER + row(), NAME, AS_OF)
    assert event["time"] == "2024-02-01T00:00:00+00:00"


def test_without_any_date_each_row_asks_for_as_of() -> None:
    """A file without a year in its name, and no --as-of: dropped, with the mend."""
    events, (dropped,) = run(import_fonds_vert, HEADER + row(), "export.csv")
    assert not events and "--as-of" in dropped.sentence and dropped.reference == "11000001"


def test_a_file_number_of_several_rows_gives_several_projects() -> None:
    """Rows of one dossier are told apart by what they say, whatever their order."""
    rows = [row(), row(amount="1 000,00 €"), row(dossier="11000002")]
    events, _ = run(import_fonds_vert, HEADER + "".join(rows), NAME)
    turned, _ = run(import_fonds_vert, HEADER + "".join(reversed(rows)), NAME)
    assert len({event["subject"] for event in events}) == 3
    assert {event["id"] for event in events} == {event["id"] for event in turned}
    assert "11000002" in {event["subject"] for event in events}


def test_a_repeated_row_is_a_duplicate() -> None:
    """The same row twice gives one project and one duplicate."""
    events, (dropped,) = run(import_fonds_vert, HEADER + row() * 2, NAME)
    assert len(events) == 1 and dropped.duplicate and dropped.line == 3


def test_an_unnumbered_row_is_kept() -> None:
    """« Non Renseigné » is no reference: the row's content makes its subject."""
    (event,), _ = run(import_fonds_vert, HEADER + row(dossier="Non Renseigné"), NAME)
    assert event["subject"].startswith("sans-dossier:") and "references" not in event["data"]


@pytest.mark.parametrize(
    ("siren", "owner"),
    [
        ("210100046", {"id": "210100046", "name": "X"}),
        ("21010004600012", {"id": "21010004600012", "name": "X"}),
        ("123456789", {"id": "123456789", "name": "X"}),
        ("58502329", {"name": "X"}),
        ("#", {"name": "X"}),
    ],
)
def test_owners(siren: str, owner: dict[str, str]) -> None:
    """9 or 14 digits are kept even if Luhn fails; anything else leaves the name."""
    (event,), _ = run(import_fonds_vert, HEADER + row(owner=f"X;{siren}"), NAME)
    assert record_of(event)["owner"] == owner


@pytest.mark.parametrize(
    ("department", "commune", "owner", "place"),
    [
        ("1", "74012;ANNEMASSE", "POLE D'ESSAI;123456782", "dep:01"),
        ("13", "NULL;NULL", "METROPOLE;200054807", "epci:200054807"),
        ("2A", "2A004;AJACCIO", "X;123456782", "com:2A004"),
        ("984", "NULL;NULL", "X;123456782", "dep:984"),
        ("75", "75105;PARIS 5E", "X;123456782", "com:75105"),
        ("1", "1999;AMBERIEU EN BUGEY", "X;123456782", "com:01004"),
    ],
)
def test_places(department: str, commune: str, owner: str, place: str) -> None:
    """Commune in its département, else the beneficiary's own territory, else the département."""
    content = HEADER + row(department=department, commune=commune, owner=owner)
    assert record_of(run(import_fonds_vert, content, NAME)[0][0])["place"] == [place]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
def test_encodings(encoding: str) -> None:
    """The export with a byte order mark, or in Windows-1252, reads the same."""
    content = (HEADER + row()).encode(encoding)
    assert run(import_fonds_vert, content, NAME) == run(import_fonds_vert, HEADER + row(), NAME)


def test_contacts_and_quotes_in_a_title() -> None:
    """A quoted cell may hold the delimiter and a line's end; contacts in it are removed."""
    said = '"École ; ""Les Essais""\nécrire à a.b@essai.example"'
    (event,), _ = run(import_fonds_vert, HEADER + row(title=said), NAME)
    assert record_of(event)["title"] == 'École ; "Les Essais" écrire à …'


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "il manque les colonnes"),
        ("a;b\n1;2\n", "il manque les colonnes"),
        (HEADER + "trop;peu\n", "autant de colonnes"),
        (HEADER + row(title=""), "pas de nom"),
        (HEADER + row(title='"' + "x" * 200_000), "n'est plus lisible"),
    ],
)
def test_what_cannot_be_read_is_reported(content: str, why: str) -> None:
    """Other files, short rows, projects without a name: one sentence each, no exception."""
    events, (dropped,) = run(import_fonds_vert, content, NAME)
    assert not events and why in dropped.sentence


READ = """
from tests.producers.importers.checks import CONTEXT
from traverse_producers.importers.fonds_vert import import_fonds_vert
with open(file, "rb") as stream:
    for each in import_fonds_vert(stream, "export-2023.csv", CONTEXT):
        print(getattr(each, "sentence", "imported"))
"""


@pytest.mark.parametrize("quoted", [b"", b'"'])
@pytest.mark.parametrize("begun", [b"", (HEADER + row()).encode()])
def test_a_line_without_end_is_told_in_little_memory_and_time(
    begun: bytes, quoted: bytes, tmp_path: Path
) -> None:
    """As the header, or as a row; within quotes, where lines may end, too."""
    file = tmp_path / "a.csv"
    with file.open("wb") as written:
        written.write(begun + quoted)
        for _ in range(600):
            written.write(b"a" * (1 << 20))
    done = bounded(READ, file)
    assert "n'est plus lisible" in done.said or "n'est pas un export" in done.said
    assert done.peak < 200


def test_a_file_that_is_no_export_by_its_size_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonds_vert, "_LARGEST", 100)
    (dropped,) = import_fonds_vert(io.BytesIO(HEADER.encode() * 9), "a.csv", CONTEXT)
    assert isinstance(dropped, Dropped)
    assert dropped.unread
    assert "dépasse" in dropped.sentence
