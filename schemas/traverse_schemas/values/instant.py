"""Instants as notices give them: a date-time or a bare date, in a zone that may be overseas.

Deadlines have an hour and a zone, the buyer's, not always that of Paris. A bare date leaves the
thing open until that day ends.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

PARIS = "Europe/Paris"

# IANA time zone database, zone1970.tab; the legal hours are those of décret n° 2017-292.
_ZONES = {
    "971": "America/Guadeloupe",
    "972": "America/Martinique",
    "973": "America/Cayenne",
    "974": "Indian/Reunion",
    "975": "America/Miquelon",
    "976": "Indian/Mayotte",
    "977": "America/St_Barthelemy",
    "978": "America/Marigot",
    "984": "Indian/Kerguelen",
    "986": "Pacific/Wallis",
    "987": "Pacific/Tahiti",
    "988": "Pacific/Noumea",
    "989": "Etc/GMT+8",
}

OVERSEAS: Final = tuple(_ZONES.values())
"""The zones of France overseas."""

Precision = Literal["instant", "minute", "day"]

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII).fullmatch
_DATE_WITH_OFFSET = re.compile(r"(\d{4}-\d{2}-\d{2})(?:Z|[+-]\d{2}:\d{2})", re.ASCII).fullmatch
_MINUTE = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::00(?:\.0+)?)?(?:Z|[+-]\d{2}:?\d{2})?"
).fullmatch


def zone_of_department(code: str | None) -> str:
    """The IANA zone of a département's local hour: `"974"` -> `"Indian/Reunion"`.

    Takes a département code or any INSEE or postal code that begins with one; mainland France,
    Corsica, None and unknown codes give `"Europe/Paris"`.
    """
    return _ZONES.get(code[:3], PARIS) if code else PARIS


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise PydanticCustomError(
            "zone",
            "« {value} » n’est pas un fuseau horaire : donnez un nom IANA, Europe/Paris "
            "ou Indian/Reunion par exemple.",
            {"value": name[:40]},
        ) from None


class Instant(BaseModel):
    """An instant with the zone in which people read it, and how precisely it is known.

    `at` is aware; for precision `day` it is the beginning of that day in `zone`. From JSON it is
    this object, or a mere text (see `parse`), read in the zone of Paris when it has no offset.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: datetime = Field(description="The instant, with its offset.")
    zone: str = Field(
        default=PARIS,
        description="The buyer's time zone, by its IANA name.",
        examples=[PARIS, "Indian/Reunion"],
    )
    precision: Precision = Field(
        default="minute",
        description="`day`: a date without an hour, open until the day ends; `minute`: the hour is "
        "known; `instant`: a timestamp of a machine.",
    )

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        if isinstance(value, str):
            return _parts(value, PARIS)
        if isinstance(value, dict) and isinstance(value.get("at"), str):
            zone = value.get("zone", PARIS)
            if isinstance(zone, str):
                parts = _parts(value["at"], zone)
                # A full timestamp may stand for a day that is known without its hour.
                if value.get("precision") is not None:
                    parts["precision"] = value["precision"]
                return {**value, **parts}
        return value

    @model_validator(mode="after")
    def _check(self) -> "Instant":
        zone = _zone(self.zone)
        if self.at.utcoffset() is None:
            raise PydanticCustomError(
                "instant_naive",
                "La date n’a pas de décalage horaire : ajoutez Z, +02:00, ou le fuseau (zone).",
            )
        local = self.at.astimezone(zone)
        if self.precision == "day":
            local = datetime.combine(local.date(), time(), zone)
        # Frozen for everybody else: what is stored has one form, so equal instants are equal.
        object.__setattr__(self, "at", local)
        return self

    @classmethod
    def parse(cls, text: str, zone: str = PARIS) -> "Instant":
        """`2026-03-12T12:00+01:00`, `2026-03-12T12:00` or `2026-03-12` (ISO 8601) as an instant.

        A date-time without an offset is in `zone` (IANA name); an offset that is written counts,
        and `zone` is then the one to show it in. A bare date has precision `day`; the offset that
        XML dates carry (`2026-03-12+01:00`) is dropped. In the hour that occurs twice in autumn,
        the first is meant. Raises ValueError (a PydanticCustomError) with the French sentence.
        """
        return cls.model_validate(_parts(text, zone))

    @property
    def end(self) -> datetime:
        """The end of the day for precision `day` (the next local midnight), else `at`; aware."""
        if self.precision != "day":
            return self.at
        zone = _zone(self.zone)
        local = self.at.astimezone(zone)
        return datetime.combine(local.date() + timedelta(days=1), time(), zone)

    @property
    def opens_until(self) -> datetime:
        """The instant, in UTC, from which the thing is no longer open: `end`, in UTC."""
        return self.end.astimezone(UTC)


def _parts(text: str, zone: str) -> dict[str, Any]:
    """The three fields of an Instant, from its text and a zone's name."""
    info = _zone(zone)
    text = text.strip()
    try:
        day = text if _DATE(text) else None
        if day is None and (found := _DATE_WITH_OFFSET(text)):
            day = found[1]
        if day is not None:
            at = datetime.combine(date.fromisoformat(day), time(), info)
            _in_range(at)
            return {"at": at, "zone": zone, "precision": "day"}
        at = datetime.fromisoformat(text)
        if at.utcoffset() is None:
            at = at.replace(tzinfo=info)
        _in_range(at)
    except (ValueError, OverflowError):
        raise PydanticCustomError(
            "instant",
            "« {value} » n’est pas une date : écrivez 2026-03-12T12:00+01:00, ou 2026-03-12 "
            "si l’heure n’est pas connue.",
            {"value": text[:40]},
        ) from None
    return {"at": at, "zone": zone, "precision": "minute" if _MINUTE(text) else "instant"}


def _in_range(at: datetime) -> None:
    # Years 1900-2200: outside, a conversion between zones can overflow, and a year such as 0201
    # is a typing mistake that would stay open or closed for ever.
    if not 1900 <= at.year <= 2200:
        raise ValueError
