"""Facts: what matching knows of a record, compact. Pure.

Only records that take part are held: needs, what may answer them, and purchases to come.
"""

from collections.abc import Sequence
from functools import lru_cache
from sys import intern
from typing import Any, Final, NamedTuple

from traverse_schemas.documents.document import DocumentDeadline
from traverse_schemas.documents.status import end_of_french_day
from traverse_schemas.log.record_state import RecordState
from traverse_schemas.values.instant import PARIS
from traverse_stream_processors.likeness.model import Model, Vectoriser
from traverse_stream_processors.linking.features import audience_of, share
from traverse_stream_processors.linking.words import name_of
from traverse_stream_processors.matching.french import last_day as last_day_before
from traverse_stream_processors.matching.lots import Lot, lots_of, topics_of
from traverse_stream_processors.matching.purchases import Purchase, purchase_of, worth_of
from traverse_stream_processors.matching.roles import Seeks, seeks_of, trade_of
from traverse_stream_processors.matching.texts import Texts
from traverse_stream_processors.matching.topics import MOST_TOPICS, Topics, significant

_CODES: Final = 6  # of a record: one with more is about many things
MOST_SHARED: Final = 100
"""Territories of a record that are remembered for others: a call may name thousands, which no other
does, and what is remembered is bounded by its number alone."""

ENDED_STAGES: Final = frozenset(("delivered", "abandoned"))
"""Of projects: nothing comes of them any more."""

_NEVER: Final = "9999-12-31T23:59"
_LABELS: Final = 3
_DESCRIPTION: Final = 300  # characters


class Facts(NamedTuple):
    """A record as matching compares it.

    `audience` is as in linking's features. `owner` is a SIREN, else the folded name; `source_siren`
    is that of the institution that says it. `topics` are
    `themes` and, for a need without codes, those of the nearest codes. `cpv` are the significant
    digits of its codes ("45233140" is "4523314"). `seeks` is what a firm's need looks for; `asks`
    and `offers` say whether it is a side of an answer, `purchase` when it will be bought (None: it
    will not). `until` is the first moment at which it is too late (ISO, UTC, to the minute), or "",
    `last_day` the day that words give for it; `expires` the last day on which it is worth showing,
    or "": `until` is no later. `buyers` are the SIRENs of those who buy by a
    contract together, as it says. `lots` are those of a contract to be let that have not ended.
    """

    id: str
    first_time: str
    kind: str
    subtype: str
    audience: str
    owner: str
    owner_name: str
    owner_kind: str
    source_siren: str
    title: str
    texts: Texts
    cpv: tuple[str, ...]
    themes: tuple[str, ...]
    topics: tuple[str, ...]
    place: tuple[str, ...]
    within: frozenset[str]
    covers: frozenset[str]
    territory: str
    point: tuple[float, float] | None
    start: str
    until: str
    last_day: str
    expires: str
    amount: float | None
    asks: bool
    offers: bool
    seeks: Seeks | None
    purchase: Purchase | None
    buyers: tuple[str, ...]
    lots: tuple[Lot, ...] = ()

    @property
    def speaker(self) -> str:
        """The SIREN that commits this record's owner: its own, or where that is not known that of
        the institution that speaks for it."""
        return self.owner if self.owner.isdigit() else self.source_siren

    @property
    def sides(self) -> frozenset[str]:
        """The SIRENs that may say what this record is to others: its owner's and its source's."""
        return frozenset((self.speaker, self.source_siren))


class Outlook(NamedTuple):
    """What the opportunity of a record says in its place: whether the thing is over, its `deadline`
    as a document has it (None: none), the last day on which it is worth showing, or "", and the
    keys (`lot_key`) of the lots that have ended."""

    over: bool
    deadline: DocumentDeadline | None
    expires: str
    ended_lots: frozenset[str] = frozenset()


class Reader:
    """Reads facts with one model of likeness: one a thread."""

    def __init__(self, model: Model) -> None:
        self.version = model.version
        self._topics = Topics(Vectoriser(model))

    def read(self, state: RecordState, outlook: Outlook | None = None) -> Facts | None:
        """The facts of a record; None when it takes no part: withdrawn, over, or saying nothing.
        `outlook` is that of its opportunity, where it differs from the record's own. Some 15
        microseconds: what words mean is read when it meets another."""
        return _facts(state, outlook, self._topics)


def _facts(state: RecordState, outlook: Outlook | None, topics: Topics) -> Facts | None:
    said, life = state["content"], state["life"]
    if said is None:
        return None
    content: Any = said["content"]
    closed = life is not None and life["state"] != "active"
    if life is not None and life["state"] == "withdrawn":
        return None
    if outlook is not None and outlook.over and not closed:
        return None
    kind, subtype = content["kind"], content["subtype"]
    purchase = purchase_of(content, life)
    asks = kind == "need" and not closed
    offers = kind in ("call", "project") and not closed
    offers = offers and content.get("stage") not in ENDED_STAGES
    if not (asks or offers or purchase):
        return None
    owner = next(one for one in content["institutions"] if one["role"] == "owner")
    title, description = content["title"], content.get("description", "")[:_DESCRIPTION]
    labels = share(content.get("cpv_labels", ())[:_LABELS])
    deadline = outlook.deadline if outlook else content.get("deadline")
    window = content.get("window", {})
    until = deadline["until"][:16] if deadline else ""
    if asks:
        until = _last_moment(window.get("to", "")) or until
    elif kind == "project":
        until = until or _last_moment(window.get("to", ""))
    expires = outlook.expires if outlook else content.get("expires", "")
    last_day = until[:10]
    if deadline and until == deadline["until"][:16]:
        last_day = last_day_before(until, deadline.get("zone", PARIS))
    if expires:
        until = min(until or _NEVER, end_of_french_day(expires).isoformat()[:16])
    location = content.get("location")
    firm = asks and subtype == "business"
    texts = Texts(trade_of(title) if firm else title, description, labels, topics)
    # Each once: a place counts a record under each of its themes, and forgets it under each.
    themes = share(tuple(dict.fromkeys(content["themes"]))[:3])
    codes = content.get("cpv", ())[:_CODES]
    by_topics = topics.of(themes, texts.vector) if not codes and (asks or purchase) else themes
    lots: tuple[Lot, ...] = ()
    if offers and subtype in ("contract", "concession") and "lots" in content:
        lots = lots_of(content, outlook.ended_lots if outlook else frozenset(), topics)
        by_topics = share(topics_of(themes, lots, MOST_TOPICS))
    return Facts(
        id=state["id"],
        first_time=state["first_time"],
        kind=intern(kind),
        subtype=intern(subtype),
        audience=audience_of(content),
        owner=intern(content.get("owner_siren", "")) or name_of(owner["name"]),
        owner_name=intern(owner["name"]),
        owner_kind=intern(content["owner_kind"]),
        source_siren=intern(state["source"][10:19]),
        title=title,
        texts=texts,
        cpv=share(dict.fromkeys(map(significant, codes))),
        themes=themes,
        topics=by_topics,
        place=share(content["place"][:20]),
        within=_place(content["within"]),
        covers=_place(content["covers"]),
        territory=intern(content["territory"]["name"]),
        point=_point(location["lat"], location["lon"]) if location else None,
        start=window.get("from", ""),
        until=until,
        last_day=last_day,
        expires=expires,
        amount=worth_of(content).value if purchase else None,
        asks=asks,
        offers=offers,
        seeks=seeks_of(title, description) if firm else None,
        purchase=purchase,
        buyers=_buyers(content["joint"]) if offers and "joint" in content else (),
        lots=lots,
    )


def _buyers(joint: Any) -> tuple[str, ...]:
    return share((joint["coordinator"], *joint.get("members", ())))


def _place(codes: Sequence[str]) -> frozenset[str]:
    """One set for all records of one place; of one that few can share, one of its own."""
    shared = share(codes)
    return _set_of(shared) if len(shared) <= MOST_SHARED else frozenset(shared)


@lru_cache(maxsize=100_000)
def _set_of(codes: tuple[str, ...]) -> frozenset[str]:
    return frozenset(codes)


@lru_cache(maxsize=50_000)
def _point(lat: float, lon: float) -> tuple[float, float]:
    """One for all records of one place."""
    return (lat, lon)


def _last_moment(day: str) -> str:
    """The end of a day as a moment; "" stays."""
    return f"{day}T23:59" if day else ""
