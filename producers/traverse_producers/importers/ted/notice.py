"""A TED XML document taken apart: its number, its dates, its form, its buyer.

TED XML R2.0.9 (forms of Implementing Regulation (EU) 2015/1986) and the forms of R2.0.8 that went
on beside it (defence). Element names are those of the schemas, without namespaces.
"""

import re
from dataclasses import dataclass
from datetime import date

from lxml.etree import _Element as Element

from traverse_producers.importers.bodies import NOBODY, Body
from traverse_producers.importers.days import read_day
from traverse_producers.importers.errors import UnreadableFileError
from traverse_producers.importers.text import clean

_OJS = re.compile(r"([0-9]{4})/S ([0-9]{3})-([0-9]{1,8})")
_NUMBER = re.compile(r"(?<![0-9])([0-9]{6,8})-([0-9]{4})(?![0-9])")


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice. `number` is `000308-2020`, `ojs` `2020/S 001-000308`; `form` its form's element
    in French, or in the language it was written in; `kind` its name (`F03_2014`, `MOVE`)."""

    number: str
    ojs: str | None
    published: date
    coded: Element
    form: Element
    buyer: Body

    @property
    def kind(self) -> str:
        return str(self.form.tag)

    @property
    def url(self) -> str:
        """Its page in French."""
        return f"https://ted.europa.eu/udl?uri=TED:NOTICE:{self.number}:TEXT:FR:HTML"

    def code(self, name: str) -> str:
        """The CODE of a coded field (`PR_PROC`, `NC_CONTRACT_NATURE`…), or ""."""
        element = self.coded.find(f".//{name}")
        return "" if element is None else element.get("CODE", "")


def read_notice(root: Element, file_name: str) -> Notice:
    """The notice of a document whose namespaces were removed. Raises UnreadableFileError."""
    if root.tag != "TED_EXPORT":
        raise UnreadableFileError(_not_ted(str(root.tag)))
    coded, section = root.find("CODED_DATA_SECTION"), root.find("FORM_SECTION")
    forms = [] if section is None else [form for form in section if form.get("LG")]
    if coded is None or not forms:
        raise UnreadableFileError(
            "L'avis TED n'a pas de données codées ou pas de formulaire : téléchargez le fichier "
            "XML complet."
        )
    published = read_day(coded.findtext(".//REF_OJS/DATE_PUB"))
    if published is None:
        raise UnreadableFileError(
            "L'avis TED n'a pas de date de publication (DATE_PUB) : téléchargez-le à nouveau."
        )
    form = next((form for form in forms if form.get("LG") == "FR"), None)
    form = form if form is not None else _original(forms)
    ojs = ojs_number(coded.findtext("NOTICE_DATA/NO_DOC_OJS"))
    number = _number(ojs, root.get("DOC_ID", ""), file_name)
    if number is None:
        raise UnreadableFileError(
            "L'avis TED n'a pas de numéro (NO_DOC_OJS, DOC_ID) : téléchargez-le à nouveau."
        )
    return Notice(number, ojs, published, coded, form, _buyer(form, root))


def ojs_number(text: str | None) -> str | None:
    """`2020/S 001-000308` out of a field that should hold one, or None."""
    match = _OJS.search(" ".join((text or "").split()))
    return match[0] if match else None


def text_of(element: Element | None, path: str = "") -> str:
    """The text of an element (or of its first at `path`), paragraphs joined, contacts removed."""
    found = element if element is None or not path else element.find(path)
    if found is None:
        return ""
    paragraphs = [words(part) for part in found.iter("P")]
    return clean(" ".join(paragraphs) if paragraphs else words(found, between=" "))


def words(element: Element, between: str = "") -> str:
    """All the text inside an element, as it stands."""
    return between.join(str(part) for part in element.itertext())


def published_parts(element: Element, *names: str) -> list[Element]:
    """The elements of these names, without those that the buyer withheld (PUBLICATION="NO")."""
    found = []
    for part in element.iter(*names):
        around = [part, *part.iterancestors()]
        if all(step.get("PUBLICATION") != "NO" for step in around):
            found.append(part)
    return found


def body_of(address: Element) -> Body:
    """An address block: ADDRESS_CONTRACTING_BODY, ADDRESS_CONTRACTOR…, or R2.0.8's own."""
    country = address.find("COUNTRY")
    nuts = address.find("NUTS")
    return Body(
        name=text_of(address, ".//OFFICIALNAME"),
        number=clean(address.findtext(".//NATIONALID")),
        town=text_of(address, "TOWN"),
        postal_code=clean(address.findtext("POSTAL_CODE")),
        country="" if country is None else country.get("VALUE", ""),
        nuts="" if nuts is None else nuts.get("CODE", ""),
    )


def _buyer(form: Element, root: Element) -> Body:
    address = next(form.iter("ADDRESS_CONTRACTING_BODY", "CA_CE_CONCESSIONAIRE_PROFILE"), None)
    body = NOBODY if address is None else body_of(address)
    iso = root.find("CODED_DATA_SECTION/NOTICE_DATA/ISO_COUNTRY")
    coded = "" if iso is None else iso.get("VALUE", "")
    return Body(
        name=body.name or text_of(root, ".//ML_AA_NAMES/AA_NAME"),
        number=body.number,
        town=body.town,
        postal_code=body.postal_code,
        country=body.country or coded,
        nuts=body.nuts,
    )


def _original(forms: list[Element]) -> Element:
    return next((form for form in forms if form.get("CATEGORY") == "ORIGINAL"), forms[0])


def _number(ojs: str | None, doc_id: str, file_name: str) -> str | None:
    if ojs and (match := _OJS.fullmatch(ojs)):
        return f"{match[3].zfill(6)}-{match[1]}"
    match = _NUMBER.fullmatch(doc_id) or _NUMBER.search(file_name.rpartition("/")[2])
    return f"{match[1]}-{match[2]}" if match else None


def _not_ted(root: str) -> str:
    if root.endswith("Notice"):
        return (
            f"Ce fichier est un avis eForms (racine « {root} »), pas un avis TED XML : "
            "importez-le avec « traverse import eforms »."
        )
    return (
        f"Ce fichier n'est pas un avis TED XML (racine « {root[:80]} », attendue : TED_EXPORT) : "
        "vérifiez le format demandé."
    )
