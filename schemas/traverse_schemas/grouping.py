"""The document of a proposed grouping, as `traverse.groupings` and its index hold it.

A grouping belongs to one `layer` of readers, and every member may be read by all of that layer
(decision 9): what a reader must not see is in no grouping that they are shown, nor in its sums.
Dates are ISO 8601 days. What depends on today's date is computed when asked.
"""

from typing import Literal, NotRequired, TypedDict


class GroupingMember(TypedDict):
    """One purchase of one buyer. `record` is the id of its record's opportunity; `window` has the
    days of the purchase, ends that are open left out; `renewal` says that it is the end of a
    contract and nobody has said a need yet."""

    record: str
    owner: str
    siren: NotRequired[str]
    owner_kind: str
    title: str
    territory: str
    amount: NotRequired[float]
    window: dict[str, str]
    renewal: bool


class GroupingLot(TypedDict):
    """A lot that the purchase could have (Code de la commande publique, art. L.2113-10)."""

    title: str
    cpv: NotRequired[str]
    amount: NotRequired[float]
    members: list[str]


class CrossedThreshold(TypedDict):
    """The threshold that the members reach together and none alone (`reference/thresholds.py`)."""

    code: str
    amount: int
    label: str
    source: str


class Coordinator(TypedDict):
    """Who could coordinate, and why in one French sentence: a suggestion."""

    owner: str
    siren: NotRequired[str]
    reason: str


class Grouping(TypedDict):
    """A proposed grouping. `total` is the sum of the amounts that are known, `unknown_amounts` how
    many members give none. `window` is what all periods have in common. `within` are the codes in
    which all members lie. `model` is the version of the likeness model that proposed it."""

    id: str
    layer: str
    subject: str
    reason: str
    score: float
    owners: int
    members: list[GroupingMember]
    cpv: list[str]
    themes: list[str]
    within: list[str]
    places: list[str]
    window: dict[str, str]
    total: NotRequired[float]
    unknown_amounts: int
    lots: list[GroupingLot]
    threshold: NotRequired[CrossedThreshold]
    coordinator: Coordinator
    model: str


class GroupingMessage(TypedDict):
    """A message of `traverse.groupings`, keyed by `id`; a grouping that is no more is a
    tombstone."""

    id: str
    layer: str
    state: Literal["proposed"]
    grouping: Grouping


PUBLIC_LAYER = "public"


def readable(layer: str, audience: str) -> bool:
    """Whether all readers of a layer may read a record of this audience.

    Buyers are registered institutions, so that they read what members may; those whom a restricted
    record names read it beside what is public.
    """
    if audience in (PUBLIC_LAYER, layer):
        return True
    return layer == "buyers" and audience == "members"
