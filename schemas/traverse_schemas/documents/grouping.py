"""The document of a proposed grouping, as `traverse.groupings` holds it, and its id.

A grouping belongs to one `layer` of readers, and every member may be read by all of that layer
(decision 9): what a reader must not see is in no grouping that they are shown, nor in its sums.
Dates are ISO 8601 days. What depends on today's date is computed when asked.
"""

from functools import lru_cache
from hashlib import blake2b
from typing import Final, Literal, NotRequired, TypedDict

GroupingState = Literal["proposed", "convention", "constituted"]


class GroupingMember(TypedDict):
    """One purchase of one buyer. `record` is the id of its record, `copies` are those of others
    that tell of the same opportunity; `source` is the SIREN of who says it, where that is not the
    owner. `window` has the days of the purchase, ends that are open
    left out. `renewal` says that it is the end of a contract, `guess` that its owner said neither a
    need nor a word of it yet; it is not `counted` where its owner said the need itself. `amount` is
    without taxes where `tax` is "excluded", with them where it is "included". `stance` is the
    furthest step that its owner said it came to (`GroupingStep`), `stance_on` the day of that:
    nothing, where it said nothing yet."""

    record: str
    copies: NotRequired[list[str]]
    owner: str
    siren: NotRequired[str]
    source: NotRequired[str]
    owner_kind: str
    title: str
    territory: str
    amount: NotRequired[float]
    tax: NotRequired[str]
    window: dict[str, str]
    renewal: bool
    guess: bool
    counted: bool
    stance: NotRequired[str]
    stance_on: NotRequired[str]


class GroupingLot(TypedDict):
    """A lot that the purchase could have (Code de la commande publique, art. L.2113-10)."""

    title: str
    cpv: NotRequired[str]
    amount: NotRequired[float]
    tax: NotRequired[str]
    members: list[str]


class CrossedThreshold(TypedDict):
    """The threshold that the members reach together and none alone (`reference/thresholds.py`).
    `taxed`: sums with taxes, or that do not say, were brought before them at the full rate;
    `guessed`: it is reached only with contracts that end, of which nobody said a need."""

    code: str
    amount: int
    label: str
    source: str
    taxed: NotRequired[bool]
    guessed: NotRequired[bool]


class GroupingAct(TypedDict):
    """A formal step that a member told of, and the day of it."""

    step: str
    owner: str
    on: str


class Declined(TypedDict):
    """A buyer that said that the grouping is not for it; its purchase is in no sum."""

    owner: str
    siren: NotRequired[str]


class Coordinator(TypedDict):
    """Who could coordinate, and why in one French sentence: a suggestion."""

    owner: str
    siren: NotRequired[str]
    reason: str


class GroupingSums(TypedDict):
    """What the members that are counted will spend. `total` is the sum of the amounts that are
    known, `total_tax` whether that is before taxes ("excluded", "included", "unknown" or "mixed"),
    `guessed` the part of it of which nobody said a need; `unknown_amounts` is how many give
    none."""

    total: NotRequired[float]
    total_tax: NotRequired[str]
    guessed: NotRequired[float]
    unknown_amounts: int
    threshold: NotRequired[CrossedThreshold]


class Grouping(GroupingSums):
    """A proposed grouping. `window` is what all periods have in common. `within` are the codes in
    which all members lie. `model` is the version of the likeness model that proposed it.

    `interested` is how many owners said that they are; `state` is `convention` once one of two or
    more of them told of an agreement, and `constituted` once all who took part in it have signed
    (Code de la commande publique, art. L.2113-6, L.2113-7). From then on `members`, and all that is
    told of them, are those who told of these steps; `others` are for whom it would be too, and who
    could join.

    `expires` is the last day on which all its records are worth showing; `after` what it is from
    then on, without those that are not (missing: fewer than two owners are left)."""

    id: str
    layer: str
    state: GroupingState
    subject: str
    reason: str
    score: float
    owners: int
    members: list[GroupingMember]
    others: list[GroupingMember]
    cpv: list[str]
    themes: list[str]
    within: list[str]
    places: list[str]
    window: dict[str, str]
    lots: list[GroupingLot]
    coordinator: Coordinator
    interested: int
    acts: list[GroupingAct]
    declined: list[Declined]
    model: str
    expires: NotRequired[str]
    after: NotRequired["Grouping"]


class GroupingMessage(TypedDict):
    """A message of `traverse.groupings`, keyed by `id`: the grouping, or the id of the one that
    most of its members are in now. One that is no more is a tombstone."""

    id: str
    layer: str
    grouping: NotRequired[Grouping]
    moved_to: NotRequired[str]


def records_of(grouping: Grouping) -> list[str]:
    """The ids of all records that a grouping is of, or that could join it."""
    members = (*grouping["members"], *grouping.get("others", ()))
    return [it for one in members for it in (one["record"], *one.get("copies", ()))]


PUBLIC_LAYER = "public"

_TAG: Final = 8


@lru_cache(maxsize=10_000)
def layer_tag(layer: str) -> str:
    """The beginning of the ids of a layer: 8 hexadecimal digits."""
    return blake2b(f"grouping {layer}".encode(), digest_size=_TAG // 2).hexdigest()


def grouping_id(layer: str, anchor: str) -> str:
    """The id of the grouping of a layer that is named by the record with this id: its earliest, or
    the one by which it was called when people first spoke of it. Any member's gives an id that
    leads to it."""
    return f"{layer_tag(layer)}{anchor}"


def tag_of(identity: str) -> str:
    """The tag of the layer of a grouping's id."""
    return identity[:_TAG]


def anchor_of(identity: str) -> str:
    """The id of the record by which a grouping is named."""
    return identity[_TAG:]


@lru_cache(maxsize=10_000)
def readable_tags(layer: str) -> frozenset[str]:
    """The tags of the layers whose groupings all readers of this one may read."""
    base = ("public", "members", "buyers")
    return frozenset(layer_tag(one) for one in {*base, layer} if readable(layer, one))


def readable(layer: str, audience: str) -> bool:
    """Whether all readers of a layer may read a record of this audience.

    Buyers are registered institutions, so that they read what members may; those whom a restricted
    record names read it beside what is public.
    """
    if audience in (PUBLIC_LAYER, layer):
        return True
    return layer == "buyers" and audience == "members"
