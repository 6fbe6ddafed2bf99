"""Whom to write to or call about a need: from what somebody typed to a professional contact, and
back. Pure."""

import re
from collections.abc import Mapping
from typing import Any, Final

SERVICE: Final = 200
"""Characters of a service's name."""

_EMAIL: Final = re.compile(r"[^@\s]{1,100}@[^@\s]{1,150}")
_PHONE: Final = re.compile(r"\+?[0-9][0-9 .\-()]{4,28}")


def contact_faults(service: str, reach: str) -> dict[str, str]:
    """What is to be mended of the name of a service and of its address or number, by the field of
    the form."""
    faults = {}
    if len(service) > SERVICE:
        faults["service"] = f"Raccourcissez le nom du service : {SERVICE} caractères au plus."
    if reach and not (_EMAIL.fullmatch(reach) or _PHONE.fullmatch(reach)):
        faults["joindre"] = (
            "Écrivez une adresse électronique, comme marches@exemple.fr, ou un numéro de "
            "téléphone, comme 04 91 00 00 00."
        )
    return faults


def contact_of(service: str, reach: str) -> dict[str, str]:
    """The `contact` of the record, of what has no fault; empty where nothing was typed."""
    way = "email" if "@" in reach else "phone"
    return {name: text for name, text in (("name", service), (way, reach)) if text}


def typed_contact(contact: Mapping[str, Any]) -> tuple[str, str]:
    """The service and its address or number, as the form has them, of a published contact."""
    return contact.get("name") or "", contact.get("email") or contact.get("phone") or ""
