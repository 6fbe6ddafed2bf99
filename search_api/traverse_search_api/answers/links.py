"""Links: what an opportunity is to others, as it is shown on a day. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final

from traverse_schemas.documents.status import french_day

EXPIRED: Final = "expired"
_STATES: Final = {
    "proposed": "Proposé",
    "confirmed": "Confirmé",
    EXPIRED: "Échu",
    "dismissed": "Écarté",
    "asserted": "Même dossier, selon une institution",
}
FOR_SIDES: Final = frozenset({"dismissed", "asserted"})
"""States of links that only the institutions of the two ends see: one that they dismissed, and that
two records are the same, which one side says and the other not yet."""
_MANY: Final = frozenset({"answers", "joint"})
MOST: Final = 10
"""Links of one of these types, seen from one side: what may still be used before what is over."""

_DAY: Final = 10  # characters of a date


def shown_links(links: list[dict[str, Any]], as_of: datetime) -> list[dict[str, Any]]:
    """The links with their state on a day: what is proposed or confirmed is over once `until` has
    passed. Links that nobody speaks of (`same`, `lot`) have none.

    A document holds the best for any day and any reader; of those that are given, which this reader
    may read, the best of this day are shown (MOST), in their order. All that are `same` and all
    `lot` are: they are parts of it, not proposals."""
    found = [_shown(link, as_of) if "state" in link else link for link in links]
    if len(found) <= MOST:
        return found
    counts: Counter[tuple[str, str, bool]] = Counter()
    kept = set()
    for over in (False, True):
        for at, link in enumerate(found):
            state = link.get("state", "")
            kind = (link["type"], link.get("role", ""), state in FOR_SIDES)
            if (state == EXPIRED) is over and (counts[kind] < MOST or link["type"] not in _MANY):
                counts[kind] += 1
                kept.add(at)
    return [link for at, link in enumerate(found) if at in kept]


def may_answer(links: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of the links that are shown of a need, what may answer it still: neither what is over, nor
    another need that it could answer itself."""
    return [
        link
        for link in links
        if link["type"] == "answers"
        and link.get("role") != "offer"
        and link.get("state") not in (EXPIRED, *FOR_SIDES)
    ]


def _shown(link: dict[str, Any], as_of: datetime) -> dict[str, Any]:
    over = link["state"] not in FOR_SIDES and _is_over(link.get("until", ""), as_of)
    state = EXPIRED if over else link["state"]
    return {**link, "state": state, "state_label": _STATES.get(state, state)}


def _is_over(until: str, as_of: datetime) -> bool:
    """`until` is a day that counts whole, or the first moment (UTC) at which it is too late."""
    if not until:
        return False
    if len(until) == _DAY:
        return date.fromisoformat(until) < french_day(as_of)
    return datetime.fromisoformat(f"{until}:00+00:00") <= as_of
