"""What is proposed to an institution: that its need could be bought with others, or be answered.
Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from traverse_search_api.access.reader import Reader
from traverse_search_api.answers.items import links_of_sides

PROPOSED_LABELS: Final = {"joint": "achat à mutualiser", "answers": "réponse possible"}
"""The types of links that are proposals, and what people call them."""


def proposed_to(document: Mapping[str, Any], reader: Reader, as_of: datetime) -> dict[str, str]:
    """What is proposed on a day of the reader's own thing, of which it may read both ends: the type
    of each by a name that stays the same (type and the id of the other end). Nothing that people
    have spoken of, nor that its call answers another's need."""
    if not reader.siren or document.get("owner_siren") != reader.siren:
        return {}
    return {
        f"{link['type']} {link['id']}": link["type"]
        for link in links_of_sides(dict(document), as_of, reader)
        if link["type"] in PROPOSED_LABELS
        and link.get("role") != "offer"
        and link.get("state") == "proposed"
    }
