"""Deadlines as the buyer's own clock shows them. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

PARIS: Final = ZoneInfo("Europe/Paris")


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
