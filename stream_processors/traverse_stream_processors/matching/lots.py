"""Lots: the parts of a call that a firm may answer for itself. Pure.

Code de la commande publique, art. L.2113-10: a call is let by lots so that those whose trade is one
of them can answer. So a firm is compared with each, up to a bound.
"""

import re
from collections.abc import Iterable, Set
from functools import lru_cache
from sys import intern
from typing import Any, Final, NamedTuple, Protocol

from traverse_schemas.log.identity import utc_text
from traverse_schemas.records.codes import ANSWER_BY, DeadlineKind
from traverse_schemas.reference.cpv import cpv_label
from traverse_schemas.reference.themes import theme_of_cpv, themes_of_text
from traverse_schemas.values.instant import PARIS, Instant
from traverse_stream_processors.linking.ended import lot_key
from traverse_stream_processors.matching.french import last_day, lower_first
from traverse_stream_processors.matching.subject import Alike, Subject, alike_from
from traverse_stream_processors.matching.texts import Texts
from traverse_stream_processors.matching.topics import Topics, significant

MOST_LOTS: Final = 40
"""Lots of a call that are compared, the first of those that it lists."""

_CODES: Final = 6  # of a lot
_NEAREST: Final = 3  # codes by which a lot without one is looked for
_DESCRIPTION: Final = 300  # characters
_LISTED: Final = re.compile(r"^lots?\b[\s°ºn:.-]*[0-9a-z]{1,5}\b\s*[-–—:.)]*\s*(?=\w)", re.I)


class Lot(NamedTuple):
    """A lot as matching compares it: `name` are its number and title in a sentence, `until` and
    `last_day` as in `Facts`, "" where it has no deadline of its own."""

    name: str
    texts: Texts
    cpv: tuple[str, ...]
    themes: tuple[str, ...]
    until: str
    last_day: str


class Seeking(Subject, Protocol):
    """A need: `topics` and `first_time` as in `Facts`."""

    @property
    def topics(self) -> tuple[str, ...]: ...

    @property
    def first_time(self) -> str: ...


def lots_of(content: Any, ended: Set[str], topics: Topics) -> tuple[Lot, ...]:
    """The lots of a call that go on, by its content; `ended` are the keys of those that ended
    whatever this record says. Some 10 microseconds each."""
    found = []
    for said in content.get("lots", ())[:MOST_LOTS]:
        if not said.get("outcome") and lot_key(said["number"]) not in ended:
            lot = _lot(said, tuple(content["themes"][:3]), topics)
            if lot is not None:
                found.append(lot)
    return tuple(found)


def _lot(said: Any, of_call: tuple[str, ...], topics: Topics) -> Lot | None:
    codes = said.get("cpv", ())[:_CODES]
    labels = tuple(label for code in codes if (label := cpv_label(code)))
    title = _LISTED.sub("", said.get("title") or "") or next(iter(labels), "")
    if not title:
        return None
    themes = tuple(dict.fromkeys(theme for code in codes if (theme := theme_of_cpv(code))))
    until, day = _closing(said.get("deadline"))
    return Lot(
        name=f"lot {_number(said['number'])} : {lower_first(title)}",
        texts=Texts(title, (said.get("description") or "")[:_DESCRIPTION], labels, topics),
        cpv=tuple(dict.fromkeys(map(significant, codes))),
        themes=(themes or _themes_of(title) or of_call)[:3],
        until=until,
        last_day=day,
    )


@lru_cache(maxsize=20_000)
def _themes_of(title: str) -> tuple[str, ...]:
    return tuple(map(intern, themes_of_text(title)))


def _number(number: str) -> str:
    """As people say it: `LOT-0002` is 2; what is no number stays as it is written."""
    key = lot_key(number)
    return key if key.isdigit() else number


def _closing(deadline: Any) -> tuple[str, str]:
    if not deadline or deadline.get("kind", DeadlineKind.TENDER) not in ANSWER_BY:
        return "", ""
    zone = deadline.get("zone", PARIS)
    until = utc_text(Instant.parse(deadline["at"], zone).opens_until)[:16]
    return until, last_day(until, zone)


def topics_of(themes: Iterable[str], lots: Iterable[Lot], most: int) -> tuple[str, ...]:
    """The themes under which a call is found: its own, then those of its lots."""
    return tuple(dict.fromkeys((*themes, *(it for lot in lots for it in lot.themes))))[:most]


def codes_of(lots: Iterable[Lot], topic: str) -> list[str]:
    """The codes by which the lots of a theme are told apart, those nearest to its words of a lot
    without any."""
    found: dict[str, None] = {}
    for lot in lots:
        if topic in lot.themes:
            found.update(dict.fromkeys(lot.cpv or lot.texts.codes_of(topic)[:_NEAREST]))
    return list(found)[:MOST_LOTS]


def nearest(need: Seeking, lots: Iterable[Lot], least: float) -> tuple[Lot, Alike] | None:
    """The lot that is most alike a need, of those of its topics that were still open when it was
    first told and are more alike than `least`; the first of such as are alike. A few microseconds
    a lot."""
    best: tuple[Lot, Alike] | None = None
    topics = set(need.topics)
    for lot in lots:
        if topics.isdisjoint(lot.themes):  # would not meet it if it were a call of its own
            continue
        if lot.until and lot.until <= need.first_time[: len(lot.until)]:
            continue
        subject = alike_from(need, lot, least)
        if subject is not None and subject.score > (best[1].score if best else least):
            best, least = (lot, subject), subject.score
    return best


def in_words(lot: Lot, subject: Alike) -> str:
    """Which lot it is, and how near, in French."""
    if subject.depth >= 5 or subject.text >= 0.9:
        how = "même objet"
    else:
        how = "objet voisin" if subject.depth >= 4 else "objet proche"
    return f"{lot.name} ({how})"
