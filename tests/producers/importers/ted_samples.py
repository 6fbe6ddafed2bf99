"""TED XML notices of our own invention, in the shape of the published schemas."""

BUYER = """<ADDRESS_CONTRACTING_BODY><OFFICIALNAME>Commune de Martigues</OFFICIALNAME>
<NATIONALID>21130056100015</NATIONALID><ADDRESS>1 rue de l'Essai</ADDRESS><TOWN>Martigues</TOWN>
<POSTAL_CODE>13500</POSTAL_CODE><COUNTRY VALUE="FR"/><CONTACT_POINT>Nom Du Contact</CONTACT_POINT>
<PHONE>+33 400000000</PHONE><E_MAIL>contact@exemple.fr</E_MAIL><n2016:NUTS CODE="FRL04"/>
<URL_GENERAL>http://www.essai.example</URL_GENERAL></ADDRESS_CONTRACTING_BODY>"""

FOREIGN_BUYER = """<ADDRESS_CONTRACTING_BODY><OFFICIALNAME>Essai NV</OFFICIALNAME><TOWN>Liège</TOWN>
<POSTAL_CODE>4000</POSTAL_CODE><COUNTRY VALUE="BE"/><n2016:NUTS CODE="BE332"/>
</ADDRESS_CONTRACTING_BODY>"""

NATIONAL_BUYER = """<ADDRESS_CONTRACTING_BODY><OFFICIALNAME>Office national d'essai</OFFICIALNAME>
<TOWN>Paris</TOWN><POSTAL_CODE>75008</POSTAL_CODE><COUNTRY VALUE="FR"/><n2016:NUTS CODE="FR101"/>
</ADDRESS_CONTRACTING_BODY>"""


def lot(number: str, title: str, extra: str = "", nuts: str = "FRL04") -> str:
    """One OBJECT_DESCR that is a numbered lot."""
    return f"""<OBJECT_DESCR><TITLE><P>{title}</P></TITLE><LOT_NO>{number}</LOT_NO>
<CPV_ADDITIONAL><CPV_CODE CODE="45112700"/></CPV_ADDITIONAL><n2016:NUTS CODE="{nuts}"/>
<SHORT_DESCR><P>Description de {title}.</P></SHORT_DESCR>{extra}</OBJECT_DESCR>"""


WHOLE = """<OBJECT_DESCR><n2016:NUTS CODE="FRL04"/><MAIN_SITE><P>Martigues</P></MAIN_SITE>
<SHORT_DESCR><P>Fourniture et pose.</P></SHORT_DESCR><VAL_OBJECT CURRENCY="EUR">90000</VAL_OBJECT>
<DURATION TYPE="MONTH">24</DURATION></OBJECT_DESCR>"""

DEADLINE = """<PROCEDURE><PT_OPEN/><FRAMEWORK/>
<DATE_RECEIPT_TENDERS>2021-03-12</DATE_RECEIPT_TENDERS>
<TIME_RECEIPT_TENDERS>12:00</TIME_RECEIPT_TENDERS></PROCEDURE>"""


def notice(
    *,
    form: str = "F02_2014",
    number: str = "2021/S 020-043929",
    published: str = "20210129",
    country: str = "FR",
    buyer: str = BUYER,
    title: str = "Aménagement du parc",
    objects: str = WHOLE,
    after: str = DEADLINE,
    coded: str = "",
    procedure: str = "1",
    authority: str = "3",
    doc_id: str = "043929-2021",
    language: str = "FR",
    object_extra: str = "",
) -> str:
    """A whole TED_EXPORT with one form."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<TED_EXPORT xmlns="http://publications.europa.eu/resource/schema/ted/R2.0.9/publication"
 xmlns:n2016="http://publications.europa.eu/resource/schema/ted/2016/nuts" DOC_ID="{doc_id}">
<CODED_DATA_SECTION><REF_OJS><DATE_PUB>{published}</DATE_PUB></REF_OJS>
<NOTICE_DATA><NO_DOC_OJS>{number}</NO_DOC_OJS><ISO_COUNTRY VALUE="{country}"/></NOTICE_DATA>
<CODIF_DATA>{coded}<AA_AUTHORITY_TYPE CODE="{authority}"/><NC_CONTRACT_NATURE CODE="1"/>
<PR_PROC CODE="{procedure}"/></CODIF_DATA></CODED_DATA_SECTION>
<FORM_SECTION><{form} CATEGORY="ORIGINAL" LG="{language}">
<CONTRACTING_BODY>{buyer}<URL_DOCUMENT>www.essai.example/dce</URL_DOCUMENT>
<URL_PARTICIPATION>https://essai.example/repondre</URL_PARTICIPATION></CONTRACTING_BODY>
<OBJECT_CONTRACT><TITLE><P>{title}</P></TITLE><REFERENCE_NUMBER>21-07</REFERENCE_NUMBER>
<CPV_MAIN><CPV_CODE CODE="45112711"/></CPV_MAIN><TYPE_CONTRACT CTYPE="WORKS"/>
<SHORT_DESCR><P>Travaux de <FT TYPE="SUP">1er</FT> choix.</P>
<P>Écrire à a@b.example.</P></SHORT_DESCR>
{object_extra}{objects}</OBJECT_CONTRACT>{after}</{form}></FORM_SECTION></TED_EXPORT>"""


def contractor(name: str, number: str = "123456782 00010", country: str = "FR") -> str:
    """A CONTRACTOR block, contact details included."""
    return f"""<CONTRACTOR><ADDRESS_CONTRACTOR><OFFICIALNAME>{name}</OFFICIALNAME>
<NATIONALID>{number}</NATIONALID><TOWN>Nice</TOWN><COUNTRY VALUE="{country}"/>
<PHONE>+33 400000000</PHONE><E_MAIL>contact@exemple.fr</E_MAIL></ADDRESS_CONTRACTOR></CONTRACTOR>"""


def award(lot_number: str, inside: str, value: str = "") -> str:
    """An AWARD_CONTRACT that was awarded."""
    return f"""<AWARD_CONTRACT><LOT_NO>{lot_number}</LOT_NO><AWARDED_CONTRACT>
<DATE_CONCLUSION_CONTRACT>2020-12-01</DATE_CONCLUSION_CONTRACT>
<CONTRACTORS>{inside}</CONTRACTORS>{value}</AWARDED_CONTRACT></AWARD_CONTRACT>"""


def refused(lot_number: str, why: str) -> str:
    """An AWARD_CONTRACT without award: PROCUREMENT_UNSUCCESSFUL or PROCUREMENT_DISCONTINUED."""
    return f"""<AWARD_CONTRACT><LOT_NO>{lot_number}</LOT_NO><NO_AWARDED_CONTRACT><{why}/>
</NO_AWARDED_CONTRACT></AWARD_CONTRACT>"""
