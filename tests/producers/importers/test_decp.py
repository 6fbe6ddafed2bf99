"""DECP: contracts of our own invention, with the oddities that real files have."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.producers.importers.checks import AS_OF, record_of, run
from traverse_producers.importers.decp.importer import import_decp


def contract(**changes: Any) -> dict[str, Any]:
    """A row of the 2019 format; a field set to None is left out."""
    row = {
        "id": "2019M01",
        "_type": "Marché",
        "nature": "Marché",
        "objet": "Entretien  des espaces\nverts",
        "codeCPV": "77310000-6",
        "procedure": "Procédure adaptée",
        "acheteur": {"id": "21130056100015", "nom": "Commune de Martigues"},
        "lieuExecution": {"code": "13500", "typeCode": "Code postal", "nom": "Martigues"},
        "dureeMois": 48,
        "dateNotification": "2019-01-15",
        "datePublicationDonnees": "2019-02-01",
        "montant": 120000.5,
        "titulaires": [
            {
                "typeIdentifiant": "SIRET",
                "id": "123456782 00010",
                "denominationSociale": "Vert Essai",
            }
        ],
        "modifications": [],
    } | changes
    return {key: value for key, value in row.items() if value is not None}


def file_of(*rows: dict[str, Any]) -> str:
    return json.dumps({"marches": list(rows)}, ensure_ascii=False)


def test_a_contract_is_a_call_that_is_awarded() -> None:
    """Every field of a row finds its place in the record."""
    (event,), dropped = run(import_decp, file_of(contract()))
    assert not dropped
    assert event["type"] == "fr.traverse.call.closed.v1"
    assert event["time"] == "2019-02-01T00:00:00+01:00"
    assert event["data"]["outcome"] == "awarded" and event["data"]["on"] == "2019-01-15"
    assert record_of(event) == {
        "title": "Entretien des espaces verts",
        "language": "fr",
        "references": ["2019M01"],
        "owner": {"id": "21130056100015", "name": "Commune de Martigues"},
        "place": ["com:13056"],
        "amounts": [{"value": 120000.5, "kind": "awarded", "tax": "excluded"}],
        "subtype": "contract",
        "procedure": "Procédure adaptée",
        "cpv": ["77310000"],
        "published_on": "2019-02-01",
        "notified": "2019-01-15",
        "holders": [{"id": "12345678200010", "name": "Vert Essai"}],
        "duration_months": 48,
        "end_max": "2023-01-15",
    }


def test_the_same_file_twice_is_the_same_events() -> None:
    """Ids, times and data do not depend on the run, so that re-importing makes duplicates."""
    content = file_of(contract(), contract(id="2019M02"))
    assert run(import_decp, content) == run(import_decp, content)


def test_an_exact_repetition_is_a_duplicate() -> None:
    """The second of two equal rows is dropped, and nothing is lost."""
    events, (dropped,) = run(import_decp, file_of(contract(), contract()))
    assert len(events) == 1
    assert dropped.duplicate and dropped.line == 2


@given(
    st.permutations([{"titulaires": []}, {"montant": 5}, {"dateNotification": "2020-01-01"}, {}])
)
def test_contracts_with_one_number_stay_apart_in_any_order(changes: list[dict[str, Any]]) -> None:
    """One number for several lots: as many records, whatever the order of the file."""
    events, _ = run(import_decp, file_of(*(contract(**change) for change in changes)))
    expected, _ = run(import_decp, file_of(*(contract(**c) for c in sorted(changes, key=str))))
    assert len({event["subject"] for event in events}) == 4
    assert sorted(e["id"] for e in events) == sorted(e["id"] for e in expected)


def test_a_corrected_row_is_a_version_of_the_same_record() -> None:
    """Published again with another object, the contract keeps its subject."""
    later = contract(objet="Entretien des parcs", datePublicationDonnees="2019-03-01")
    first, second = run(import_decp, file_of(contract(), later))[0]
    assert first["subject"] == second["subject"]
    assert first["id"] != second["id"] and first["time"] < second["time"]


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"montant": 0}, "amounts"),
        ({"montant": None}, "amounts"),
        ({"codeCPV": "3111000"}, "cpv"),
        ({"dateNotification": "0218-10-29"}, "notified"),
        ({"dateNotification": "0218-10-29"}, "end_max"),
        ({"dureeMois": 0}, "duration_months"),
        ({"acheteur": None}, "owner"),
        ({"titulaires": None}, "holders"),
    ],
)
def test_what_a_row_says_wrong_is_left_out(changes: dict[str, Any], missing: str) -> None:
    """Amounts of 0, wrong CPV codes, impossible dates: the record goes on without them."""
    (event,), _ = run(import_decp, file_of(contract(**changes)))
    assert missing not in record_of(event)


def test_a_framework_agreement_has_a_maximum() -> None:
    """An accord-cadre's amount is the most that may be ordered."""
    record = record_of(run(import_decp, file_of(contract(nature="Accord-cadre")))[0][0])
    assert record["techniques"] == ["framework_agreement"]
    assert record["amounts"][0]["kind"] == "maximum"


def test_wrong_siret_of_a_buyer_goes_on() -> None:
    """14 digits that fail Luhn are flagged later, not refused; other things are no number."""
    record = record_of(run(import_decp, file_of(contract(acheteur={"id": "12345678901234"})))[0][0])
    assert record["owner"] == {"id": "12345678901234"}
    record = record_of(run(import_decp, file_of(contract(acheteur={"id": "?", "nom": "X"})))[0][0])
    assert record["owner"] == {"name": "X"}


def test_foreign_and_single_traders_keep_number_and_name_only() -> None:
    """Holders are as published: number and name, nothing else of them."""
    holders = [
        {"typeIdentifiant": "TVA", "id": "DE123456789", "denominationSociale": "Muster GmbH"},
        {
            "typeIdentifiant": "SIRET",
            "id": "",
            "denominationSociale": "Jeanne Essai",
            "tel": "0491000000",
        },
    ]
    record = record_of(run(import_decp, file_of(contract(titulaires=holders)))[0][0])
    assert record["holders"] == [
        {"id": "DE123456789", "name": "Muster GmbH"},
        {"name": "Jeanne Essai"},
    ]


def test_a_row_without_any_date_needs_as_of() -> None:
    """Without a date the row is dropped with the mend; with --as-of it is dated by it."""
    undated = file_of(contract(dateNotification=None, datePublicationDonnees=None))
    events, (dropped,) = run(import_decp, undated)
    assert not events and "--as-of" in dropped.sentence
    (event,), _ = run(import_decp, undated, context=AS_OF)
    assert event["time"] == "2024-02-01T00:00:00+00:00"


def test_a_row_without_object_is_dropped_with_its_number() -> None:
    """Nobody could find a contract without words: it is reported."""
    events, (dropped,) = run(import_decp, file_of(contract(), contract(objet=" ", id="Z9")))
    assert len(events) == 1
    assert (dropped.line, dropped.reference, dropped.duplicate) == (2, "Z9", False)


def test_overseas_days_begin_overseas() -> None:
    """A bare date in La Réunion is a day of La Réunion."""
    there = {"code": "974", "typeCode": "Code département", "nom": "La Réunion"}
    (event,), _ = run(import_decp, file_of(contract(lieuExecution=there)))
    assert event["time"] == "2019-02-01T00:00:00+04:00"


def test_modifications_are_amendments_in_order() -> None:
    """Each changes what it says of amount, duration, holders, and leaves the rest."""
    changes = [
        {
            "montant": 150000,
            "dateNotificationModification": "2019-05-02",
            "objetModification": "Plus",
        },
        {"dureeMois": 60, "datePublicationDonneesModification": "2019-01-02"},
        {"objetModification": ""},
    ]
    (closed, more, longer), _ = run(import_decp, file_of(contract(modifications=changes)))
    assert closed["data"]["record"]["duration_months"] == 48 and "sequence" not in closed
    assert more["type"] == longer["type"] == "fr.traverse.call.updated.v1"
    assert (more["sequence"], longer["sequence"]) == (1, 2)
    assert more["data"]["reason"] == "amendment"
    assert more["data"]["amounts"] == [{"value": 150000, "kind": "awarded", "tax": "excluded"}]
    assert more["data"]["description"] == "Modification : Plus"
    assert longer["data"]["end_max"] == "2024-01-15"
    assert longer["data"]["amounts"] == more["data"]["amounts"]
    assert closed["time"] < more["time"] == longer["time"], "never before what it changes"


V2 = {
    "marches": {
        "marche": [
            {
                "id": "2024-7",
                "acheteur": {"id": "21130056100015"},
                "nature": "Marché",
                "objet": "Navettes électriques",
                "techniques": {"technique": ["Accord-cadre"]},
                "considerationsSociales": {"considerationSociale": ["Clause sociale"]},
                "considerationsEnvironnementales": {
                    "considerationEnvironnementale": ["Pas de considération environnementale"]
                },
                "idAccordCadre": "AC-2023-1",
                "typeGroupementOperateurs": "Solidaire",
                "titulaires": [{"titulaire": {"typeIdentifiant": "SIRET", "id": "12345678200010"}}],
                "lieuExecution": {"code": "13", "typeCode": "Code département"},
                "dureeMois": 24,
                "dateNotification": "2024-05-15",
                "datePublicationDonnees": "2024-05-25",
                "montant": 575000,
                "modifications": [{"modification": {"id": 1, "montant": 600000.25}}],
            }
        ],
        "contrat-concession": [
            {
                "id": "2024-8",
                "autoriteConcedante": {"id": "20005480700017"},
                "nature": "Concession de travaux",
                "objet": "Parc de stationnement",
                "dateSignature": "2024-04-02",
                "datePublicationDonnees": "2024-04-12",
                "dureeMois": 360,
                "valeurGlobale": 10300000.5,
                "montantSubventionPublique": 2000,
                "concessionnaires": [
                    {"concessionnaire": {"typeIdentifiant": "SIRET", "id": "12345678200010"}}
                ],
            }
        ],
    }
}


def test_schema_2_contracts_and_concessions() -> None:
    """No names, techniques as a list, leaders of groups, global values, modifications wrapped."""
    (contract2, amended, concession), dropped = run(import_decp, json.dumps(V2))
    assert not dropped
    record = record_of(contract2)
    assert record["owner"] == {"id": "21130056100015"}
    assert record["techniques"] == ["framework_agreement"]
    assert record["access"] == ["social"]
    assert record["references"] == ["2024-7", "accord-cadre AC-2023-1"]
    assert record["holders"] == [{"id": "12345678200010", "role": "leader"}]
    assert amended["data"]["amounts"][0] == {
        "value": 600000.25,
        "kind": "maximum",
        "tax": "excluded",
    }
    record = record_of(concession)
    assert (record["subtype"], record["nature"]) == ("concession", "works")
    assert record["place"] == ["epci:200054807"], "no place of its own: the buyer's territory"
    assert [amount["kind"] for amount in record["amounts"]] == ["awarded", "subsidy"]
    assert record["notified"] == "2024-04-02" and record["end_max"] == "2054-04-02"


V2_XML = """<marches>
<marche><id>2024-7</id><acheteur><id>21130056100015</id></acheteur><nature>Marché</nature>
<objet>Navettes électriques</objet><techniques><technique>Accord-cadre</technique></techniques>
<considerationsSociales><considerationSociale>Clause sociale</considerationSociale>
</considerationsSociales><idAccordCadre>AC-2023-1</idAccordCadre>
<typeGroupementOperateurs>Solidaire</typeGroupementOperateurs><titulaires><titulaire>
<typeIdentifiant>SIRET</typeIdentifiant><id>12345678200010</id></titulaire></titulaires>
<lieuExecution><code>13</code><typeCode>Code département</typeCode></lieuExecution>
<dureeMois>24</dureeMois><dateNotification>2024-05-15</dateNotification>
<datePublicationDonnees>2024-05-25</datePublicationDonnees><montant>575000</montant>
<modifications><modification><id>1</id><montant>600000.25</montant></modification></modifications>
</marche></marches>"""


def test_the_number_of_a_framework_agreement_is_told_as_such() -> None:
    """All orders of one agreement share it: it is no other number of the contract."""
    (first, *_), _ = run(import_decp, json.dumps({"marches": {"marche": V2["marches"]["marche"]}}))
    assert record_of(first)["references"] == ["2024-7", "accord-cadre AC-2023-1"]


def test_xml_says_the_same_as_json() -> None:
    """The XML form of schema 2.0 gives the very events of the JSON form."""
    as_json = {"marches": {"marche": V2["marches"]["marche"]}}
    assert run(import_decp, V2_XML) == run(import_decp, json.dumps(as_json))


@pytest.mark.parametrize(
    ("content", "events"),
    [
        (file_of(contract())[:-2], 1),
        (file_of(contract())[:-2] + ", oops", 1),
        ("{", 0),
        ("", 0),
        ("[1, 2]", 0),
        ('{"autre": []}', 0),
        (file_of(contract(montant=[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]])), 0),
        ("<marches><marche><id>1</id>", 0),
        ("<autre/>", 0),
        ('<!DOCTYPE m [<!ENTITY a "aaaa">]>' + V2_XML.replace("2024-7", "&a;"), 0),
        ('<!DOCTYPE m SYSTEM "file:///etc/passwd">' + V2_XML, 0),
    ],
)
def test_a_broken_file_is_a_sentence(content: str, events: int) -> None:
    """What was whole before the break is imported; the break is reported, and never raises."""
    made, dropped = run(import_decp, content)
    assert len(made) == events
    assert len(dropped) == 1 and not dropped[0].duplicate


def test_windows_files_are_read() -> None:
    """JSON in Windows-1252 (no JSON at all, by RFC 8259) comes out right."""
    (event,), _ = run(import_decp, file_of(contract(objet="Café équitable")).encode("cp1252"))
    assert record_of(event)["title"] == "Café équitable"


def test_contacts_in_the_object_stay_here() -> None:
    """An e-mail or a phone in free text never leaves (the check of every test looks for them)."""
    said = "Traiteur (contact : essai@traiteur.example, 04 91 00 00 00)"
    (event,), _ = run(import_decp, file_of(contract(objet=said)))
    assert record_of(event)["title"] == "Traiteur (contact : …, …)"


def test_a_long_object_is_cut_and_kept() -> None:
    """An object beyond 500 characters is cut in the title and whole in the description."""
    (event,), _ = run(import_decp, file_of(contract(objet="mot " * 300)))
    record = record_of(event)
    assert len(record["title"]) <= 500 and record["description"] == ("mot " * 300).strip()


_ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 10**20)
    | st.floats(allow_nan=False)
    | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "nom",
                    "code",
                    "typeCode",
                    "titulaire",
                    "modification",
                    "montant",
                    "technique",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=5,
)
_FIELDS = [*contract(), "techniques", "considerationsSociales", "valeurGlobale", "concessionnaires"]


@given(st.dictionaries(st.sampled_from(_FIELDS), _ANY, max_size=6))
def test_whatever_the_fields_hold_the_row_ends_somewhere(odd: dict[str, Any]) -> None:
    """Fields of any type and content give a valid event, or one drop with its reason."""
    events, dropped = run(import_decp, json.dumps({"marches": [contract() | odd]}))
    assert len(events) + len(dropped) >= 1
