"""eForms notices of our own making, in the shape of the SDK's examples, part by part."""

from itertools import count

NAMESPACES = (
    'xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2" '
    'xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2" '
    'xmlns:ext="urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2" '
    'xmlns:efac="http://data.europa.eu/p27/eforms-ubl-extension-aggregate-components/1" '
    'xmlns:efbc="http://data.europa.eu/p27/eforms-ubl-extension-basic-components/1" '
    'xmlns:efext="http://data.europa.eu/p27/eforms-ubl-extensions/1"'
)
PROCEDURE = "11111111-2222-4333-8444-555555555555"
NOTICE = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
PUBLICATION = (
    '<efac:Publication><efbc:NoticePublicationID schemeName="ojs-notice-id">00219998-2024'
    "</efbc:NoticePublicationID><efbc:PublicationDate>2024-04-12Z</efbc:PublicationDate>"
    "</efac:Publication>"
)
FRANCE = "<cac:Country><cbc:IdentificationCode>FRA</cbc:IdentificationCode></cac:Country>"
MARTIGUES = f"<cbc:CityName>Martigues</cbc:CityName><cbc:PostalZone>13500</cbc:PostalZone>{FRANCE}"
DEADLINE = (
    "<cac:TenderSubmissionDeadlinePeriod><cbc:EndDate>2024-05-13+02:00</cbc:EndDate>"
    "<cbc:EndTime>12:00:00+02:00</cbc:EndTime></cac:TenderSubmissionDeadlinePeriod>"
)


def organization(
    key: str, name: str, number: str, *, address: str = MARTIGUES, lead: str = ""
) -> str:
    """A company, with the contact details that must never come out."""
    return (
        f"<efac:Organization>{lead}<efac:Company>"
        "<cbc:WebsiteURI>https://acheteur.example/</cbc:WebsiteURI>"
        f"<cac:PartyIdentification><cbc:ID>{key}</cbc:ID></cac:PartyIdentification>"
        f'<cac:PartyName><cbc:Name languageID="FRA">{name}</cbc:Name></cac:PartyName>'
        f"<cac:PostalAddress><cbc:StreetName>1 rue de l'Essai</cbc:StreetName>{address}"
        "</cac:PostalAddress>"
        f"<cac:PartyLegalEntity><cbc:CompanyID>{number}</cbc:CompanyID></cac:PartyLegalEntity>"
        "<cac:Contact><cbc:Name>Nom Du Contact</cbc:Name>"
        "<cbc:Telephone>+33 400000000</cbc:Telephone>"
        "<cbc:ElectronicMail>contact@exemple.fr</cbc:ElectronicMail></cac:Contact>"
        "</efac:Company></efac:Organization>"
    )


BUYER = organization("ORG-0001", "Commune de Martigues", "211 300 561 00015")
FIRM = organization("ORG-0002", "Jardins du Midi", "35600000000048")
OTHER_FIRM = organization("ORG-0003", "Arbres et Parcs", "35600000000055")


def project(
    title: str = "Aménagement du parc",
    description: str = "Écrire à contact@exemple.fr.",
    *,
    cpv: str = "45112711",
    more: str = "",
    number: str = "21-07",
) -> str:
    """A ProcurementProject, of the procedure or of a lot."""
    return (
        f'<cac:ProcurementProject><cbc:ID schemeName="InternalID">{number}</cbc:ID>'
        f'<cbc:Name languageID="FRA">{title}</cbc:Name>'
        f'<cbc:Description languageID="FRA">{description}</cbc:Description>'
        '<cbc:ProcurementTypeCode listName="contract-nature">works</cbc:ProcurementTypeCode>'
        f'{more}<cac:MainCommodityClassification><cbc:ItemClassificationCode listName="cpv">{cpv}'
        "</cbc:ItemClassificationCode></cac:MainCommodityClassification></cac:ProcurementProject>"
    )


def lot(
    key: str = "LOT-0001",
    *,
    title: str = "Aménagement du parc",
    process: str = DEADLINE,
    terms: str = "",
    more: str = "",
    scheme: str = "Lot",
) -> str:
    """A lot, with its process (deadlines), its terms and what is said of its project."""
    return (
        f'<cac:ProcurementProjectLot><cbc:ID schemeName="{scheme}">{key}</cbc:ID>'
        "<cac:TenderingTerms><cac:TenderRecipientParty>"
        "<cbc:EndpointID>https://essai.example/repondre</cbc:EndpointID>"
        f"</cac:TenderRecipientParty>{terms}</cac:TenderingTerms>"
        f"<cac:TenderingProcess>{process}</cac:TenderingProcess>"
        f"{project(title, f'Description de {title}.', more=more)}</cac:ProcurementProjectLot>"
    )


def located(address: str) -> str:
    """A place of performance."""
    return f"<cac:RealizedLocation><cac:Address>{address}</cac:Address></cac:RealizedLocation>"


def nuts(code: str) -> str:
    return f"<cbc:CountrySubentityCode>{code}</cbc:CountrySubentityCode>{FRANCE}"


def valued(amount: str = "90000", maximum: str = "") -> str:
    """BT-27 and BT-271."""
    most = (
        "<ext:UBLExtensions><ext:UBLExtension><ext:ExtensionContent><efext:EformsExtension>"
        f'<efbc:FrameworkMaximumAmount currencyID="EUR">{maximum}</efbc:FrameworkMaximumAmount>'
        "</efext:EformsExtension></ext:ExtensionContent></ext:UBLExtension></ext:UBLExtensions>"
        if maximum
        else ""
    )
    return (
        f'<cac:RequestedTenderTotal>{most}<cbc:EstimatedOverallContractAmount currencyID="EUR">'
        f"{amount}</cbc:EstimatedOverallContractAmount></cac:RequestedTenderTotal>"
    )


def changed(code: str, *, of: str = f"{NOTICE}-01", why: str = "", what: str = "") -> str:
    """BT-758, BT-140, BT-762, BT-141."""
    return (
        f"<efac:Changes><efbc:ChangedNoticeIdentifier>{of}</efbc:ChangedNoticeIdentifier>"
        f"<efac:Change><efbc:ChangeDescription>{what}</efbc:ChangeDescription></efac:Change>"
        f"<efac:ChangeReason><cbc:ReasonCode>{code}</cbc:ReasonCode>"
        f"<efbc:ReasonDescription>{why}</efbc:ReasonDescription></efac:ChangeReason></efac:Changes>"
    )


def notice(
    *,
    root: str = "ContractNotice",
    subtype: str = "16",
    type_: tuple[str, str] = ("competition", "cn-standard"),
    lots: str | None = None,
    procedure: str = "open",
    extension: str = "",
    organizations: str = BUYER,
    parties: str = "<cbc:ID>ORG-0001</cbc:ID>",
    publication: str = PUBLICATION,
    dispatched: str = "2024-04-10+02:00",
    whole: str | None = None,
    law: str = "32014L0024",
    folder: str = PROCEDURE,
    version: str = "01",
) -> str:
    """A whole notice."""
    buyers = "".join(
        f"<cac:ContractingParty><cac:Party><cac:PartyIdentification>{party}"
        "</cac:PartyIdentification></cac:Party></cac:ContractingParty>"
        for party in parties.split("|")
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><{root} {NAMESPACES} '
        f'xmlns="urn:oasis:names:specification:ubl:schema:xsd:{root}-2">'
        "<ext:UBLExtensions><ext:UBLExtension><ext:ExtensionContent><efext:EformsExtension>"
        f"{extension}<efac:NoticeSubType><cbc:SubTypeCode>{subtype}</cbc:SubTypeCode>"
        f"</efac:NoticeSubType><efac:Organizations>{organizations}</efac:Organizations>"
        f"{publication}</efext:EformsExtension></ext:ExtensionContent></ext:UBLExtension>"
        f'</ext:UBLExtensions><cbc:ID schemeName="notice-id">{NOTICE}</cbc:ID>'
        f"<cbc:ContractFolderID>{folder}</cbc:ContractFolderID>"
        f"<cbc:IssueDate>{dispatched}</cbc:IssueDate><cbc:IssueTime>09:30:00+02:00</cbc:IssueTime>"
        f"<cbc:VersionID>{version}</cbc:VersionID><cbc:RegulatoryDomain>{law}</cbc:RegulatoryDomain>"
        f'<cbc:NoticeTypeCode listName="{type_[0]}">{type_[1]}</cbc:NoticeTypeCode>'
        f"<cbc:NoticeLanguageCode>FRA</cbc:NoticeLanguageCode>{buyers}"
        f"<cac:TenderingProcess><cbc:ProcedureCode>{procedure}</cbc:ProcedureCode>"
        "</cac:TenderingProcess>"
        f"{project(more=located(MARTIGUES)) if whole is None else whole}"
        f"{lot() if lots is None else lots}</{root}>"
    )


_numbers = count(1)


def result(
    of: str = "LOT-0001",
    *,
    firms: str = "ORG-0002",
    value: str = "81500.50",
    withheld: str = "",
    code: str = "selec-w",
) -> tuple[str, str]:
    """A lot that was awarded: its LotResult, and the tender, contract and party of it."""
    n = next(_numbers)
    privacy = (
        f"<efac:FieldsPrivacy><efbc:FieldIdentifierCode>{withheld}</efbc:FieldIdentifierCode>"
        "</efac:FieldsPrivacy>"
        if withheld
        else ""
    )
    members = "".join(
        f"<efac:Tenderer><cbc:ID>{firm}</cbc:ID><efbc:GroupLeadIndicator>"
        f"{'false' if place else 'true'}</efbc:GroupLeadIndicator></efac:Tenderer>"
        for place, firm in enumerate(firms.split())
    )
    said = f"<cbc:TenderResultCode>{code}</cbc:TenderResultCode>" if code else ""
    return (
        f"<efac:LotResult>{said}<efac:LotTender><cbc:ID>TEN-{n}</cbc:ID></efac:LotTender>"
        f"<efac:SettledContract><cbc:ID>CON-{n}</cbc:ID></efac:SettledContract>"
        f"<efac:TenderLot><cbc:ID>{of}</cbc:ID></efac:TenderLot></efac:LotResult>",
        f"<efac:LotTender>{privacy}<cbc:ID>TEN-{n}</cbc:ID><cac:LegalMonetaryTotal>"
        f'<cbc:PayableAmount currencyID="EUR">{value}</cbc:PayableAmount></cac:LegalMonetaryTotal>'
        f"<efac:TenderingParty><cbc:ID>TPA-{n}</cbc:ID></efac:TenderingParty>"
        f"<efac:TenderLot><cbc:ID>{of}</cbc:ID></efac:TenderLot></efac:LotTender>"
        f"<efac:SettledContract><cbc:ID>CON-{n}</cbc:ID><cbc:IssueDate>2024-07-01+02:00"
        f"</cbc:IssueDate><efac:LotTender><cbc:ID>TEN-{n}</cbc:ID></efac:LotTender>"
        f"</efac:SettledContract><efac:TenderingParty><cbc:ID>TPA-{n}</cbc:ID>{members}"
        "</efac:TenderingParty>",
    )


def not_awarded(of: str, why: str, code: str = "clos-nw") -> tuple[str, str]:
    """A lot without a winner."""
    return (
        f"<efac:LotResult><cbc:TenderResultCode>{code}</cbc:TenderResultCode><efac:DecisionReason>"
        f"<efbc:DecisionReasonCode>{why}</efbc:DecisionReasonCode></efac:DecisionReason>"
        f"<efac:TenderLot><cbc:ID>{of}</cbc:ID></efac:TenderLot></efac:LotResult>",
        "",
    )


def results(*parts: tuple[str, str], total: str = "") -> str:
    """A NoticeResult of lots that ended, as `result` and `not_awarded` give them."""
    whole = f'<cbc:TotalAmount currencyID="EUR">{total}</cbc:TotalAmount>' if total else ""
    heads, tails = "".join(part[0] for part in parts), "".join(part[1] for part in parts)
    return f"<efac:NoticeResult>{whole}{heads}{tails}</efac:NoticeResult>"


def award_notice(extension: str, **parts: str | tuple[str, str] | None) -> str:
    """A contract award notice."""
    said: dict[str, object] = {
        "root": "ContractAwardNotice",
        "subtype": "29",
        "type_": ("result", "can-standard"),
        "dispatched": "2024-07-10+02:00",
        "organizations": BUYER + FIRM + OTHER_FIRM,
        "extension": extension,
    }
    return notice(**{**said, **parts})  # type: ignore[arg-type]
