"""eForms notices: every subtype, corrections, awards by lot, what is withheld, hostile files."""

from pathlib import Path
from typing import Any

import pytest

from tests.producers.importers import ted_samples
from tests.producers.importers.checks import record_of, run
from tests.producers.importers.eforms_samples import (
    BUYER,
    FIRM,
    NOTICE,
    PROCEDURE,
    award_notice,
    changed,
    located,
    lot,
    not_awarded,
    notice,
    nuts,
    organization,
    project,
    result,
    results,
    valued,
)
from tests.producers.importers.test_ted import packed
from traverse_producers.importers.eforms.importer import import_eforms

PUBLISHED, UPDATED, CLOSED = (
    f"fr.traverse.call.{what}.v1" for what in ("published", "updated", "closed")
)


def the_event(content: str) -> dict[str, Any]:
    """The one event of a notice that is imported."""
    (event,), dropped = run(import_eforms, content, "avis.xml")
    assert not dropped
    return event


def test_a_contract_notice_is_a_call_that_opens() -> None:
    """Procedure as subject, dispatch as time, owner, place, deadline with its hour and zone."""
    event = the_event(notice(lots=lot(more=valued("90000", "120000"))))
    assert event["type"] == PUBLISHED
    assert event["subject"] == PROCEDURE
    assert event["time"] == "2024-04-10T09:30:00+02:00"
    assert event["data"] == {
        "title": "Aménagement du parc",
        "description": "Écrire à ….\nDescription de Aménagement du parc.",
        "language": "fr",
        "references": [f"{NOTICE}-01", "219998-2024", "21-07"],
        "url": "https://ted.europa.eu/fr/notice/-/detail/219998-2024",
        "owner": {"id": "21130056100015", "name": "Commune de Martigues"},
        "place": ["com:13056"],
        "amounts": [
            {"value": 90000, "kind": "estimate", "tax": "excluded"},
            {"value": 120000, "kind": "maximum", "tax": "excluded"},
        ],
        "deadlines": [{"kind": "tender", "at": "2024-05-13T12:00+02:00", "zone": "Europe/Paris"}],
        "actions": [
            {"kind": "respond", "url": "https://essai.example/repondre", "label": "Répondre"}
        ],
        "subtype": "contract",
        "nature": "works",
        "procedure": "Procédure ouverte",
        "cpv": ["45112711"],
        "published_on": "2024-04-12",
    }


SUBTYPES = [
    *((str(n), "PriorInformationNotice", ("planning", "pin-buyer"), PUBLISHED) for n in (1, 2, 3)),
    *((str(n), "PriorInformationNotice", ("planning", "pin-only"), PUBLISHED) for n in (4, 5, 6)),
    *((str(n), "PriorInformationNotice", ("planning", "pin-rtl"), PUBLISHED) for n in (7, 8, 9)),
    *(
        (str(n), "PriorInformationNotice", ("competition", "pin-cfc-standard"), PUBLISHED)
        for n in (10, 11, 12, 13, 14)
    ),
    ("15", "ContractNotice", ("competition", "qu-sy"), PUBLISHED),
    *((str(n), "ContractNotice", ("competition", "cn-standard"), PUBLISHED) for n in range(16, 20)),
    *((str(n), "ContractNotice", ("competition", "cn-social"), PUBLISHED) for n in (20, 21)),
    ("22", "ContractNotice", ("competition", "subco"), PUBLISHED),
    *((str(n), "ContractNotice", ("competition", "cn-desg"), PUBLISHED) for n in (23, 24)),
    *((str(n), "ContractAwardNotice", ("dir-awa-pre", "veat"), CLOSED) for n in range(25, 29)),
    *((str(n), "ContractAwardNotice", ("result", "can-standard"), CLOSED) for n in range(29, 33)),
    *((str(n), "ContractAwardNotice", ("result", "can-social"), CLOSED) for n in range(33, 36)),
    *((str(n), "ContractAwardNotice", ("result", "can-desg"), CLOSED) for n in (36, 37)),
    *((str(n), "ContractAwardNotice", ("cont-modif", "can-modif"), UPDATED) for n in range(38, 41)),
    ("CEI", "PriorInformationNotice", ("competition", "pin-cfc-standard"), PUBLISHED),
    ("T01", "PriorInformationNotice", ("planning", "pin-tran"), PUBLISHED),
    ("T02", "ContractAwardNotice", ("result", "can-tran"), CLOSED),
    ("E1", "PriorInformationNotice", ("consultation", "pmc"), PUBLISHED),
    ("E2", "PriorInformationNotice", ("planning", "pin-only"), PUBLISHED),
    ("E3", "ContractNotice", ("competition", "cn-standard"), PUBLISHED),
    ("E4", "ContractAwardNotice", ("result", "can-standard"), CLOSED),
    ("E5", "ContractAwardNotice", ("completion", "compl"), UPDATED),
    ("E6", "ContractAwardNotice", ("cont-modif", "can-modif"), UPDATED),
]


@pytest.mark.parametrize(("subtype", "root", "type_", "expected"), SUBTYPES)
def test_every_subtype_is_read(
    subtype: str, root: str, type_: tuple[str, str], expected: str
) -> None:
    """1 to 40, CEI, T01, T02, E1 to E6: opens, closes or changes the call of its procedure."""
    won = result(code="" if type_[1] == "veat" else "selec-w")
    event = the_event(
        notice(
            root=root,
            subtype=subtype,
            type_=type_,
            extension=results(won) if root == "ContractAwardNotice" else "",
            organizations=BUYER + FIRM,
        )
    )
    assert event["type"] == expected
    assert event["subject"] == PROCEDURE


def test_all_subtypes_are_in_the_test() -> None:
    """So that a subtype that is forgotten shows."""
    assert len({subtype for subtype, *_ in SUBTYPES}) == len(SUBTYPES) == 40 + 9


@pytest.mark.parametrize(
    ("subtype", "law", "type_", "expected"),
    [
        ("19", "32014L0023", ("competition", "cn-standard"), "concession"),
        ("CEI", "other", ("competition", "pin-cfc-standard"), "expression_of_interest"),
        ("E1", "other", ("consultation", "pmc"), "sourcing"),
        ("16", "32014L0024", ("competition", "cn-standard"), "contract"),
    ],
)
def test_the_subtype_tells_the_kind_of_call(
    subtype: str, law: str, type_: tuple[str, str], expected: str
) -> None:
    """Concessions, expressions of interest, consultations of the market."""
    event = the_event(notice(subtype=subtype, law=law, type_=type_))
    assert record_of(event)["subtype"] == expected


def test_a_correction_is_a_later_version_of_the_same_call() -> None:
    """Same subject, later time, what changed in the description, the notice that it changes."""
    first = the_event(notice())
    event = the_event(
        notice(
            extension=changed("cor-buy", why="Erreur de date.", what="Report de la remise."),
            dispatched="2024-04-20+02:00",
            version="02",
        )
    )
    assert event["type"] == UPDATED
    assert event["subject"] == first["subject"]
    assert event["time"] > first["time"]
    assert event["data"]["reason"] == "correction"
    assert event["data"]["description"].startswith("Erreur de date.\nReport de la remise.\n")
    assert f"{NOTICE}-01" in event["data"]["references"]
    assert event["data"]["references"][0] == f"{NOTICE}-02"


def test_a_cancelled_call_is_closed_without_award() -> None:
    """A cancellation is an end of the call, with its reason; never a withdrawal."""
    event = the_event(notice(extension=changed("cancel", why="Abandon du projet."), version="02"))
    assert event["type"] == CLOSED
    assert event["data"]["outcome"] == "dropped"
    assert event["data"]["reason"] == "Abandon du projet."
    assert event["data"]["on"] == "2024-04-10"
    assert "deadlines" not in record_of(event)


def test_a_cancelled_award_notice_says_nothing_of_the_outcome() -> None:
    """It is the notice that is void."""
    event = the_event(award_notice(changed("cancel") + results(result())))
    assert event["type"] == UPDATED


def test_an_award_closes_lot_by_lot() -> None:
    """Holders with their roles and numbers, values, lots without award with their reasons."""
    event = the_event(
        award_notice(
            results(
                result("LOT-0001", firms="ORG-0002 ORG-0003", value="1000.5"),
                not_awarded("LOT-0002", "no-rece"),
                not_awarded("LOT-0003", "chan-need"),
                not_awarded("LOT-0004", "", "open-nw"),
            ),
            lots="".join(lot(f"LOT-000{n}", title=f"Partie {n}") for n in range(1, 5)),
        )
    )
    holders = [
        {"id": "35600000000048", "name": "Jardins du Midi", "role": "leader"},
        {"id": "35600000000055", "name": "Arbres et Parcs", "role": "member"},
    ]
    assert event["type"] == CLOSED
    assert event["data"]["outcome"] == "awarded"
    assert event["data"]["on"] == "2024-07-01"
    assert event["data"]["reason"] == "lot 2 : aucune offre reçue ; lot 3 : les besoins ont changé"
    assert event["data"]["lots"] == [
        {
            "number": "1",
            "outcome": "awarded",
            "holders": holders,
            "amount": {"value": 1000.5, "kind": "awarded", "tax": "excluded"},
        },
        {"number": "2", "outcome": "unsuccessful"},
        {"number": "3", "outcome": "dropped"},
    ]
    lots = record_of(event)["lots"]
    assert [each["title"] for each in lots] == [f"Partie {n}" for n in range(1, 5)]
    assert "outcome" not in lots[3], "the fourth goes on"


def test_a_lot_with_several_contracts_adds_up() -> None:
    """A framework agreement with two holders: both, and the sum."""
    event = the_event(
        award_notice(
            results(result(value="100"), result(firms="ORG-0003", value="50"), total="150"),
            lots=lot("LOT-0001") + lot("LOT-0002"),
        )
    )
    (first,) = event["data"]["lots"]
    assert len(first["holders"]) == 2
    assert first["amount"]["value"] == 150
    assert record_of(event)["amounts"] == [{"value": 150, "kind": "awarded", "tax": "excluded"}]


def test_a_procedure_without_winner_is_unsuccessful() -> None:
    """Art. R.2185-1: no tender is another end than a change of needs."""
    event = the_event(award_notice(results(not_awarded("LOT-0001", "all-rej"))))
    assert event["data"]["outcome"] == "unsuccessful"
    assert event["data"]["reason"] == "toutes les offres ont été rejetées ou retirées"


def test_a_dynamic_purchasing_system_stays_open() -> None:
    """Its contracts are no end of the procedure, unless it is terminated (BT-119)."""
    system = (
        "<cac:ContractingSystem><cbc:ContractingSystemTypeCode listName="
        '"dps-usage">dps-list</cbc:ContractingSystemTypeCode></cac:ContractingSystem>'
    )
    content = award_notice(results(result()), lots=lot(process=system))
    event = the_event(content)
    assert event["type"] == UPDATED
    assert event["data"]["techniques"] == ["dynamic_purchasing_system"]
    over = "<efbc:DPSTerminationIndicator>true</efbc:DPSTerminationIndicator><efac:TenderLot>"
    assert the_event(content.replace("<efac:TenderLot>", over, 1))["type"] == CLOSED


@pytest.mark.parametrize("value", ["-1", "0", "1"])
def test_values_that_say_nothing_are_left_out(value: str) -> None:
    """Withheld values are published as -1; 0 and 1 are how forms say nothing."""
    event = the_event(award_notice(results(result(value=value), total=value)))
    assert "amounts" not in record_of(event)


def test_what_the_buyer_withholds_does_not_come_out() -> None:
    """Before publication the values are still in the file, marked as withheld (BT-195)."""
    event = the_event(award_notice(results(result(withheld="win-ten-val", value="777"))))
    assert "777" not in str(event)
    assert event["data"]["record"]["holders"]


def test_deadlines_of_lots_that_differ_are_theirs() -> None:
    """And all are those of the call."""
    later = lot().replace("2024-05-13", "2024-06-03").replace("LOT-0001", "LOT-0002")
    record = record_of(the_event(notice(lots=lot() + later)))
    assert [each["at"][:10] for each in record["deadlines"]] == ["2024-05-13", "2024-06-03"]
    assert record["lots"][1]["deadline"]["at"] == "2024-06-03T12:00+02:00"


@pytest.mark.parametrize(
    ("process", "expected"),
    [
        (
            "<cac:ParticipationRequestReceptionPeriod><cbc:EndDate>2024-05-13Z</cbc:EndDate>"
            "</cac:ParticipationRequestReceptionPeriod>",
            [("application", "2024-05-13")],
        ),
        (
            "<cac:AdditionalInformationRequestPeriod><cbc:EndDate>2024-05-01+02:00</cbc:EndDate>"
            "<cbc:EndTime>18:00:00</cbc:EndTime></cac:AdditionalInformationRequestPeriod>"
            "<cac:InvitationSubmissionPeriod><cbc:StartDate>2024-06-01Z</cbc:StartDate>"
            "</cac:InvitationSubmissionPeriod>",
            [("question", "2024-05-01T18:00+02:00"), ("decision", "2024-06-01")],
        ),
        (
            "<cac:TenderSubmissionDeadlinePeriod><cbc:EndDate>2023-05-13Z</cbc:EndDate>"
            "</cac:TenderSubmissionDeadlinePeriod>",
            [],
        ),
    ],
)
def test_kinds_of_deadlines(process: str, expected: list[tuple[str, str]]) -> None:
    """Applications, questions, invitations; a date without hour; one before the dispatch."""
    record = record_of(the_event(notice(lots=lot(process=process))))
    assert [(d["kind"], d["at"]) for d in record.get("deadlines", [])] == expected


def test_deadlines_overseas_are_in_the_buyers_zone() -> None:
    """Baie-Mahault reads the clock of Guadeloupe."""
    address = "<cbc:CityName>Baie-Mahault</cbc:CityName><cbc:PostalZone>97122</cbc:PostalZone>" + (
        nuts("FRY10")
    )
    buyer = organization("ORG-0001", "Ville de Baie-Mahault", "21971103500019", address=address)
    (deadline,) = record_of(the_event(notice(organizations=buyer)))["deadlines"]
    assert deadline["zone"] == "America/Guadeloupe"


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (located(nuts("FRL04")), ["dep:13"]),
        (located("<cbc:CityName>Arles</cbc:CityName>" + nuts("FRL04")), ["com:13004"]),
        (located(nuts("FRL04")) + located(nuts("FRL05")), ["dep:13", "dep:83"]),
        (located(nuts("FRL0")), ["reg:93"]),
        (located(nuts("FR")), ["com:13056"]),
        ("", ["com:13056"]),
    ],
)
def test_places(where: str, expected: list[str]) -> None:
    """The address, the town, NUTS of each level; "France" of a commune is the commune."""
    content = notice(whole=project(more=where))
    assert record_of(the_event(content))["place"] == expected


def test_a_notice_outside_france_is_dropped() -> None:
    """With its country, and its number."""
    abroad = nuts("BE100").replace("FRA", "BEL")
    events, (dropped,) = run(
        import_eforms,
        notice(
            organizations=organization("ORG-0001", "Stad Gent", "1", address=abroad),
            whole=project(more=located(abroad)),
        ),
    )
    assert not events
    assert dropped.reference == f"{NOTICE}-01"
    assert "hors de France" in dropped.sentence


def test_buyers_that_group_their_orders() -> None:
    """The lead coordinates; all have right numbers."""
    lead = "<efbc:GroupLeadIndicator>true</efbc:GroupLeadIndicator>"
    second = organization("ORG-0002", "Ville de Marseille", "21130055300016", lead=lead)
    record = record_of(
        the_event(
            notice(
                organizations=BUYER + second,
                parties="<cbc:ID>ORG-0001</cbc:ID>|<cbc:ID>ORG-0002</cbc:ID>",
            )
        )
    )
    assert record["owner"]["name"] == "Ville de Marseille"
    assert record["joint"] == {"coordinator": "211300553", "members": ["211300561"]}
    assert record["description"].endswith("Avec : Commune de Martigues.")


def test_techniques_and_access() -> None:
    """Framework agreements, reserved contracts, small firms, social and green aims."""
    system = (
        '<cac:ContractingSystem><cbc:ContractingSystemTypeCode listName="framework-agreement">'
        "fa-wo-rc</cbc:ContractingSystemTypeCode></cac:ContractingSystem>"
    )
    aims = "".join(
        "<cac:ProcurementAdditionalType><cbc:ProcurementTypeCode listName="
        f'"strategic-procurement">{code}</cbc:ProcurementTypeCode></cac:ProcurementAdditionalType>'
        for code in ("soc-obj", "env-imp")
    )
    reserved = (
        "<cac:TendererQualificationRequest><cac:SpecificTendererRequirement>"
        '<cbc:TendererRequirementTypeCode listName="reserved-procurement">res-ws'
        "</cbc:TendererRequirementTypeCode></cac:SpecificTendererRequirement>"
        "</cac:TendererQualificationRequest>"
    )
    record = record_of(
        the_event(
            notice(
                lots=lot(
                    process=system,
                    terms=reserved,
                    more="<cbc:SMESuitableIndicator>true</cbc:SMESuitableIndicator>" + aims,
                )
            )
        )
    )
    assert record["techniques"] == ["framework_agreement"]
    assert record["access"] == ["sme", "reserved", "social", "green"]


def test_duration_and_renewals() -> None:
    """With renewals only the earliest end is known."""
    period = (
        "<cac:PlannedPeriod><cbc:StartDate>2024-09-01Z</cbc:StartDate>"
        "<cbc:EndDate>2025-08-31Z</cbc:EndDate></cac:PlannedPeriod><cac:ContractExtension>"
        "<cbc:MaximumNumberNumeric>3</cbc:MaximumNumberNumeric></cac:ContractExtension>"
    )
    record = record_of(the_event(notice(lots=lot(more=period))))
    assert record["duration_months"] == 12
    assert record["renewals"] == 3
    assert record["end_min"] == "2025-08-31"
    assert "end_max" not in record


def test_before_publication_the_address_is_the_documents() -> None:
    """Without a publication number the page of the answer is given; without any, a drop."""
    assert record_of(the_event(notice(publication="")))["url"] == "https://essai.example/repondre"
    bare = notice(publication="")
    for address in ("https://essai.example/repondre", "https://acheteur.example/"):
        bare = bare.replace(address, "")
    events, (dropped,) = run(import_eforms, bare)
    assert not events
    assert "une fois publié" in dropped.sentence


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<BusinessRegistrationInformationNotice/>", "société européenne"),
        ("<autre/>", "n'est pas un avis eForms"),
        (notice(folder="").replace(NOTICE, ""), "BT-04"),
        (notice(dispatched=""), "BT-05"),
        (notice(whole=project(title=""), lots=lot(title="")), "BT-21"),
        ("<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><ContractNotice/>", "DTD"),
        ("<ContractNotice>", "pas du XML lisible"),
        ("", "pas du XML lisible"),
        ("<a>" * 5000, "pas du XML lisible"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(content: str, said: str) -> None:
    """Nothing is raised, nothing is read from elsewhere."""
    events, (dropped,) = run(import_eforms, content, "avis.xml")
    assert not events
    assert said in dropped.sentence


def test_a_package_mixes_eforms_and_ted(tmp_path: Path) -> None:
    """As those of the Official Journal do; the same notice twice is a duplicate."""
    files = {"1.xml": notice(), "2.xml": ted_samples.notice(), "3.xml": notice()}
    events, (dropped,) = run(import_eforms, packed("a.tar.gz", files), "a.tar.gz")
    assert [event["subject"] for event in events] == [PROCEDURE, "043929-2021"]
    assert dropped.duplicate
