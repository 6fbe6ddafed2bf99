"""BOAMP: the records of its API in each form, what is linked to what, eForms inside of JSON."""

import json
from typing import Any

import pytest
from lxml import etree

from tests.producers.importers import eforms_samples
from tests.producers.importers.checks import record_of, run
from traverse_producers.importers.boamp.importer import import_boamp
from traverse_producers.importers.eforms.importer import import_eforms

PUBLISHED, UPDATED, CLOSED = (
    f"fr.traverse.call.{what}.v1" for what in ("published", "updated", "closed")
)
FNSIMPLE = {
    "FNSimple": {
        "organisme": {
            "nomOfficiel": "Ville de Marseille",
            "typeIdentificationNational": {"siret": ""},
            "codeIdentificationNational": "21130055300016",
            "ville": "Marseille",
            "cp": "13002",
        },
        "initial": {
            "communication": {
                "nomContact": "Nom Du Contact",
                "adresseMailContact": "contact@exemple.fr",
                "telContact": "+33 400000000",
                "urlProfilAch": "https://profil.example/",
            },
            "natureMarche": {
                "intitule": "Réfection de la voirie",
                "description": "Écrire à contact@exemple.fr. L&#039;accès est étroit.",
                "codeCPV": {"objetPrincipal": {"classPrincipale": "45233140"}},
                "dureeMois": "12",
                "valeurEstimee": {"fourchette": {"valeurBasse": "10", "valeurHaute": "90000"}},
            },
            "lots": {
                "lot": [
                    {"intitule": "Chaussée", "codeCPV": {"objetPrincipal": {
                        "classPrincipale": "45233220"}}},
                    {"intitule": "Trottoirs", "description": "Pavés.", "valeurEstimee": {
                        "valeur": "1000"}},
                ]
            },
        },
    }
}  # fmt: skip
MAPA = {
    "MAPA": {
        "organisme": {"acheteurPublic": "Ville de Marseille", "adr": {"cp": "13002"},
                      "coord": {"mel": "contact@exemple.fr", "tel": "+33 400000000"}},
        "initial": {"description": {"objet": "Voirie"},
                    "caracteristiques": {"principales": "Deux tranches."}},
    }
}  # fmt: skip
LEGACY = {
    "IDENTITE": {"DENOMINATION": "Ville", "CODE_IDENT_NATIONAL": "21130055300016",
                 "MEL": "contact@exemple.fr"},
    "OBJET": {"OBJET_COMPLET": "Voirie de la Belle-de-Mai", "CPV": {"PRINCIPAL": "45233140"}},
}  # fmt: skip


def row(donnees: Any = FNSIMPLE, **fields: Any) -> dict[str, Any]:
    """A record of the API, with its main fields."""
    return {
        "idweb": "26-91551",
        "id": "26-91551",
        "objet": "R&eacute;fection de la voirie",
        "nomacheteur": "Ville de Marseille",
        "code_departement": ["13"],
        "dateparution": "2026-09-24",
        "datelimitereponse": "2026-10-26T11:00:00+00:00",
        "type_procedure": "PROCEDURE_ADAPTE",
        "procedure_libelle": "Procédure adaptée",
        "type_marche": ["TRAVAUX"],
        "nature": "APPEL_OFFRE",
        "etat": "INITIAL",
        "descripteur_code": ["350"],
        "descripteur_libelle": ["Voirie"],
        "url_avis": "https://www.boamp.fr/pages/avis/?q=idweb:26-91551",
        "annonce_lie": None,
        "titulaire": None,
        "donnees": json.dumps(donnees),
    } | fields


def page(*rows: dict[str, Any]) -> str:
    return json.dumps({"total_count": len(rows), "results": list(rows)})


def the_event(*args: Any, **fields: Any) -> dict[str, Any]:
    """The one event of a record."""
    (event,), dropped = run(import_boamp, page(row(*args, **fields)), "boamp.json")
    assert not dropped
    return event


def test_a_national_notice_is_a_call_that_opens() -> None:
    """Number as subject, hour in the buyer's zone, SIRET, CPV, lots, no entity, no contact."""
    event = the_event()
    assert event["type"] == PUBLISHED
    assert event["subject"] == "26-91551"
    assert event["time"] == "2026-09-24T00:00:00+02:00"
    assert event["data"] == {
        "title": "Réfection de la voirie",
        "description": "Écrire à …. L'accès est étroit.\nDescripteurs : Voirie.",
        "language": "fr",
        "references": ["26-91551"],
        "url": "https://www.boamp.fr/pages/avis/?q=idweb:26-91551",
        "owner": {"id": "21130055300016", "name": "Ville de Marseille"},
        "place": ["com:13055"],
        "amounts": [{"value": 90000, "kind": "maximum", "tax": "excluded"}],
        "deadlines": [{"kind": "tender", "at": "2026-10-26T12:00+01:00", "zone": "Europe/Paris"}],
        "subtype": "contract",
        "nature": "works",
        "procedure": "Procédure adaptée",
        "cpv": ["45233140", "45233220"],
        "lots": [
            {"number": "1", "title": "Chaussée", "cpv": ["45233220"]},
            {
                "number": "2",
                "title": "Trottoirs",
                "description": "Pavés.",
                "amount": {"value": 1000, "kind": "estimate", "tax": "excluded"},
            },
        ],
        "published_on": "2026-09-24",
        "duration_months": 12,
    }


@pytest.mark.parametrize(
    ("donnees", "described", "cpv"),
    [
        (MAPA, "Voirie\nDeux tranches.\nDescripteurs : Voirie.", None),
        (LEGACY, "Voirie de la Belle-de-Mai\nDescripteurs : Voirie.", ["45233140"]),
        ({}, "Descripteurs : Voirie.", None),
        ([], "Descripteurs : Voirie.", None),
    ],
)
def test_other_forms(donnees: Any, described: str, cpv: list[str] | None) -> None:
    """MAPA, the form of before 2015, and nothing that can be read inside."""
    record = record_of(the_event(donnees))
    assert record["description"] == described
    assert record.get("cpv") == cpv


@pytest.mark.parametrize(
    ("fields", "type_", "subject", "said"),
    [
        ({"nature": "RECTIFICATIF", "annonce_lie": ["26-100", "25-99999"]}, UPDATED, "25-99999",
         "correction"),
        ({"nature": "RECTIFICATIF"}, PUBLISHED, "26-91551", None),
        ({"nature": "MODIFICATION", "annonce_lie": "26-100"}, UPDATED, "26-100", "amendment"),
        ({"nature": "ANNULATION", "annonce_lie": ["26-100"]}, CLOSED, "26-100", "dropped"),
        ({"etat": "AVIS_ANNULE"}, CLOSED, "26-91551", "dropped"),
        ({"nature": "ATTRIBUTION", "annonce_lie": ["26-100"], "titulaire": ["Colas"]}, CLOSED,
         "26-100", "awarded"),
        ({"nature": "ATTRIBUTION", "titulaire": "Colas"}, CLOSED, "26-91551", "awarded"),
        ({"nature": "ATTRIBUTION", "annonce_lie": '["26-100"]'}, CLOSED, "26-100", "awarded"),
        ({"nature": "PRE-INFORMATION"}, PUBLISHED, "26-91551", None),
    ],
)  # fmt: skip
def test_what_happened_to_which_record(
    fields: dict[str, Any], type_: str, subject: str, said: str | None
) -> None:
    """The notice that is corrected, cancelled or awarded is the record that changes."""
    event = the_event(**fields)
    assert (event["type"], event["subject"]) == (type_, subject)
    assert event["data"].get("reason", event["data"].get("outcome")) == said
    if "titulaire" in fields:
        assert event["data"]["holders"] == [{"name": "Colas"}]


def test_dates_of_earlier_notices_are_no_numbers() -> None:
    """`2014-10-15` holds no notice 14-10 or 10-15."""
    event = the_event(annonce_lie=["2014-10-15", "26-91551"], nature="RECTIFICATIF")
    assert event["subject"] == "26-91551"


@pytest.mark.parametrize(
    ("said", "outcome"),
    [("Lot déclaré infructueux", "unsuccessful"), ("Déclaré sans suite", "dropped")],
)
def test_an_award_without_holder_says_why(said: str, outcome: str) -> None:
    """Infructueux, sans suite."""
    event = the_event(nature="ATTRIBUTION", objet=said)
    assert event["data"]["outcome"] == outcome


@pytest.mark.parametrize(
    ("limit", "at"),
    [
        ("2026-10-26T00:00:00+00:00", "2026-10-26"),
        ("2026-10-26", "2026-10-26"),
        ("2026-09-01T11:00:00+00:00", None),
        ("bientôt", None),
        (None, None),
    ],
)
def test_deadlines(limit: str | None, at: str | None) -> None:
    """Midnight is a date without hour; one before publication is none."""
    deadlines = record_of(the_event(datelimitereponse=limit)).get("deadlines", [])
    assert [deadline["at"] for deadline in deadlines] == ([at] if at else [])


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["974"], ["dep:974"]),
        (["1"], ["dep:01"]),
        (["13", "83"], ["dep:13", "dep:83"]),
        ("13", ["com:13055"]),
        ([], ["com:13055"]),
        (["999"], ["com:13055"]),
    ],
)
def test_places(codes: Any, expected: list[str]) -> None:
    """Départements; the buyer's own territory where it lies in the only one."""
    assert record_of(the_event(code_departement=codes))["place"] == expected


def local_name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


def as_json(element: etree._Element) -> Any:
    """An element as BOAMP writes it: `@attribute`, `#text`, lists of what repeats."""
    found: dict[str, Any] = {"@" + str(key): str(value) for key, value in element.attrib.items()}
    for child in element:
        name = f"cbc:{local_name(child)}"
        inner = as_json(child)
        if name in found:
            known = found[name] if isinstance(found[name], list) else [found[name]]
            found[name] = [*known, inner]
        else:
            found[name] = inner
    if not found:
        return element.text or ""
    return found | ({"#text": element.text} if (element.text or "").strip() else {})


@pytest.mark.parametrize(
    "content",
    [
        eforms_samples.notice(lots=eforms_samples.lot() + eforms_samples.lot("LOT-0002")),
        eforms_samples.award_notice(eforms_samples.results(eforms_samples.result())),
    ],
)
def test_eforms_inside_are_the_same_call(content: str) -> None:
    """The notice is read as from the Official Journal; its address and number are BOAMP's."""
    root = etree.fromstring(content.encode())
    name = local_name(root)
    event = the_event({"EFORMS": {name: as_json(root)}})
    (original,), _ = run(import_eforms, content, "a.xml")
    assert (event["subject"], event["time"]) == (original["subject"], original["time"])
    expected = record_of(original) | {"url": "https://www.boamp.fr/pages/avis/?q=idweb:26-91551"}
    expected["references"] = ["26-91551", *expected["references"]]
    assert record_of(event) == expected


def test_eforms_that_cannot_be_read_leave_the_flat_fields() -> None:
    """A notice without identifiers, or a bomb, is still a call with its deadline."""
    bomb: Any = {"a": "b"}
    for _ in range(200):
        bomb = {"cbc:x": bomb}
    for inside in ({"cbc:x": "1"}, bomb):
        event = the_event({"EFORMS": {"ContractNotice": inside}})
        assert event["subject"] == "26-91551"
        assert record_of(event)["deadlines"]


@pytest.mark.parametrize(
    "content",
    [
        page(row(), row(idweb="26-2")),
        json.dumps([row(), row(idweb="26-2")]),
        "\n".join(json.dumps(each) for each in (row(), row(idweb="26-2"))) + "\n",
        json.dumps({"records": [{"record": {"fields": row()}}, {"fields": row(idweb="26-2")}]}),
        page(row(), row(idweb="26-2")) + "\n",
    ],
)
def test_every_way_the_api_gives_records(content: str) -> None:
    """Pages of versions 1, 2 and 2.1, exports, JSON lines."""
    events, dropped = run(import_boamp, content, "boamp.json")
    assert [event["subject"] for event in events] == ["26-91551", "26-2"]
    assert not dropped


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (page(row(idweb="", id=None)), "idweb"),
        (page(row(dateparution=None)), "dateparution"),
        (page(row({}, objet="")), "objet"),
        (page(row(idweb="abc", url_avis=None)), "url_avis"),
        ("", "plus lisible"),
        ("{}", "Aucun avis"),
        (page(row())[:-20], "plus lisible"),
        (json.dumps(row()) + "\nceci\n", "n'est pas un objet JSON"),
    ],
)
def test_what_is_dropped_says_why(content: str, said: str) -> None:
    """With the field to ask for."""
    _, dropped = run(import_boamp, content, "boamp.json")
    assert len(dropped) == 1
    assert said in dropped[0].sentence
