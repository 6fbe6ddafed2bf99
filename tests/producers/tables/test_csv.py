"""Records from a spreadsheet: French cells, every wrong row told, the others published."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traverse_producers.event_builder import check_event
from traverse_producers.files.rows import Ready, Refused, Row
from traverse_producers.tables.cells import (
    UnreadableCellError,
    plain,
    read_date,
    read_decimal,
    read_instant,
    read_moment,
    read_territories,
)
from traverse_producers.tables.columns import BY_HEADER, COLUMNS, ONLY_IN_JSON
from traverse_producers.tables.csv_rows import read_csv
from traverse_producers.tables.rows import Voice

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
HEADER = "reference;type;titre;territoire;url\n"
GOOD = "R-1;Marché public;Voirie;com:13055;https://exemple.fr/1\n"


def rows(content: str | bytes, encoding: str = "utf-8", now: datetime = NOW) -> list[Row]:
    octets = content if isinstance(content, bytes) else content.encode(encoding)
    voice = Voice("urn:siren:211300553", lambda: now)
    return list(read_csv(io.BytesIO(octets), "f.csv", voice))


def events(content: str | bytes, encoding: str = "utf-8") -> list[dict[str, object]]:
    """The events of a file whose rows are all right."""
    found = []
    for row in rows(content, encoding):
        assert isinstance(row, Ready), row
        check_event(row.octets)
        found.append(json.loads(row.octets))
    return found


def sentence(content: str) -> str:
    """The sentence of the one refusal of a file."""
    (row,) = rows(content)
    assert isinstance(row, Refused)
    return row.sentence


def test_a_row_becomes_the_event_that_it_tells() -> None:
    """Every sort of cell ends up where the record has it."""
    header = (
        "Référence *;Type;Titre;Territoire;Code postal;Date limite;Montant HT;URL;CPV;Siren;"
        "Acheteur;Nature;Durée (mois);Technique;Latitude;Longitude"
    )
    row = (
        'V-1;marché public;"Voirie ; ""lot 1""";dep:83 com:13055;13001;12/03/2027 à 12h;'
        "1 234,5 €;https://exemple.fr/1;45233140 45233141;211 300 553;Marseille;Travaux;24;"
        "accord-cadre;43,3;5,4"
    )
    (event,) = events(f"{header}\n{row}\n")
    assert event["subject"] == "V-1"
    assert event["time"] == "2026-11-24T09:00:00+00:00"
    assert event["type"] == "fr.traverse.call.published.v1"
    assert event["data"] == {
        "subtype": "contract",
        "title": 'Voirie ; "lot 1"',
        "place": ["dep:83", "com:13055", "cp:13001"],
        "url": "https://exemple.fr/1",
        "cpv": ["45233140", "45233141"],
        "owner": {"id": "211300553", "name": "Marseille"},
        "nature": "works",
        "duration_months": 24,
        "techniques": ["framework_agreement"],
        "location": {"lat": 43.3, "lon": 5.4},
        "amounts": [{"value": 1234.5, "kind": "estimate", "tax": "excluded"}],
        "deadlines": [{"kind": "tender", "at": "2027-03-12T12:00"}],
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_encodings_and_separators_of_spreadsheets(encoding: str, separator: str) -> None:
    """What Excel, LibreOffice and scripts write reads the same."""
    content = (HEADER + GOOD.replace("Voirie", "Réfection œuvre")).replace(";", separator)
    (event,) = events(content, encoding)
    assert event["data"]["title"] == "Réfection œuvre"  # type: ignore[index]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_ends_of_all_systems(newline: str) -> None:
    """Files of Windows, Unix and old Macs, with or without an end on the last line."""
    assert len(events((HEADER + GOOD).replace("\n", newline))) == 1
    assert len(events((HEADER + GOOD).rstrip().replace("\n", newline))) == 1


def test_a_wrong_row_spoils_no_other() -> None:
    """Each refusal has its line, its reference and why; empty rows are nothing."""
    content = (
        HEADER
        + GOOD
        + ";;;;\n\n"
        + "R-2;Marché public;Rue;13055;https://exemple.fr/2\n"
        + GOOD.replace("R-1", "R-3")
    )
    first, refused, last = rows(content)
    assert isinstance(first, Ready)
    assert isinstance(last, Ready)
    assert (first.line, refused.line, last.line) == (2, 5, 6)
    assert isinstance(refused, Refused)
    assert refused.reference == "R-2"
    assert "com:13055 ou cp:13055" in refused.sentence


def test_a_quote_that_is_never_closed_loses_its_own_line_only() -> None:
    """Without care the rest of the file would be one cell."""
    bad = 'R-2;Marché public;"Rue;com:13055;https://exemple.fr/2\n'
    found = rows(HEADER + GOOD + bad + GOOD.replace("R-1", "R-3") + GOOD.replace("R-1", "R-4"))
    assert [(row.line, type(row)) for row in found] == [
        (2, Ready),
        (3, Refused),
        (4, Ready),
        (5, Ready),
    ]


def test_a_cell_may_hold_line_ends() -> None:
    """The line that is told is the one on which the row begins."""
    content = HEADER + GOOD.replace("Voirie", '"Voirie\ndu centre"') + "R-2;licorne;x;fr;\n"
    first, second = rows(content)
    assert isinstance(first, Ready)
    assert json.loads(first.octets)["data"]["title"] == "Voirie\ndu centre"
    assert second.line == 4


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("reference;type;titr", "est-ce titre"),
        ("reference;type;lots", "en JSON"),
        ("reference;type;titre;objet", "gardez-en une seule"),
        ("type;titre", "pas de colonne reference"),
        ("", "première ligne"),
    ],
)
def test_a_wrong_header_refuses_the_file(header: str, said: str) -> None:
    """Nothing that a column holds is dropped in silence."""
    assert said in sentence(f"{header}\nR-1;Projet;x;y\n" if header else "")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("R-1;licorne;Voirie;fr;u", "n'est pas dans la liste"),
        (";Projet;Voirie;fr;u", "reference est vide"),
        ("R-1;;Voirie;fr;u", "type est vide"),
        ("R-1;Projet;Voirie;XYZ;u", "n'est pas un territoire"),
        ("R-1;Projet;Voirie;fr;u;de trop", "n'a pas de nom de colonne"),
    ],
)
def test_a_wrong_cell_is_told_with_its_column(row: str, said: str) -> None:
    """The sentence says what to write instead."""
    assert said in sentence(HEADER + row)


def test_an_unknown_column_is_told_with_the_known_ones() -> None:
    """One sentence, which names every column by its French name."""
    said = sentence("reference;type;licorne\nR-1;Projet;x\n")
    assert "« licorne »" in said
    assert all(column.aliases[0] in said for column in COLUMNS)
    assert said.count(". ") == 0


def test_a_row_with_its_date_is_the_same_event_whenever_it_is_published() -> None:
    """A file published again makes duplicates; a row that changed is another event."""
    header = "reference;type;titre;territoire;date\n"
    row = "R-1;Projet;Gare;fr;12/03/2026\n"
    later = NOW + timedelta(days=1)
    assert rows(header + row) == rows(header + row, now=later)
    (event,), (changed,) = events(header + row), events(header + row.replace("Gare", "Port"))
    assert event["time"] == "2026-03-12T00:00:00+01:00"
    assert event["id"] != changed["id"]


def test_a_row_without_date_is_of_now_and_never_an_id_with_other_content() -> None:
    """A day later it is a new version of its record, with an id of its own."""
    first, again, later = (
        rows(HEADER + GOOD, now=now) for now in (NOW, NOW, NOW + timedelta(days=1))
    )
    assert first == again
    ids = [json.loads(row.octets)["id"] for (row,) in (first, later) if isinstance(row, Ready)]
    assert len(set(ids)) == 2


def test_the_id_that_a_row_says_is_kept() -> None:
    """A system that has ids of its own goes on with them."""
    (event,) = events("reference;type;titre;territoire;event_id\nR-1;Projet;Gare;fr;X-1\n")
    assert event["id"] == "X-1"


def test_owner_and_period_have_french_columns() -> None:
    """Whose need it is and when, in the words of who fills the table."""
    (event,) = events(
        "reference;type;sous_type;titre;territoire;proprietaire_siren;proprietaire_nom;"
        "periode_debut;periode_fin;visibilite\n"
        "B-1;besoin;Besoin d'achat;Vélos;fr;211 300 553;Marseille;01/09/2026;31/12/2026;Acheteurs\n"
    )
    data = event["data"]
    assert isinstance(data, dict)
    assert data["owner"] == {"id": "211300553", "name": "Marseille"}
    assert data["window"] == {"from": "2026-09-01", "to": "2026-12-31"}
    assert data["visibility"] == "buyers"


def test_the_type_may_be_the_kind_and_the_subtype_apart() -> None:
    """A project without more is a project; a subtype that contradicts the type is told."""
    header = "reference;type;sous_type;titre;territoire\n"
    rooms, plain_one = events(
        header + "R-1;projet;Moyens partagés;Salles;fr\nR-2;Projet;;Gare;fr\n"
    )
    assert rooms["data"]["subtype"] == "shared_resources"  # type: ignore[index]
    assert plain_one["data"]["subtype"] == "project"  # type: ignore[index]
    assert "contredisent" in sentence(header + "R-1;Concession;Marché public;Eau;fr\n")


@given(st.binary(max_size=300), st.booleans())
def test_garbage_never_raises(octets: bytes, with_header: bool) -> None:
    """Any octets give rows, and each row an event or a sentence."""
    for row in rows(HEADER.encode() + octets if with_header else octets):
        assert isinstance(row, Ready) or row.sentence.endswith("."), row


_texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]))


@given(_texts, _texts)
def test_what_a_spreadsheet_writes_is_read_back(title: str, description: str) -> None:
    """Quotes, separators and line ends inside of cells come through the csv module's own writer."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";")
    writer.writerow(["reference", "type", "titre", "description", "territoire"])
    title, description = title.strip() or "x", description.strip() + '\n"; fin'
    writer.writerow(["R-1", "Projet", title, description, "fr"])
    (row,) = rows(text.getvalue())
    assert isinstance(row, Ready)
    data = json.loads(row.octets)["data"]
    assert (data["title"], data["description"]) == (title, description.strip())


def test_actions_and_their_reasons() -> None:
    """A column may say that a record was updated, closed or withdrawn."""
    content = (
        "reference;type;action;motif;issue;date issue;titre;territoire;url\n"
        "R-1;Marché public;modifié;prolongation;;;Voirie;fr;https://exemple.fr/1\n"
        "R-2;Marché public;clos;Offre retenue;attribué;12/05/2026;;;\n"
        "R-3;Marché public;clos;;infructueux;;Voirie;fr;\n"
        "R-4;appel;retiré;;;;Voirie;fr;\n"
    )
    updated, closed, told, withdrawn = (one["data"] for one in events(content))
    assert updated["reason"] == "extension"  # type: ignore[index]
    assert closed == {"outcome": "awarded", "on": "2026-05-12", "reason": "Offre retenue"}
    assert told["record"]["title"] == "Voirie"  # type: ignore[index]
    assert withdrawn == {}


def test_an_outcome_without_closing_is_a_contradiction() -> None:
    """An outcome that nobody would read is not dropped."""
    content = "reference;type;titre;territoire;issue\nR-1;Projet;x;fr;abandonné\n"
    assert "clos" in sentence(content)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1 234,56 €", "1234.56"),
        ("1\u202f234,5", "1234.5"),
        ("1.234.567", "1234567"),
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("12", "12"),
        ("0,5", "0.5"),
    ],
)
def test_amounts_as_they_are_typed(text: str, number: str) -> None:
    """French and English habits, as long as they can be told apart."""
    assert str(read_decimal(text)) == number


@pytest.mark.parametrize("text", ["1,234", "1.234", "1.2,3.4", "douze", "12 k€", "1e3", ""])
def test_amounts_that_could_be_two_things_are_asked(text: str) -> None:
    """A thousand times too much or too little is worse than a question."""
    with pytest.raises(UnreadableCellError):
        read_decimal(text)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("12/03/2026", "2026-03-12"),
        ("1/3/2026 9h", "2026-03-01T09:00"),
        ("12/03/2026 12:30", "2026-03-12T12:30"),
        ("12/03/2026 à 12h30", "2026-03-12T12:30"),
        ("12/03/2026 12:30:05", "2026-03-12T12:30:05"),
        ("2026-03-12T12:00+01:00", "2026-03-12T12:00+01:00"),
    ],
)
def test_moments_as_they_are_typed(text: str, moment: str) -> None:
    """The day comes first."""
    assert read_moment(text) == moment


@pytest.mark.parametrize(
    "text", ["31/02/2026", "12/03/26", "03/13/2026", "demain", "12/03/2026 25h"]
)
def test_moments_that_do_not_exist_are_told(text: str) -> None:
    """Two-digit years too: nobody knows of which century."""
    with pytest.raises(UnreadableCellError, match="12/03/2026"):
        read_moment(text)


def test_a_day_has_no_hour_and_an_instant_is_in_paris() -> None:
    """An hour in a column of days would be lost; an event's time needs an offset."""
    with pytest.raises(UnreadableCellError):
        read_date("12/03/2026 12:00")
    assert read_instant("12/07/2026 12:00").isoformat() == "2026-07-12T12:00:00+02:00"


def test_territories_that_can_be_one_thing_only_need_no_type() -> None:
    """`83` is no region, `France` is France; `93` is both."""
    assert read_territories("83 France epci:200054807") == ["dep:83", "fr", "epci:200054807"]
    with pytest.raises(UnreadableCellError, match="dep:93 ou reg:93"):
        read_territories("93")


def test_zeros_that_the_spreadsheet_ate_come_back() -> None:
    """In a column of codes of one level there is no doubt."""
    header = "reference;type;titre;commune;département\n"
    (event,) = events(header + "R-1;Projet;Gare;1004;1\n")
    assert event["data"]["place"] == ["com:01004", "dep:01"]  # type: ignore[index]


def test_every_header_means_one_column() -> None:
    """No alias is another column's, and all are as headers are compared."""
    headers = [header for column in COLUMNS for header in (column.name, *column.aliases)]
    assert len(headers) == len(set(headers)) == len(BY_HEADER)
    assert headers == [plain(header) for header in headers]
    assert not ONLY_IN_JSON & set(headers)


@pytest.mark.parametrize("column", [column for column in COLUMNS if column.example])
def test_every_documented_example_can_be_read(column: object) -> None:
    """What `traverse publish --columns` shows is right."""
    read = getattr(column, "read")  # noqa: B009 - a NamedTuple's field that is a function
    assert read(getattr(column, "example")) not in (None, "", [])  # noqa: B009
