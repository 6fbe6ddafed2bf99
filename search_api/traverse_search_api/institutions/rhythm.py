"""The usual rhythm of a source, and when it has gone silent. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any, Final

Query = dict[str, Any]

_HISTORY: Final = timedelta(days=400)
_SILENT_AFTER: Final = 3  # usual gaps
PATIENCE: Final = timedelta(days=7)
"""A source that speaks every day may rest over a long week-end without being called silent."""


def rhythm_aggregations(as_of: datetime) -> Query:
    """What to ask of each source's documents: its last word, and on which days it spoke."""
    since = (as_of - _HISTORY).date().isoformat()
    days = {
        "field": "sources.updated_at",
        "calendar_interval": "day",
        "min_doc_count": 1,
    }
    return {
        "last": {"max": {"field": "sources.updated_at"}},
        "lately": {
            "filter": {"range": {"sources.updated_at": {"gte": since}}},
            "aggs": {"days": {"date_histogram": days}},
        },
    }


def days_of(bucket: Mapping[str, Any]) -> list[datetime]:
    """The days on which a source spoke, by the answer."""
    return [
        datetime.fromtimestamp(day["key"] / 1000, UTC)
        for day in bucket["lately"]["days"]["buckets"]
    ]


def last_of(bucket: Mapping[str, Any]) -> datetime:
    """When a source spoke last, by the answer."""
    return datetime.fromtimestamp(bucket["last"]["value"] / 1000, UTC)


def spoken(documents: Iterable[Mapping[str, Any]], source: str) -> list[datetime]:
    """When a source said what these documents hold of it. Exact where the answer of the
    aggregations is not: in a document of several sources those take each one's times for all's."""
    return [
        datetime.fromisoformat(one["updated_at"])
        for document in documents
        for one in document["sources"]
        if one["source"] == source
    ]


def rhythm_from(times: Iterable[datetime], as_of: datetime) -> tuple[datetime, timedelta | None]:
    """A source's last word and its usual gap, by when it spoke (once at least)."""
    known = list(times)
    since = as_of - _HISTORY
    days = {at.astimezone(UTC).date() for at in known if at >= since}
    return max(known), usual_gap([datetime(d.year, d.month, d.day, tzinfo=UTC) for d in days])


def rhythm_of(bucket: Mapping[str, Any]) -> tuple[datetime, timedelta | None]:
    """A source's last word and its usual gap, by the answer."""
    return last_of(bucket), usual_gap(days_of(bucket))


def usual_gap(days: Sequence[datetime]) -> timedelta | None:
    """The usual time between two days on which a source spoke (the median); None when it has
    spoken on fewer than four: that is no rhythm yet."""
    if len(days) < 4:
        return None
    ordered = sorted(days)
    gaps = [(after - before).days for before, after in pairwise(ordered)]
    return timedelta(days=median(gaps))


def is_silent(last: datetime, gap: timedelta | None, as_of: datetime) -> bool:
    """Whether a source has said nothing for three times its usual gap, and a week at least."""
    return gap is not None and as_of - last > max(_SILENT_AFTER * gap, PATIENCE)


def rhythm_words(gap: timedelta | None) -> str:
    """« tous les 3 jours »."""
    if gap is None:
        return "pas encore de rythme"
    days = max(1, round(gap.days))
    return "chaque jour" if days == 1 else f"tous les {days} jours"
