"""TED notices: contract notices, awards, prior information, corrections, modifications."""

import io
import tarfile
import zipfile
from typing import Any

import pytest

from tests.producers.importers.checks import record_of, run
from tests.producers.importers.ted_samples import (
    BUYER,
    DEADLINE,
    FOREIGN_BUYER,
    NATIONAL_BUYER,
    WHOLE,
    award,
    contractor,
    lot,
    notice,
    refused,
)
from traverse_producers.importers.ted.importer import import_ted


def the_event(content: str) -> dict[str, Any]:
    """The one event of a notice that is imported."""
    (event,), dropped = run(import_ted, content, "043929-2021.xml")
    assert not dropped
    return event


def test_a_contract_notice_is_a_call_that_opens() -> None:
    """Address, deadline, owner, place, CPV, values, what to do, and nobody's contact details."""
    event = the_event(notice())
    assert event["type"] == "fr.traverse.call.published.v1"
    assert event["subject"] == "043929-2021"
    assert event["time"] == "2021-01-29T00:00:00+01:00"
    assert event["data"] == {
        "title": "Aménagement du parc",
        "description": "Travaux de 1er choix. Écrire à ….\nFourniture et pose.",
        "language": "fr",
        "references": ["2021/S 020-043929", "21-07"],
        "url": "https://ted.europa.eu/udl?uri=TED:NOTICE:043929-2021:TEXT:FR:HTML",
        "owner": {"id": "21130056100015", "name": "Commune de Martigues"},
        "place": ["com:13056"],
        "amounts": [{"value": 90000, "kind": "estimate", "tax": "excluded"}],
        "deadlines": [{"kind": "tender", "at": "2021-03-12T12:00", "zone": "Europe/Paris"}],
        "actions": [
            {"kind": "respond", "url": "https://essai.example/repondre", "label": "Répondre"},
            {
                "kind": "procedure",
                "url": "http://www.essai.example/dce",
                "label": "Dossier de consultation",
            },
        ],
        "subtype": "contract",
        "nature": "works",
        "procedure": "Procédure ouverte",
        "techniques": ["framework_agreement"],
        "cpv": ["45112711"],
        "published_on": "2021-01-29",
        "duration_months": 24,
    }


def test_lots_are_numbered_and_told_apart() -> None:
    """Each lot has its number, title, text and value; a repeated number is told apart."""
    value = '<VAL_OBJECT CURRENCY="EUR">1000</VAL_OBJECT>'
    lots = record_of(the_event(notice(objects=lot("1", "Bancs", value) + lot("1", "Arbres"))))[
        "lots"
    ]
    assert [part["number"] for part in lots] == ["1", "1 (2)"]
    assert lots[0]["amount"] == {"value": 1000, "kind": "estimate", "tax": "excluded"}
    assert lots[1]["description"] == "Description de Arbres."


@pytest.mark.parametrize(
    ("coded", "after", "at"),
    [
        (
            "<DT_DATE_FOR_SUBMISSION>20210326 16:00</DT_DATE_FOR_SUBMISSION>",
            DEADLINE,
            "2021-03-26T16:00",
        ),
        ("<DT_DATE_FOR_SUBMISSION>20210326</DT_DATE_FOR_SUBMISSION>", "", "2021-03-26"),
        ("", DEADLINE.replace("12:00", "24:00"), "2021-03-12"),
        ("", DEADLINE.replace("2021-03-12", "2020-03-12"), None),
        ("", "", None),
    ],
)
def test_deadlines(coded: str, after: str, at: str | None) -> None:
    """The coded date (kept up to date) first; a bare day without hour; none before publication."""
    deadlines = record_of(the_event(notice(coded=coded, after=after))).get("deadlines", [])
    assert [deadline["at"] for deadline in deadlines] == ([at] if at else [])


def test_procedures_in_two_steps_ask_for_an_application() -> None:
    """In a restricted procedure the first date is that of applications."""
    (deadline,) = record_of(the_event(notice(procedure="2")))["deadlines"]
    assert deadline["kind"] == "application"


@pytest.mark.parametrize(
    ("country", "nuts", "postal", "zone"),
    [
        ("RE", "FRY40", "97400", "Indian/Reunion"),
        ("FR", "FRY10", "97100", "America/Guadeloupe"),
        ("FR", "FR", "97200", "Europe/Paris"),
        ("NC", "FR", "98800", "Pacific/Noumea"),
    ],
)
def test_deadlines_are_in_the_buyers_zone(country: str, nuts: str, postal: str, zone: str) -> None:
    """The hour is local to the buyer, overseas too, by country or NUTS."""
    buyer = BUYER.replace('"FR"', f'"{country}"').replace("FRL04", nuts).replace("13500", postal)
    (deadline,) = record_of(the_event(notice(buyer=buyer)))["deadlines"]
    assert deadline["zone"] == zone


def test_an_award_closes_lot_by_lot() -> None:
    """Holders, values and outcomes by lot, numbers as people write them; the date of signature."""
    objects = lot("1: GROS ŒUVRE", "Gros œuvre") + lot("2", "Bancs") + lot("3", "Arbres")
    group = "<AWARDED_TO_GROUP/>" + contractor("Essai BTP") + contractor("Muster", "DE 1", "DE")
    value = '<VALUES><VAL_TOTAL CURRENCY="EUR">50000.5</VAL_TOTAL></VALUES>'
    after = (
        "<PROCEDURE><NOTICE_NUMBER_OJ>2020/S 100-222222</NOTICE_NUMBER_OJ></PROCEDURE>"
        + award("01", group, value)
        + refused("Lot 2", "PROCUREMENT_UNSUCCESSFUL")
        + refused("3", "PROCUREMENT_DISCONTINUED")
    )
    event = the_event(notice(form="F03_2014", objects=objects, after=after))
    assert event["type"] == "fr.traverse.call.closed.v1"
    assert event["data"]["outcome"] == "awarded" and event["data"]["on"] == "2020-12-01"
    record = record_of(event)
    assert record["references"] == ["2021/S 020-043929", "21-07", "2020/S 100-222222"]
    assert [part["outcome"] for part in record["lots"]] == ["awarded", "unsuccessful", "dropped"]
    assert record["lots"][0]["holders"] == [
        {"id": "12345678200010", "name": "Essai BTP", "role": "leader"},
        {"id": "DE1", "name": "Muster", "role": "member"},
    ]
    assert record["lots"][0]["amount"] == {"value": 50000.5, "kind": "awarded", "tax": "excluded"}
    assert record["amounts"] == [{"value": 50000.5, "kind": "awarded", "tax": "excluded"}]
    assert record["notified"] == "2020-12-01"
    assert "deadlines" not in record and "actions" not in record
    assert [part["outcome"] for part in event["data"]["lots"]] == [
        "awarded",
        "unsuccessful",
        "dropped",
    ]


@pytest.mark.parametrize(
    ("why", "outcome"),
    [("PROCUREMENT_UNSUCCESSFUL", "unsuccessful"), ("PROCUREMENT_DISCONTINUED", "dropped")],
)
def test_a_procedure_without_award_says_which(why: str, outcome: str) -> None:
    """Infructueux or sans suite, when nothing at all was awarded."""
    event = the_event(notice(form="F03_2014", after=refused("", why)))
    assert event["data"]["outcome"] == outcome and "holders" not in record_of(event)


def test_what_the_buyer_withheld_stays_here() -> None:
    """Values and holders marked PUBLICATION="NO" are not published."""
    after = award(
        "", contractor("Essai BTP"), '<VALUES PUBLICATION="NO"><VAL_TOTAL>9</VAL_TOTAL></VALUES>'
    )
    after = after.replace("<CONTRACTORS>", '<CONTRACTORS PUBLICATION="NO">')
    record = record_of(the_event(notice(form="F06_2014", objects="<OBJECT_DESCR/>", after=after)))
    assert "holders" not in record and "amounts" not in record


def test_sums_that_are_not_in_euros_or_symbolic_are_left_out() -> None:
    """Another currency is not converted; « 1 EUR » is how forms say nothing."""
    values = '<VAL_ESTIMATED_TOTAL CURRENCY="XOF">900000</VAL_ESTIMATED_TOTAL>'
    assert "amounts" not in record_of(the_event(notice(object_extra=values, objects=lot("1", "A"))))
    values = '<VAL_ESTIMATED_TOTAL CURRENCY="EUR">1</VAL_ESTIMATED_TOTAL>'
    assert "amounts" not in record_of(the_event(notice(object_extra=values, objects=lot("1", "A"))))


def test_a_design_contest_and_its_result() -> None:
    """F12 opens with applications, F13 closes with winners."""
    record = record_of(the_event(notice(form="F12_2014")))
    assert record["techniques"] == ["design_contest", "framework_agreement"]
    assert record["deadlines"][0]["kind"] == "application"
    winner = contractor("Atelier Essai").replace("CONTRACTOR", "WINNER")
    results = f"<RESULTS><AWARDED_PRIZE>{winner}</AWARDED_PRIZE></RESULTS>"
    event = the_event(notice(form="F13_2014", after=results))
    assert event["data"]["outcome"] == "awarded"
    assert record_of(event)["holders"][0]["name"] == "Atelier Essai"
    event = the_event(notice(form="F13_2014", after="<RESULTS><NO_AWARDED_PRIZE/></RESULTS>"))
    assert event["data"]["outcome"] == "unsuccessful"


@pytest.mark.parametrize(
    ("form", "extra", "subtype"),
    [
        ("F24_2014", "", "concession"),
        ("F25_2014", "", "concession"),
        ("F15_2014", '<LEGAL_BASIS VALUE="32014L0023"/>', "concession"),
        ("F15_2014", '<LEGAL_BASIS VALUE="32014L0024"/>', "contract"),
        ("MOVE", "", "contract"),
    ],
)
def test_concessions_are_told_by_form_or_law(form: str, extra: str, subtype: str) -> None:
    """Forms 23 to 25 and directive 2014/23/EU are concessions."""
    assert record_of(the_event(notice(form=form, after=extra)))["subtype"] == subtype


def test_prior_information_is_announced() -> None:
    """Without a deadline the call is published as announced; a qualification system as such."""
    record = record_of(the_event(notice(form="F01_2014", after="")))
    assert "deadlines" not in record
    record = record_of(the_event(notice(form="F07_2014", after="")))
    assert record["techniques"] == ["qualification_system"]


def test_a_correction_is_a_record_that_refers() -> None:
    """F14 keeps the number of the notice that it corrects, and what it changes."""
    after = """<COMPLEMENTARY_INFO><NOTICE_NUMBER_OJ>2020/S 243-600541</NOTICE_NUMBER_OJ>
</COMPLEMENTARY_INFO><CHANGES><CHANGE><WHERE><LABEL>Visites</LABEL></WHERE>
<OLD_VALUE><TEXT><P>Le 3.</P></TEXT></OLD_VALUE><NEW_VALUE><TEXT><P>Le 4.</P></TEXT></NEW_VALUE>
</CHANGE></CHANGES>"""
    event = the_event(notice(form="F14_2014", after=after))
    assert event["subject"] == "043929-2021"
    assert "2020/S 243-600541" in event["data"]["references"]
    description = event["data"]["description"]
    assert description.startswith("Avis rectificatif de 2020/S 243-600541.")
    assert "Visites : Le 4." in description and "Le 3." not in description


def test_a_modification_is_a_contract_with_its_new_values() -> None:
    """F20 gives the contract as modified: holders, value after, new end."""
    after = (
        award("", contractor("Essai BTP"))
        + """<MODIFICATIONS_CONTRACT><DESCRIPTION_PROCUREMENT><n2016:NUTS CODE="FRL04"/>
<DURATION TYPE="MONTH">36</DURATION></DESCRIPTION_PROCUREMENT><INFO_MODIFICATIONS>
<SHORT_DESCR><P>Un an de plus.</P></SHORT_DESCR><VAL_TOTAL_AFTER CURRENCY="EUR">99</VAL_TOTAL_AFTER>
</INFO_MODIFICATIONS></MODIFICATIONS_CONTRACT>"""
    )
    event = the_event(notice(form="F20_2014", after=after))
    record = record_of(event)
    assert event["data"]["outcome"] == "awarded"
    assert record["duration_months"] == 36 and record["end_max"] == "2023-12-01"
    assert record["amounts"][0] == {"value": 99, "kind": "awarded", "tax": "excluded"}
    assert "Un an de plus." in record["description"]


def test_renewals_leave_the_latest_end_open() -> None:
    """TED's duration is without renewals: with them only the earliest end is known."""
    objects = WHOLE.replace("<DURATION", "<RENEWAL/><DURATION")
    record = record_of(
        the_event(notice(form="F03_2014", objects=objects, after=award("", contractor("E"))))
    )
    assert record["end_min"] == "2022-12-01" and "end_max" not in record


def test_a_joint_purchase_names_its_coordinator() -> None:
    """A groupement de commandes: the first buyer coordinates; members by right SIRENs."""
    other = BUYER.replace("BODY>", "BODY_ADDITIONAL>").replace("211300561", "200054807")
    joint = BUYER + other + "<JOINT_PROCUREMENT_INVOLVED/>"
    record = record_of(the_event(notice(buyer=joint)))
    assert record["joint"] == {"coordinator": "211300561", "members": ["200054807"]}


def test_the_number_survives_a_damaged_id() -> None:
    """The number comes from the Official Journal's; then DOC_ID; then the file's name."""
    assert the_event(notice(doc_id="?"))["subject"] == "043929-2021"
    assert the_event(notice(number="", doc_id="000308-2020"))["subject"] == "000308-2020"
    assert the_event(notice(number="", doc_id="?"))["subject"] == "043929-2021"


def test_the_french_form_is_read_first() -> None:
    """A notice in several languages is read in French, one in another language as it is."""
    both = notice().replace(
        "<FORM_SECTION>",
        '<FORM_SECTION><F02_2014 CATEGORY="TRANSLATION" LG="NL"><OBJECT_CONTRACT/></F02_2014>',
    )
    assert record_of(the_event(both))["title"] == "Aménagement du parc"
    assert record_of(the_event(notice(language="EN")))["language"] == "en"


FR_ONLY = WHOLE.replace("FRL04", "FR").replace("<P>Martigues</P>", "")


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({}, ["com:13056"]),
        ({"objects": lot("1", "A") + lot("2", "B", nuts="FRL05")}, ["dep:13", "dep:83"]),
        ({"objects": FR_ONLY}, ["com:13056"]),
        ({"objects": FR_ONLY, "buyer": NATIONAL_BUYER, "authority": "1"}, ["fr"]),
        ({"objects": "", "buyer": NATIONAL_BUYER, "authority": "1"}, ["dep:75"]),
        ({"objects": WHOLE.replace("FRL04", "ITC11")}, ["fr"]),
        ({"buyer": FOREIGN_BUYER, "country": "BE"}, ["com:13056"]),
    ],
)
def test_places(changes: dict[str, str], place: list[str]) -> None:
    """Where the contract is carried out; else where the buyer is; abroad, the whole of France."""
    assert record_of(the_event(notice(**changes)))["place"] == place


def test_a_notice_of_another_country_is_dropped() -> None:
    """Neither buyer nor execution in France: dropped, and the sentence says so."""
    content = notice(buyer=FOREIGN_BUYER, country="BE", objects=WHOLE.replace("FRL04", "BE332"))
    events, (dropped,) = run(import_ted, content, "a.xml")
    assert not events and "hors de France" in dropped.sentence
    assert (dropped.line, dropped.reference) == ("a.xml", "043929-2021")


DEFENCE = """<TED_EXPORT xmlns="http://publications.europa.eu/resource/schema/ted/R2.0.8/publication">
<CODED_DATA_SECTION><REF_OJS><DATE_PUB>20210129</DATE_PUB></REF_OJS><NOTICE_DATA>
<NO_DOC_OJS>2021/S 020-043930</NO_DOC_OJS><ISO_COUNTRY VALUE="FR"/></NOTICE_DATA><CODIF_DATA>
<AA_AUTHORITY_TYPE CODE="1"/></CODIF_DATA></CODED_DATA_SECTION><FORM_SECTION>
<CONTRACT_AWARD_DEFENCE CATEGORY="ORIGINAL" FORM="18" LG="FR"><FD_CONTRACT_AWARD_DEFENCE>
<CA_CE_CONCESSIONAIRE_PROFILE><ORGANISATION><OFFICIALNAME>Base d'essai</OFFICIALNAME></ORGANISATION>
<COUNTRY VALUE="FR"/><ATTENTION>Nom Du Contact</ATTENTION></CA_CE_CONCESSIONAIRE_PROFILE>
<TITLE_CONTRACT><P>Sécurité incendie</P></TITLE_CONTRACT>
<LOCATION_NUTS><NUTS CODE="FR824"/></LOCATION_NUTS>
<SHORT_CONTRACT_DESCRIPTION><P>Entretien.</P></SHORT_CONTRACT_DESCRIPTION>
<CPV_MAIN><CPV_CODE CODE="45343000"/></CPV_MAIN>
<AWARD_OF_CONTRACT_DEFENCE><CONTRACT_AWARD_DATE><DAY>7</DAY><MONTH>1</MONTH><YEAR>2021</YEAR>
</CONTRACT_AWARD_DATE><ECONOMIC_OPERATOR_NAME_ADDRESS><CONTACT_DATA_WITHOUT_RESPONSIBLE_NAME>
<ORGANISATION><OFFICIALNAME>Essai Feu</OFFICIALNAME></ORGANISATION><PHONE>+33 400000000</PHONE>
</CONTACT_DATA_WITHOUT_RESPONSIBLE_NAME></ECONOMIC_OPERATOR_NAME_ADDRESS>
<CONTRACT_VALUE_INFORMATION><COSTS_RANGE_AND_CURRENCY_WITH_VAT_RATE CURRENCY="EUR">
<VALUE_COST FMTVAL="80000">80 000</VALUE_COST></COSTS_RANGE_AND_CURRENCY_WITH_VAT_RATE>
</CONTRACT_VALUE_INFORMATION></AWARD_OF_CONTRACT_DEFENCE></FD_CONTRACT_AWARD_DEFENCE>
</CONTRACT_AWARD_DEFENCE></FORM_SECTION></TED_EXPORT>"""


def test_the_older_forms_of_defence() -> None:
    """Forms 17 and 18 kept the shape of R2.0.8: other names, dates in three parts."""
    event = the_event(DEFENCE)
    record = record_of(event)
    assert event["data"]["on"] == "2021-01-07"
    assert record["title"] == "Sécurité incendie" and record["description"] == "Entretien."
    assert record["owner"] == {"name": "Base d'essai", "kind": "state"}
    assert record["place"] == ["dep:13"]
    assert record["holders"] == [{"name": "Essai Feu"}]
    assert record["amounts"] == [{"value": 80000, "kind": "awarded", "tax": "excluded"}]


def test_a_notice_of_a_thousand_long_lots_is_one_event() -> None:
    """Lots beyond the size of an event lose their descriptions, never their number and title."""
    long = "".join(lot(str(n), "Lot " + "très long " * 40) for n in range(1, 700))
    lots = record_of(the_event(notice(objects=long)))["lots"]
    assert len(lots) == 699 and "description" not in lots[0] and lots[0]["title"]


BILLION_LAUGHS = """<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">
<!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;"><!ENTITY f "&e;&e;&e;&e;&e;&e;&e;&e;">]>"""


def hostile(doctype: str, title: str) -> str:
    """A good notice with a DTD in front, and an entity as its title."""
    declaration, _, rest = notice(title=title).partition("\n")
    return f"{declaration}\n{doctype}\n{rest}"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (hostile(BILLION_LAUGHS, "&f;"), "DTD"),
        (hostile('<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "&x;"), "DTD"),
        (hostile('<!DOCTYPE t SYSTEM "http://192.0.2.1/evil.dtd">', "t"), "DTD"),
        (hostile('<!DOCTYPE t [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]>', "t"), "DTD"),
        ("<a>" * 100_000, "XML lisible"),
        ("", "XML lisible"),
        ("pas du XML", "XML lisible"),
        (notice()[:-20], "XML lisible"),
        (
            '<n:ContractNotice xmlns:n="urn:oasis:names:specification:ubl:ContractNotice-2"/>',
            "eform",
        ),
        ("<autre/>", "TED_EXPORT"),
        ("<TED_EXPORT/>", "données codées"),
        (notice(published="?"), "DATE_PUB"),
        (notice(title=""), "pas de titre"),
        ("x" * (33 << 20), "32 Mio"),
    ],
)
def test_what_is_no_notice_is_a_sentence(content: str, why: str) -> None:
    """Hostile, broken and foreign documents are dropped with the reason, and never raise."""
    events, (dropped,) = run(import_ted, content, "piege.xml")
    assert not events and why in dropped.sentence


def test_a_dtd_in_utf_16_is_refused_too() -> None:
    """The DTD is seen whatever the encoding."""
    _, (dropped,) = run(import_ted, "<!DOCTYPE t><t/>".encode("utf-16"), "piege.xml")
    assert "DTD" in dropped.sentence


def test_other_encodings_by_their_declaration() -> None:
    """XML says its own encoding, and is read by it."""
    latin = notice().replace("UTF-8", "ISO-8859-1", 1).replace("œ", "oe")
    (event,), _ = run(import_ted, latin.encode("latin-1"), "a.xml")
    assert record_of(event)["title"] == "Aménagement du parc"


def packed(name: str, files: dict[str, str]) -> bytes:
    """A package of files, of the kind that its name says."""
    target = io.BytesIO()
    if name.endswith(".zip"):
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, text in files.items():
                archive.writestr(path, text)
    else:
        with tarfile.open(fileobj=target, mode="w:gz") as tar:
            for path, text in files.items():
                member = tarfile.TarInfo(path)
                member.size = len(text.encode())
                tar.addfile(member, io.BytesIO(text.encode()))
    return target.getvalue()


@pytest.mark.parametrize("name", ["20210129.tar.gz", "20210129.zip", "20210129.ZIP?v=2"])
def test_a_package_of_notices(name: str) -> None:
    """Each notice of a package is imported or reported under its own name; one said twice, once."""
    files = {
        "../1.xml": notice(),
        "2.xml": "pas du XML",
        "3.xml": notice(),
        "lisez-moi.txt": "rien",
    }
    kind = ".zip" if "zip" in name.lower() else ".tar.gz"
    events, dropped = run(import_ted, packed(kind, files), name)
    assert len(events) == 1
    assert [(drop.line, drop.duplicate) for drop in dropped] == [("2.xml", False), ("3.xml", True)]


@pytest.mark.parametrize("name", ["a.tar.gz", "a.zip"])
@pytest.mark.parametrize("part", [0, 0.2, 0.5, 0.8])
def test_a_broken_package_is_a_sentence(name: str, part: float) -> None:
    """A package that is cut is reported, after what could be read of it."""
    whole = packed(name, {"1.xml": notice(), "2.xml": notice(title="Autre", number="2021/S 1-5")})
    _, dropped = run(import_ted, whole[: int(len(whole) * part)], name)
    assert any("archive" in drop.sentence for drop in dropped)
