"""Links: what an opportunity is to others, as it is shown on a day. Pure."""

from datetime import date, datetime
from typing import Any, Final

from traverse_schemas.status import french_day

_STATES: Final = {
    "proposed": "Proposé",
    "confirmed": "Confirmé",
    "expired": "Échu",
    "dismissed": "Écarté",
    "asserted": "Même dossier, selon une institution",
}
FOR_SIDES: Final = frozenset({"dismissed", "asserted"})
"""States of links that only the institutions of the two ends see: one that they dismissed, and that
two records are the same, which one side says and the other not yet."""
_DAY: Final = 10  # characters of a date


def shown_links(links: list[dict[str, Any]], as_of: datetime) -> list[dict[str, Any]]:
    """The links with their state on a day: what is proposed or confirmed is over once `until` has
    passed. Links that nobody speaks of (`same`, `lot`) have none."""
    return [_shown(link, as_of) if "state" in link else link for link in links]


def _shown(link: dict[str, Any], as_of: datetime) -> dict[str, Any]:
    over = link["state"] not in FOR_SIDES and _is_over(link.get("until", ""), as_of)
    state = "expired" if over else link["state"]
    return {**link, "state": state, "state_label": _STATES.get(state, state)}


def _is_over(until: str, as_of: datetime) -> bool:
    """`until` is a day that counts whole, or the first moment (UTC) at which it is too late."""
    if not until:
        return False
    if len(until) == _DAY:
        return date.fromisoformat(until) < french_day(as_of)
    return datetime.fromisoformat(f"{until}:00+00:00") <= as_of
