"""Deadlines as the buyer's own clock shows them. Pure."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from traverse_schemas.log.identity import utc_text
from traverse_schemas.records.codes import DeadlineKind
from traverse_schemas.values.instant import OVERSEAS, Instant
from traverse_search_api.filters.status_query import index_text
from traverse_search_api.moments import end_instant, first_instant

PARIS: Final = ZoneInfo("Europe/Paris")

KIND_LABELS: Final[dict[str, str]] = {
    DeadlineKind.TENDER: "Remise des offres",
    DeadlineKind.APPLICATION: "Remise des candidatures ou des dossiers",
    DeadlineKind.QUESTION: "Questions",
    DeadlineKind.DECISION: "Décision attendue",
}


def deadlines_of(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every deadline of a document, the earliest first, each as its `deadline` is (`until`, `kind`,
    `zone`, `precision`) and as it was told (`at`): that one is the last to answer by, there may be
    others before."""
    last = document.get("deadline")
    found = [told_deadline(one) for one in document.get("deadlines", ())]
    if last and not any(is_same(one, last) for one in found):
        found.append(last)  # that of a lot, or of a document of before
    return sorted(found, key=lambda one: str(one["until"]))


def told_deadline(said: Mapping[str, Any]) -> dict[str, Any]:
    """A deadline of an accepted record (`kind`, `at`, `zone`) as those of documents are."""
    instant = Instant.parse(said["at"], said.get("zone", PARIS.key))
    return {
        "at": said["at"],
        "until": utc_text(instant.opens_until),
        "kind": str(said.get("kind", DeadlineKind.TENDER)),
        "zone": instant.zone,
        "precision": instant.precision,
    }


def is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two are the same instant for the same thing."""
    return (one["until"], one["kind"]) == (other["until"], other["kind"])


def zone_of(deadline: Mapping[str, Any]) -> ZoneInfo:
    """The buyer's zone; that of Paris where none is told, or none that this machine knows."""
    try:
        return ZoneInfo(deadline.get("zone") or PARIS.key)
    except (ZoneInfoNotFoundError, ValueError):
        return PARIS


def is_bare(deadline: Mapping[str, Any]) -> bool:
    """Whether the day alone is known: its hour is to be checked."""
    return bool(deadline.get("precision") == "day")


def local_end(deadline: Mapping[str, Any]) -> datetime:
    """The deadline in the buyer's zone. Of a bare day, whose `until` is the first instant of the
    next one wherever the buyer is, the day's last second."""
    until = datetime.fromisoformat(deadline["until"])
    last = until - timedelta(seconds=1) if is_bare(deadline) else until
    return last.astimezone(zone_of(deadline))


def deadline_text(deadline: dict[str, Any] | None) -> str:
    """`12/03/2026 12:00` in the buyer's zone; a bare date says that its hour is to be checked."""
    if not deadline:
        return "—"
    end = local_end(deadline)
    if is_bare(deadline):
        return f"{end:%d/%m/%Y} (heure à vérifier)"
    return f"{end:%d/%m/%Y %H:%M}"


def deadline_query(first: date | datetime | None, last: date | datetime | None) -> dict[str, Any]:
    """Deadlines from a day or an instant to another, both included.

    A day is that of the deadline's own zone: what closes on the 12th in Nouméa closes on the 12th,
    though it is the 11th in Paris when that day begins. A bare day ends at the next midnight, which
    is of the day before.
    """

    def between(zone: ZoneInfo) -> tuple[tuple[str, str], ...]:
        low, high = "gte" if isinstance(first, datetime) else "gt", "lte"
        bounds = []
        if first is not None:
            bounds.append((low, index_text(first_instant(first, zone))))
        if last is not None:
            bounds.append((high, index_text(end_instant(last, zone))))
        return tuple(bounds)

    home = between(PARIS)
    away: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for zone in OVERSEAS:
        away.setdefault(between(ZoneInfo(zone)), []).append(zone)
    away.pop(home, None)
    in_paris = {"range": {"deadline.until": dict(home)}}
    if not away:
        return in_paris
    others = [zone for zones in away.values() for zone in zones]
    return {
        "bool": {
            "should": [
                {"bool": {"filter": [in_paris], "must_not": [_of_zones(others)]}},
                *(
                    {
                        "bool": {
                            "filter": [{"range": {"deadline.until": dict(bounds)}}, _of_zones(z)]
                        }
                    }
                    for bounds, z in away.items()
                ),
            ]
        }
    }


def _of_zones(zones: list[str]) -> dict[str, Any]:
    return {"terms": {"deadline.zone": zones}}
