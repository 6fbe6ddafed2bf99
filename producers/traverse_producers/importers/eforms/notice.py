"""An eForms document taken apart: which notice, of what form, when, by whom, changing which.

Paths and codes are those of the eForms SDK (fields, code lists; Publications Office, CC BY 4.0);
BT, OPP and OPT numbers are its own. Element names come without their namespaces.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cached_property

from lxml.etree import _Element as Element

from traverse_producers.importers.bodies import NOBODY, Body
from traverse_producers.importers.days import read_day, start_of_day
from traverse_producers.importers.errors import UnreadableFileError
from traverse_producers.importers.text import clean

ROOTS = ("ContractNotice", "PriorInformationNotice", "ContractAwardNotice")
EXTENSION = "UBLExtensions/UBLExtension/ExtensionContent/EformsExtension"
WITHHELD = "unpublished"
"""What the Publications Office writes in place of a text that the buyer withheld."""

_REGISTRATION = "BusinessRegistrationInformationNotice"
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(?:\.[0-9]+)?)?")
_OFFSET = re.compile(r"(Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])$")
_UUID_VERSION = re.compile(r"-[0-9]{2}$")
_PUBLICATION = re.compile(r"0*([0-9]{1,8})-([0-9]{4})")
# Languages of the EU (ISO 639-3, as BT-702 has them), by their two letters.
_LANGUAGES = {
    "BUL": "bg", "CES": "cs", "DAN": "da", "DEU": "de", "ELL": "el", "ENG": "en", "EST": "et",
    "FIN": "fi", "FRA": "fr", "GLE": "ga", "HRV": "hr", "HUN": "hu", "ITA": "it", "LAV": "lv",
    "LIT": "lt", "MLT": "mt", "NLD": "nl", "POL": "pl", "POR": "pt", "RON": "ro", "SLK": "sk",
    "SLV": "sl", "SPA": "es", "SWE": "sv",
}  # fmt: skip
# ISO 3166-1, three letters to two, for France and its overseas collectivities.
_COUNTRIES = {
    "FRA": "FR", "GLP": "GP", "MTQ": "MQ", "GUF": "GF", "REU": "RE", "SPM": "PM", "MYT": "YT",
    "BLM": "BL", "MAF": "MF", "ATF": "TF", "WLF": "WF", "PYF": "PF", "NCL": "NC",
}  # fmt: skip
# The form of each notice type (code list notice-type by form-type), where the type does not say.
_FORMS = {
    "pin-only": "planning", "pin-buyer": "planning", "pin-rtl": "planning",
    "pin-tran": "planning", "pmc": "consultation", "veat": "dir-awa-pre",
    "can-modif": "cont-modif", "compl": "completion",
}  # fmt: skip


@dataclass(frozen=True)
class Notice:
    """A notice. `number` is BT-701 with its version (BT-757), `procedure` BT-04."""

    root: Element
    extension: Element
    procedure: str
    identifier: str
    version: str
    dispatched: datetime

    @property
    def number(self) -> str:
        return f"{self.identifier}-{self.version}" if self.version else self.identifier

    @cached_property
    def subtype(self) -> str:
        """The notice subtype (OPP-070): `1` to `40`, `CEI`, `T01`, `E4`…, or ""."""
        return (self.extension.findtext("NoticeSubType/SubTypeCode") or "").strip().upper()

    @cached_property
    def type(self) -> str:
        """BT-02: `cn-standard`, `can-modif`, `pin-only`…"""
        return (self.root.findtext("NoticeTypeCode") or "").strip()

    @cached_property
    def form(self) -> str:
        """BT-03: planning, competition, result, dir-awa-pre, cont-modif, completion…"""
        code = self.root.find("NoticeTypeCode")
        said = "" if code is None else (code.get("listName") or "").strip()
        if said and said != "notice-type":
            return said
        family = "result" if self.type.startswith("can") else "competition"
        return _FORMS.get(self.type, family)

    @cached_property
    def language(self) -> str:
        """BT-702, three letters."""
        return (self.root.findtext("NoticeLanguageCode") or "FRA").strip().upper()

    @property
    def language_code(self) -> str | None:
        """The language of the words that are shown: French where the notice speaks it too."""
        spoken = {each.get("languageID", "") for each in self.root.iterfind("ProcurementProject/*")}
        return _LANGUAGES.get("FRA" if "FRA" in spoken else self.language)

    @cached_property
    def publication(self) -> str | None:
        """OPP-010, its number in the Official Journal, as its address has it: `219998-2024`."""
        text = self.extension.findtext("Publication/NoticePublicationID") or ""
        match = _PUBLICATION.fullmatch(text.strip())
        return f"{match[1]}-{match[2]}" if match else None

    @cached_property
    def published(self) -> date:
        """OPP-012, else the day of dispatch."""
        day = read_day(self.extension.findtext("Publication/PublicationDate"))
        return day or self.dispatched.date()

    @property
    def changes(self) -> Element | None:
        """What makes it a change notice (BT-758, BT-140, BT-141), or None."""
        return self.extension.find("Changes")

    @cached_property
    def organizations(self) -> dict[str, Element]:
        """The organizations by their identifiers in the notice (`ORG-0001`)."""
        found: dict[str, Element] = {}
        for part in self.extension.iterfind("Organizations/Organization"):
            if name := clean(part.findtext("Company/PartyIdentification/ID")):
                found.setdefault(name, part)
        return found

    @cached_property
    def buyers(self) -> tuple[Body, ...]:
        """The buyers (OPT-300), the group's lead (OPP-050) first."""
        parties = self.root.iterfind("ContractingParty/Party/PartyIdentification/ID")
        names = dict.fromkeys(clean(party.text) for party in parties)
        found = [self.organizations[name] for name in names if name in self.organizations]
        found.sort(key=lambda part: not is_true(part.findtext("GroupLeadIndicator")))
        return tuple(self.body(part) for part in found)

    @property
    def buyer(self) -> Body:
        return self.buyers[0] if self.buyers else NOBODY

    def body(self, organization: Element) -> Body:
        """Who an organization is: its company, never its contact or its beneficial owners."""
        company = organization.find("Company")
        if company is None:
            return NOBODY
        country = clean(company.findtext("PostalAddress/Country/IdentificationCode")).upper()
        return Body(
            name=self.text(company, "PartyName/Name"),
            number=clean(company.findtext("PartyLegalEntity/CompanyID")),
            town=clean(company.findtext("PostalAddress/CityName")),
            postal_code=clean(company.findtext("PostalAddress/PostalZone")),
            country=_COUNTRIES.get(country, country),
            nuts=clean(company.findtext("PostalAddress/CountrySubentityCode")),
        )

    def text(self, element: Element | None, path: str) -> str:
        """The words at a path in French, else in the notice's language; "" when withheld."""
        return self._chosen(() if element is None else element.findall(path))

    def _chosen(self, parts: "list[Element] | tuple[()]") -> str:
        by_language = {part.get("languageID", ""): part for part in reversed(parts)}
        part = by_language.get("FRA", by_language.get(self.language, parts[0] if parts else None))
        said = "" if part is None else clean("".join(str(text) for text in part.itertext()))
        return "" if said.casefold() == WITHHELD else said


def read_notice(root: Element) -> Notice:
    """The notice of a document whose namespaces were removed. Raises UnreadableFileError."""
    name = str(root.tag)
    if name == _REGISTRATION:
        raise UnreadableFileError(
            "Cet avis inscrit une société européenne au registre (X01, X02) : ce n'est pas un "
            "avis de marché."
        )
    if name not in ROOTS:
        raise UnreadableFileError(
            f"Ce fichier n'est pas un avis eForms (racine « {name[:80]} », attendue : "
            f"{', '.join(ROOTS)}) : vérifiez le format demandé."
        )
    identifier = _identifier(root)
    procedure = clean(root.findtext("ContractFolderID")) or identifier
    if not procedure:
        raise UnreadableFileError(
            "L'avis eForms n'a ni identifiant de procédure (BT-04), ni identifiant d'avis "
            "(BT-701) : demandez le fichier complet."
        )
    dispatched = moment_of(root, "IssueDate", "IssueTime")
    if dispatched is None:
        raise UnreadableFileError(
            "L'avis eForms n'a pas de date d'envoi (BT-05) : demandez le fichier complet."
        )
    extension = root.find(EXTENSION)
    return Notice(
        root=root,
        extension=root.makeelement("EformsExtension") if extension is None else extension,
        procedure=procedure,
        identifier=identifier or procedure,
        version=clean(root.findtext("VersionID")),
        dispatched=dispatched,
    )


def is_true(text: str | None) -> bool:
    """An xs:boolean."""
    return (text or "").strip().lower() in ("true", "1")


def when(parent: Element | None, day_name: str, time_name: str) -> str | None:
    """A date and its time as ISO 8601 with the offset that is written: `2024-05-13T12:00+02:00`.

    A date without a time is that date alone; None when there is none.
    """
    if parent is None or (day := read_day(parent.findtext(day_name))) is None:
        return None
    clock = (parent.findtext(time_name) or "").strip()
    match = _TIME.match(clock)
    if match is None:
        return day.isoformat()
    written = _OFFSET.search(clock) or _OFFSET.search((parent.findtext(day_name) or "").strip())
    offset = "" if written is None else written[1].replace("Z", "+00:00")
    return f"{day.isoformat()}T{match[1]}:{match[2]}{offset}"


def moment_of(parent: Element, day_name: str, time_name: str) -> datetime | None:
    """The same as an aware instant; without a time or an offset, as Paris reads it."""
    day = read_day(parent.findtext(day_name))
    if day is None:
        return None
    clock = (parent.findtext(time_name) or "").strip()
    match = _TIME.match(clock)
    if match is None:
        return start_of_day(day)
    at = time(int(match[1]), int(match[2]), int(match[3] or 0))
    written = _OFFSET.search(clock) or _OFFSET.search((parent.findtext(day_name) or "").strip())
    if written is None:
        return datetime.combine(day, at, start_of_day(day).tzinfo)
    return datetime.combine(day, at, _zone(written[1]))


def earlier_notices(notice: Notice) -> Iterator[str]:
    """The notices that it changes (BT-758), modifies (BT-1501) or follows (BT-125)."""
    for path in ("Changes/ChangedNoticeIdentifier", "ContractModification/ChangedNoticeIdentifier"):
        yield from (clean(part.text) for part in notice.extension.iterfind(path))
    for part in notice.root.iterfind("ProcurementProjectLot/TenderingProcess"):
        yield from (clean(each.text) for each in part.iterfind("NoticeDocumentReference/ID"))


def _identifier(root: Element) -> str:
    """BT-701 without the version that some write behind it."""
    return _UUID_VERSION.sub("", clean(root.findtext("ID"))) if root.find("ID") is not None else ""


def _zone(offset: str) -> timezone:
    if offset == "Z":
        return UTC
    hours, minutes = int(offset[1:3]), int(offset[4:6])
    minutes_off = hours * 60 + minutes
    return timezone(timedelta(minutes=-minutes_off if offset[0] == "-" else minutes_off))
