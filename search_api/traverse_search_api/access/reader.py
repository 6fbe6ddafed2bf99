"""Who reads, and what they may: the one type that every route resolves once (decision 9).

However people say who they are (an API key, a signed-in session), the search knows them as a
`Reader` and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from traverse_schemas.documents.document import index_of
from traverse_schemas.registry.institutions import Institution, Role
from traverse_schemas.visibility import Visibility

Query = dict[str, Any]

_RESTRICTED: Final = Visibility.RESTRICTED.value


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom the view is shown to. `siren` is the reader's institution, "" for anybody; `buyer`: it
    is subject to the Code de la commande publique (art. L.1210-1)."""

    siren: str = ""
    buyer: bool = False

    @property
    def is_member(self) -> bool:
        """Whether it reads more than anybody does."""
        return bool(self.siren)

    @property
    def key(self) -> str:
        """What tells readers apart: for what is kept or sealed for one of them."""
        return f"{self.siren}{'+' if self.buyer else ''}"

    @property
    def whole(self) -> tuple[str, ...]:
        """The indices of which it may read every document: their words and counts tell nothing
        that it may not know."""
        return _WHOLE[self.is_member, self.buyer]

    @property
    def indices(self) -> tuple[str, ...]:
        """All indices that its requests may touch."""
        return (*self.whole, index_of(_RESTRICTED)) if self.is_member else self.whole

    def filter(self) -> Query:
        """The documents that it may read. The indices say nearly as much; this says it again."""
        whole: Query = {"terms": {"visibility": list(self.whole)}}
        if not self.is_member:
            return whole
        named = [{"term": {"visibility": _RESTRICTED}}, {"term": {"audience": self.siren}}]
        return {"bool": {"should": [whole, {"bool": {"filter": named}}]}}

    def reads(self, audience: str) -> bool:
        """Whether it may read what is for an audience, as links and groupings name it: a
        visibility, or `restricted:SIREN,SIREN`."""
        visibility, _, named = audience.partition(":")
        if visibility == _RESTRICTED:
            return self.is_member and self.siren in named.split(",")
        return visibility in self.whole

    def sees_layer(self, layer: str) -> bool:
        """Whether groupings of a layer are shown: those of the widest that it reads, which hold
        what the narrower ones have, and those that name it."""
        return layer == self.whole[-1] or (layer.startswith(_RESTRICTED) and self.reads(layer))

    def reads_document(self, document: Mapping[str, Any]) -> bool:
        """Whether it may read a document; a stub has no content, and says nothing to read."""
        if document.get("visibility") == _RESTRICTED:
            return self.is_member and self.siren in document.get("audience", ())
        return document.get("visibility") in self.whole


def _whole(*, member: bool, buyer: bool) -> tuple[str, ...]:
    found = [Visibility.PUBLIC]
    if member:
        found.append(Visibility.MEMBERS)
        if buyer:
            found.append(Visibility.BUYERS)
    return tuple(index_of(each) for each in found)


# Asked of thousands of readers for each document that changes.
_WHOLE: Final = {
    (member, buyer): _whole(member=member, buyer=buyer)
    for member in (False, True)
    for buyer in (False, True)
}

ANYBODY: Final = Reader()
"""Who has not said who they are."""


def reader_of(institution: Institution, at: datetime) -> Reader:
    """What somebody of an institution reads at that instant. One that is still trying things out
    reads what anybody does."""
    if institution.tries(at):
        return ANYBODY
    return Reader(institution.siren, buyer=Role.BUYER in institution.roles)
