"""The professional contact of a record, to write to or to call. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

_NOT_DIALLED: Final = re.compile(r"[^+0-9]")


@dataclass(frozen=True, slots=True)
class ContactView:
    """A name (that of a person or a service), and the words and the address of each way to reach
    it."""

    name: str
    ways: list[tuple[str, str]]


def contact_view(contact: Mapping[str, Any]) -> ContactView | None:
    """The contact as it was published (`Contact`); None where nothing of one was. An address is
    an address alone (RFC 6068): nothing in it asks more of a mail program."""
    name, email, phone = (contact.get(each) or "" for each in ("name", "email", "phone"))
    ways = [
        *([(email, f"mailto:{quote(email, safe='@')}")] if email else []),
        *([(phone, f"tel:{_NOT_DIALLED.sub('', phone)}")] if phone else []),
    ]
    return ContactView(name, ways) if name or ways else None
