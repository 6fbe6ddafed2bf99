"""The one injected clock: everything that depends on the date asks it, and tests set it."""

from datetime import UTC, date, datetime, time
from typing import Protocol

from traverse_schemas.errors import TraverseError


class InvalidClockError(TraverseError, ValueError):
    """The date to judge from (`as_of`) cannot be read."""


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The machine's present instant, in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still: for tests, and for a demonstration on old data."""

    def __init__(self, at: datetime) -> None:
        """Stand at `at`, which must be aware; raises InvalidClockError when it is not."""
        if at.utcoffset() is None:
            raise InvalidClockError(f"La date {at.isoformat()} n’a pas de fuseau : ajoutez Z.")
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        """Always the same instant, in UTC."""
        return self._at


def clock_from(as_of: str | None) -> Clock:
    """The clock that a setting or a request asks for: the system's when `as_of` is None or "".

    `as_of` is a date (taken at noon UTC, when all of mainland France has that date) or an ISO 8601
    date-time (UTC when it has no offset). Raises InvalidClockError when it is neither.
    """
    text = (as_of or "").strip()
    if not text:
        return SystemClock()
    try:
        if len(text) == 10:
            at = datetime.combine(date.fromisoformat(text), time(12), UTC)
        else:
            at = datetime.fromisoformat(text)
        if not 1900 <= at.year <= 2200:  # beyond, nobody means it and zones do not compute
            raise ValueError(at)
    except ValueError:
        raise InvalidClockError(
            f"« {text[:40]} » n’est pas une date : écrivez 2023-05-31 ou 2023-05-31T12:00:00Z."
        ) from None
    return FixedClock(at if at.tzinfo else at.replace(tzinfo=UTC))
