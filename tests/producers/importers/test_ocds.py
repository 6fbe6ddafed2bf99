"""OCDS releases and records: packages, lines, lots, awards, contracts, amendments."""

import json
from typing import Any

import pytest

from tests.producers.importers.checks import AS_OF, record_of, run
from traverse_producers.importers.ocds.importer import import_ocds

PUBLISHED, UPDATED, CLOSED = (
    f"fr.traverse.call.{what}.v1" for what in ("published", "updated", "closed")
)
CITY = {
    "id": "FR-SIRET-21130055300016",
    "name": "Ville de Marseille",
    "identifier": {"scheme": "FR-SIRET", "id": "211 300 553 00016"},
    "address": {"postalCode": "13002", "locality": "Marseille", "countryName": "France"},
    "contactPoint": {
        "name": "Nom Du Contact",
        "email": "contact@exemple.fr",
        "telephone": "+33 400000000",
    },
    "roles": ["buyer"],
}
FIRM = {
    "id": "firm",
    "name": "Colas",
    "identifier": {"scheme": "FR-RCS", "id": "552025314"},
    "roles": ["supplier"],
}
CPV = {"scheme": "CPV", "id": "45233140-2"}
TENDER = {
    "id": "2026-17",
    "title": "Réfection de la voirie",
    "description": "Écrire à contact@exemple.fr.",
    "status": "active",
    "procurementMethod": "open",
    "mainProcurementCategory": "works",
    "value": {"amount": 90000.5, "currency": "EUR"},
    "tenderPeriod": {"endDate": "2026-10-26T12:00:00+01:00"},
    "enquiryPeriod": {"endDate": "2026-10-10T00:00:00Z"},
    "techniques": {"hasFrameworkAgreement": True},
    "documents": [
        {"documentType": "biddingDocuments", "url": "https://essai.example/dce"},
        {"documentType": "tenderNotice", "url": "https://essai.example/avis"},
    ],
    "items": [
        {
            "id": "1",
            "relatedLot": "1",
            "classification": CPV,
            "additionalClassifications": [{"scheme": "CPV", "id": "45233220"}],
        }
    ],
    "lots": [{"id": "1", "title": "Chaussée"}, {"id": "2", "title": "Trottoirs"}],
}
AWARDS = [
    {
        "id": "a1",
        "status": "active",
        "relatedLots": ["1"],
        "value": {"amount": 80000, "currency": "EUR"},
        "suppliers": [{"id": "firm", "name": "Colas"}],
    },
    {"id": "a2", "status": "unsuccessful", "relatedLots": ["2"]},
    {"id": "a3", "status": "pending", "relatedLots": ["3"]},
]
CONTRACTS = [
    {
        "id": "c-2026-1",
        "awardID": "a1",
        "dateSigned": "2026-12-01T00:00:00Z",
        "period": {"durationInDays": 365},
        "amendments": [{"rationale": "Imprévus.", "description": "Prix revu."}],
    }
]


def release(tag: str = "tender", **fields: Any) -> dict[str, Any]:
    return {
        "ocid": "ocds-x-17",
        "id": "r1",
        "date": "2026-09-24T08:00:00Z",
        "tag": [tag],
        "language": "fr",
        "parties": [CITY, FIRM],
        "buyer": {"id": CITY["id"], "name": CITY["name"]},
        "tender": TENDER,
    } | fields


def package(*releases: dict[str, Any]) -> str:
    return json.dumps({"version": "1.1", "uri": "x", "releases": list(releases)})


def the_event(*args: Any, **fields: Any) -> dict[str, Any]:
    (event,), dropped = run(import_ocds, package(release(*args, **fields)), "ocds.json")
    assert not dropped
    return event


def test_a_tender_is_a_call_that_opens() -> None:
    """The ocid as subject, the date as version, SIRET, CPV, lots, hours, no contact point."""
    event = the_event()
    assert (event["type"], event["subject"]) == (PUBLISHED, "ocds-x-17")
    assert event["time"] == "2026-09-24T10:00:00+02:00"
    assert event["data"] == {
        "title": "Réfection de la voirie",
        "description": "Écrire à ….",
        "language": "fr",
        "references": ["ocds-x-17", "2026-17"],
        "url": "https://essai.example/avis",
        "owner": {"id": "21130055300016", "name": "Ville de Marseille"},
        "place": ["com:13055"],
        "amounts": [{"value": 90000.5, "kind": "estimate", "tax": "unknown"}],
        "deadlines": [
            {"kind": "tender", "at": "2026-10-26T12:00+01:00", "zone": "Europe/Paris"},
            {"kind": "question", "at": "2026-10-10", "zone": "Europe/Paris"},
        ],
        "subtype": "contract",
        "nature": "works",
        "procedure": "Procédure ouverte",
        "techniques": ["framework_agreement"],
        "cpv": ["45233140", "45233220"],
        "lots": [
            {"number": "1", "title": "Chaussée", "cpv": ["45233140", "45233220"]},
            {"number": "2", "title": "Trottoirs"},
        ],
        "published_on": "2026-09-24",
    }


def test_awards_close_lot_by_lot() -> None:
    """What is pending does not; the contract gives the dates, its amendments what they change."""
    event = the_event("award", awards=AWARDS, contracts=CONTRACTS)
    holder = {"id": "552025314", "name": "Colas"}
    assert event["type"] == CLOSED
    assert event["data"]["outcome"] == "awarded"
    assert event["data"]["on"] == "2026-12-01"
    assert event["data"]["holders"] == [holder]
    assert event["data"]["lots"] == [
        {
            "number": "1",
            "outcome": "awarded",
            "holders": [holder],
            "amount": {"value": 80000, "kind": "awarded", "tax": "unknown"},
        },
        {"number": "2", "outcome": "unsuccessful"},
    ]
    record = record_of(event)
    assert record["end_max"] == "2027-12-01"
    assert record["description"].endswith("Imprévus. Prix revu.")
    assert [lot["outcome"] for lot in record["lots"]] == ["awarded", "unsuccessful"]
    assert "deadlines" not in record


@pytest.mark.parametrize(
    ("tag", "fields", "type_", "said"),
    [
        ("planning", {}, PUBLISHED, None),
        ("tenderUpdate", {}, UPDATED, "correction"),
        ("tenderAmendment", {}, UPDATED, "correction"),
        ("tenderCancellation", {}, CLOSED, "dropped"),
        ("compiled", {"tender": TENDER | {"status": "cancelled"}}, CLOSED, "dropped"),
        ("compiled", {"tender": TENDER | {"status": "unsuccessful"}}, CLOSED, "unsuccessful"),
        ("contractAmendment", {"awards": AWARDS, "contracts": CONTRACTS}, UPDATED, "amendment"),
        ("award", {"awards": AWARDS[1:2]}, CLOSED, "unsuccessful"),
        ("award", {"awards": AWARDS[2:]}, PUBLISHED, None),
    ],
)
def test_what_happened(tag: str, fields: dict[str, Any], type_: str, said: str | None) -> None:
    """By the tag, the status of the tender, those of the awards."""
    event = the_event(tag, **fields)
    assert event["type"] == type_
    assert event["data"].get("reason", event["data"].get("outcome")) == said


def test_an_award_without_its_tender_still_closes() -> None:
    """A release may hold its own stage only: the record is that of the earlier releases."""
    event = the_event("award", tender={}, awards=AWARDS[:1])
    assert event["data"]["outcome"] == "awarded"
    assert "record" not in event["data"]


@pytest.mark.parametrize(
    ("party", "owner"),
    [
        ({"identifier": {"scheme": "FR-RCS", "id": "552025314"}}, "552025314"),
        ({"identifier": {"scheme": "XX", "id": "1"},
          "additionalIdentifiers": [{"scheme": "FR-SIREN", "id": "211300553"}]}, "211300553"),
        ({"id": "FR-SIREN-211300553", "identifier": {}}, "211300553"),
    ],
)  # fmt: skip
def test_numbers_of_parties(party: dict[str, Any], owner: str) -> None:
    """By the scheme, wherever the number stands."""
    whole = CITY | party
    event = the_event(parties=[whole], buyer={"id": whole["id"]})
    assert record_of(event)["owner"]["id"] == owner


def test_before_1_1_the_reference_holds_it_all() -> None:
    """Version 1.0 has no list of parties."""
    event = the_event(parties=[], buyer=CITY)
    assert record_of(event)["owner"]["id"] == "21130055300016"


def test_places_of_delivery_come_first() -> None:
    """Where items are delivered, else the buyer."""
    item = {"deliveryAddresses": [{"postalCode": "13500", "locality": "Martigues"}]}
    event = the_event(tender=TENDER | {"items": [item]})
    assert record_of(event)["place"] == ["com:13056"]


TWO = (release(), release(ocid="ocds-x-18"))


@pytest.mark.parametrize(
    "content",
    [
        package(*TWO),
        json.dumps({"records": [{"ocid": r["ocid"], "compiledRelease": r} for r in TWO]}),
        json.dumps({"records": [{"ocid": r["ocid"], "releases": [r]} for r in TWO]}),
        "\n".join(json.dumps(r) for r in TWO) + "\n",
        "\n".join(package(r) for r in TWO) + "\n",
        package(*TWO) + "\n",
        json.dumps(TWO, indent=1),
    ],
)
def test_every_way_of_packing(content: str) -> None:
    """Release and record packages, lines of releases and of packages."""
    events, dropped = run(import_ocds, content, "ocds.json")
    assert [event["subject"] for event in events] == ["ocds-x-17", "ocds-x-18"]
    assert not dropped


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (package(release(ocid="")), "ocid"),
        (package({"url": "https://x.example/r1", "date": "2026-01-01T00:00:00Z"}), "lien"),
        (package(release(date=None)), "--as-of"),
        (package(release(tender=TENDER | {"title": ""})), "tender.title"),
        (package(release(tender=TENDER | {"documents": []})), "documents[].url"),
        (package(release(parties=[], buyer={"name": "Stad Gent"})), "en France"),
        ("{}", "Aucune publication"),
        (package(release())[:-30], "plus lisible"),
        ('{"releases": [' + '{"a":' * 100, "plus de 32 niveaux"),
    ],
)
def test_what_is_dropped_says_why(content: str, said: str) -> None:
    """And how to mend it."""
    events, (dropped,) = run(import_ocds, content, "ocds.json")
    assert not events
    assert said in dropped.sentence


def test_a_release_without_date_is_of_the_file() -> None:
    """`--as-of`."""
    (event,), _ = run(import_ocds, package(release(date=None)), "ocds.json", AS_OF)
    assert event["time"] == "2024-02-01T00:00:00+00:00"
