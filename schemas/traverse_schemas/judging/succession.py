"""What comes after a version of a type of event, since when, and how long the old one is taken.

Publishers upgrade when they can: a version is accepted for at least twelve months after its
successor is there, and what was accepted can be read for ever (decision 5). Pure.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final

LEAST_MONTHS: Final = 12
"""For so long a version is accepted after its successor (docs/contract.md)."""


@dataclass(frozen=True, slots=True)
class Succession:
    """The end of a version of a type.

    `by` is the type that takes its place since `since`; `until` is the first day (from midnight
    UTC) on which what the broker receives in the old version is rejected. `modernise` makes of the
    data of an event of the old version, as JSON and valid, those of its successor. Raises
    ValueError for a version that would be ended too soon.
    """

    by: str
    since: date
    until: date
    modernise: Callable[[dict[str, Any]], dict[str, Any]]

    def __post_init__(self) -> None:
        years, month = divmod(self.since.month - 1 + LEAST_MONTHS, 12)
        least = (self.since.year + years, month + 1, self.since.day)
        if (self.until.year, self.until.month, self.until.day) < least:
            raise ValueError(f"a version is accepted for {LEAST_MONTHS} months after {self.by}")

    @property
    def deprecated_at(self) -> datetime:
        """The instant from which publishers should use the successor."""
        return datetime.combine(self.since, time(), UTC)

    @property
    def ends_at(self) -> datetime:
        """The instant from which the old version is rejected."""
        return datetime.combine(self.until, time(), UTC)

    def warning(self, name: str) -> str:
        """What a publisher reads who sends the old version, `name`."""
        return (
            f"Le type {name} est remplacé par {self.by} depuis le {self.since:%d/%m/%Y}, et sera "
            f"refusé à partir du {self.until:%d/%m/%Y} : passez à {self.by} (GET /v1/schemas)."
        )

    def refusal(self, name: str) -> str:
        """What a publisher reads once the old version is rejected."""
        return (
            f"Le type {name} n'est plus accepté depuis le {self.until:%d/%m/%Y} : publiez en "
            f"{self.by} (GET /v1/schemas)."
        )
