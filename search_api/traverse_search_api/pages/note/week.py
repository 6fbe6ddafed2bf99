"""The week that a note is about: Monday to Sunday (ISO 8601), by the hours of mainland France."""

import re
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple, Self

from traverse_schemas.documents.status import french_day
from traverse_search_api.errors import InvalidParameterError
from traverse_search_api.moments import end_instant
from traverse_search_api.pages import words

_TEXT: Final = re.compile(r"([0-9]{4})-?W([0-9]{1,2})")
_OLDEST: Final = 2000


class Week(NamedTuple):
    """A week by its Monday."""

    monday: date

    @classmethod
    def last_whole(cls, as_of: datetime) -> Self:
        """The last one that is over at an aware instant."""
        return cls.of(french_day(as_of)).before(1)

    @classmethod
    def of(cls, day: date) -> Self:
        """That in which a day lies."""
        return cls(day - timedelta(days=day.weekday()))

    @classmethod
    def read(cls, text: str, as_of: datetime) -> Self:
        """`2026-W10`; "" is the last whole one. Raises InvalidParameterError, also for a week that
        has not begun at `as_of`."""
        text = text.strip()
        if not text:
            return cls.last_whole(as_of)
        match = _TEXT.fullmatch(text.upper())
        try:
            if match is None or int(match[1]) < _OLDEST:
                raise ValueError(text)
            week = cls(date.fromisocalendar(int(match[1]), int(match[2]), 1))
        except ValueError:
            raise InvalidParameterError(
                "semaine", f"« {text[:20]} » n’est pas une semaine : écrivez 2026-W10."
            ) from None
        if week.monday > french_day(as_of):
            raise InvalidParameterError(
                "semaine", "Cette semaine n’a pas encore commencé : choisissez-en une passée."
            )
        return week

    def before(self, weeks: int) -> Self:
        """So many weeks earlier; later, where negative."""
        return type(self)(self.monday - timedelta(weeks=weeks))

    @property
    def sunday(self) -> date:
        """Its last day."""
        return self.monday + timedelta(days=6)

    @property
    def end(self) -> datetime:
        """The first instant after it (UTC)."""
        return end_instant(self.sunday)

    @property
    def code(self) -> str:
        """« 2026-W10 »."""
        year, number, _ = self.monday.isocalendar()
        return f"{year}-W{number:02}"

    @property
    def label(self) -> str:
        """« du 2 au 8 mars 2026 »."""
        first, last = words.day(self.monday), words.day(self.sunday)
        if self.monday.year == self.sunday.year:
            first = first.rpartition(" ")[0]
            if self.monday.month == self.sunday.month:
                first = first.partition("\u00a0")[0]
        return f"du {first} au {last}"
