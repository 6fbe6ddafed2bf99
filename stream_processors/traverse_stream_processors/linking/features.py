"""Features: what linking knows of a record, compact and immutable. Pure.

A million of them are held in memory: texts that many records share (owners, places, codes) are
interned, what is only shown stays out.
"""

import re
from functools import lru_cache
from sys import intern
from typing import Any, Final, NamedTuple

from traverse_schemas.log.record_state import RecordState
from traverse_schemas.records.codes import FRAMEWORK
from traverse_stream_processors.linking.words import (
    fold,
    lots_of,
    name_of,
    phases_of,
    without_lot,
    words_of,
    years_of,
)


class Features(NamedTuple):
    """A record as linking compares it. Empty text or tuple, or None, where it says nothing.

    `audience` names who may read it: only equal ones merge. `owner` is a SIREN, `owner_name` the
    folded words of the owner's name. `references` are normalised (`reference_of`). `words` are
    those of the title (words.py), without the lot number, sorted; `lots` and `phases` (stages of an
    operation) the parts that it names. Dates are ISO text: `notified`
    and `start` (of a window) days, `deadline` to the minute (UTC), `first_time` the first event's.
    `place` are the record's own codes, `within` with every level above. `holders` are SIRENs, else
    folded names. `amount` is in euros.
    """

    id: str
    source: str
    kind: str
    subtype: str
    audience: str
    first_time: str
    owner: str
    owner_name: str
    words: tuple[str, ...]
    lots: tuple[str, ...]
    phases: tuple[str, ...]
    years: tuple[int, ...]
    references: tuple[str, ...]
    url: str
    cpv: tuple[str, ...]
    place: tuple[str, ...]
    within: tuple[str, ...]
    amount: float | None
    amount_kind: str
    deadline: str
    notified: str
    start: str
    duration_months: int | None
    holders: tuple[str, ...]

    @property
    def source_siren(self) -> str:
        """The SIREN of the institution that says it."""
        return self.source[10:19]

    @property
    def speakers(self) -> frozenset[str]:
        """The SIRENs that may speak for this record: its owner's and its source's."""
        return frozenset(filter(None, (self.owner, self.source_siren)))


_NOT_REFERENCE: Final = re.compile(r"[^A-Z0-9]+")
_TED_JOURNAL: Final = re.compile(r"((?:19|20)[0-9]{2})/S ?[0-9]{3}-0*([0-9]{1,8})")
# Five digits at least: shorter ones are how buyers number their own ("01-2026", "24-0012").
_TED_NUMBER: Final = re.compile(r"(?=[0-9]{5})0*([0-9]{1,8})-((?:19|20)[0-9]{2})")
_BOAMP: Final = re.compile(r"[0-9]{2}-[0-9]{5,7}")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?:-[0-9]{1,2})?")
GLOBAL: Final = ("TED", "BOAMP", "UUID")
"""How references begin that name one thing whoever its owner is."""

_LONGEST_REFERENCE: Final = 40
_SHARED_LIMIT: Final = 200_000
_shared: dict[tuple[str, ...], tuple[str, ...]] = {}


def features_of(state: RecordState) -> Features | None:
    """The features of a record; None while it says nothing, or once it is withdrawn."""
    said, life = state["content"], state["life"]
    if said is None or (life is not None and life["state"] == "withdrawn"):
        return None
    content: Any = said["content"]
    words, lots, phases, years = _title(content["title"])
    owner = next((one for one in content["institutions"] if one["role"] == "owner"), None)
    amount, amount_kind = _amount(content, life)
    window = content.get("window", {})
    deadline = content.get("deadline")
    holders = (life.get("holders") if life else None) or content.get("holders", ())
    return Features(
        id=state["id"],
        source=intern(state["source"]),
        kind=intern(content["kind"]),
        subtype=intern(content["subtype"]),
        audience=audience_of(content),
        first_time=state["first_time"],
        owner=intern(content.get("owner_siren", "")),
        owner_name=name_of(owner["name"]) if owner else "",
        words=words,
        lots=lots,
        phases=phases,
        years=years,
        references=_references(state, content),
        url=content.get("url", ""),
        cpv=share(content.get("cpv", ())),
        place=share(content["place"]),
        within=share(content["within"]),
        amount=amount,
        amount_kind=intern(amount_kind),
        deadline=intern(deadline["until"][:16]) if deadline else "",
        notified=intern(content.get("notified", "")),
        start=intern(window.get("from", "") or content.get("notified", "")),
        duration_months=content.get("duration_months"),
        holders=_holders(holders),
    )


@lru_cache(maxsize=50_000)
def _title(
    title: str,
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[int, ...]]:
    """What a title says: its words, lots, phases and years. Titles come again: with each change of
    a record, and each year."""
    folded = fold(title)
    words = tuple(sorted(map(intern, words_of(without_lot(folded)))))
    return words, share(lots_of(folded)), share(phases_of(folded)), years_of(folded)


def audience_of(content: Any) -> str:
    """Who may read a record, as one text: `public`, `buyers`, `members`, or the SIRENs."""
    visibility: str = content["visibility"]
    if visibility != "restricted":
        return intern(visibility)
    return intern(f"restricted:{','.join(sorted(set(content.get('audience', ()))))}")


def reference_of(text: str) -> str:
    """A reference in one form; "" when it is too short or too wordy to tell things apart, or
    when it is said to be of the framework agreement that many orders share (`FRAMEWORK`).

    Numbers of TED (`2021/S 005-008441`, `008441-2021`), of BOAMP (`21-12345`) and UUIDs (eForms'
    procedure, BT-04) begin with a word of GLOBAL: they name one thing whoever owns it.
    """
    text = text.strip()
    if text[: len(FRAMEWORK)].lower() == FRAMEWORK:
        return ""
    if match := _TED_JOURNAL.fullmatch(text):
        return f"TED{match[1]}-{match[2]}"
    if match := _TED_NUMBER.fullmatch(text):
        return f"TED{match[2]}-{match[1]}"
    if _BOAMP.fullmatch(text):
        return f"BOAMP{text}"
    if _UUID.fullmatch(text):
        return f"UUID{text[:36].lower()}"
    bare = _NOT_REFERENCE.sub("", text.upper())
    digits = sum(map(str.isdigit, bare))
    if len(bare) < 4 or digits < 3 or len(bare) > _LONGEST_REFERENCE:
        return ""
    return bare


def _references(state: RecordState, content: Any) -> tuple[str, ...]:
    """The record's references: the numbers of GLOBAL first, then its own, since blocking reads the
    first ones only. Its subject is one where the owner itself speaks, or where it is the number of
    a notice; what another system numbers by says nothing to anybody else."""
    found = [reference_of(text) for text in content.get("references", ())[:20]]
    subject = state["subject"]
    if ":" not in subject:  # else a key that an importer made of several things
        own = state["source"][10:19] == content.get("owner_siren")
        reference = reference_of(subject)
        if own or reference.startswith(GLOBAL):
            found.insert(0, reference)
    unique = dict.fromkeys(reference for reference in found if reference)
    return tuple(sorted(unique, key=lambda each: not each.startswith(GLOBAL)))


def _amount(content: Any, life: Any) -> tuple[float | None, str]:
    if life and life.get("amount"):
        return float(life["amount"]["value"]), "awarded"
    amount = content.get("amount")
    if not amount:
        return None, ""
    for one in content.get("amounts", ()):
        if float(one["value"]) == amount:
            return float(amount), one["kind"]
    return float(amount), ""


def _holders(holders: Any) -> tuple[str, ...]:
    found = set()
    for holder in holders[:50]:
        number = holder.get("id", "")
        if number[:9].isdigit() and len(number) >= 9:
            found.add(intern(number[:9]))
        elif name := holder.get("name"):
            found.add(name_of(name))
    return share(tuple(sorted(found)))


def share(texts: Any) -> tuple[str, ...]:
    """One tuple for all records that say the same; within a bound."""
    if not texts:
        return ()
    key = tuple(texts)
    found = _shared.get(key)
    if found is None:
        found = tuple(map(intern, key))
        if len(_shared) < _SHARED_LIMIT:
            _shared[found] = found
    return found
