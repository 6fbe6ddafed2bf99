"""When an event of a calendar takes place, between two days (RFC 5545). Pure.

Rules are worked out by the clock of their own zone: what is at nine stays at nine in summer. What
repeats by the hour or finer is no permanence, and is refused: it would cost without end.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice, product
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from icalendar import Event

_PARIS: Final = ZoneInfo("Europe/Paris")
_STEPS: Final = {"DAILY": 1, "WEEKLY": 7}
_FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_PARTS: Final = frozenset(
    {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "WKST", "BYSETPOS", "BYMONTH", "BYMONTHDAY"}
)
_DAY: Final = re.compile(r"([+-]?[1-5])?(?:MO|TU|WE|TH|FR|SA|SU)")
_LENGTHS: Final = {month: monthrange(2024, month)[1] for month in range(1, 13)}
_MOST_COUNTED: Final = 1_000
_MOST: Final = 200
"""Times of one event between two days."""

_FIRST_YEAR: Final = 2000

FAULTS: Final = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError)
"""What working out an event's times raises of one that makes no sense: a part that is missing or
there twice, a moment before the year 1 or after 9999 by the clock of its zone."""


class UnreadableRuleError(ValueError):
    """A rule that is not worked out."""


class Occurrence(NamedTuple):
    """One time: aware instants; `whole_days` where the calendar names days only. `end` is None
    where it says none."""

    start: datetime
    end: datetime | None
    whole_days: bool


def occurrences(event: Event, first: datetime, last: datetime) -> list[Occurrence]:
    """The times of an event that are not over at `first` and begin before `last` (aware), the
    earliest first. Raises one of FAULTS; of them UnreadableRuleError for its rule."""
    begins = event.start
    length = _length(event)
    longest = length or timedelta()
    zone = _zone(begins)
    local = _local(begins, zone)
    left = {_local(day, zone) for day in event.exdates}
    low, high = _local(first, zone) - longest, _local(last, zone)
    times = {local} | {_local(_beginning(one), zone) for one in event.rdates}
    for rule in event.rrules:
        times |= set(_repeated(dict(rule), local, zone, low, high))
    whole = not isinstance(begins, datetime)
    found = []
    for at in sorted(times - left):
        start = at.replace(tzinfo=zone)
        end = start + length if length else None
        if (end or start) > first and start < last:
            found.append(Occurrence(start, end, whole))
    return found[:_MOST]


def recurrence_of(event: Event) -> datetime | None:
    """Which time of a repeated event this one stands for (RECURRENCE-ID), None for none. Raises
    one of FAULTS."""
    named = event.get("RECURRENCE-ID")
    if named is None:
        return None
    return _local(named.dt, _zone(event.start)).replace(tzinfo=_zone(event.start))


def bare(event: Event) -> Event:
    """The same times, in an event that holds nothing else: by a zone that everybody knows, without
    words, people or parts that are not read here. Raises one of FAULTS."""
    begins, made = event.start, Event()
    zone = _zone(begins)

    def moved(moment: date | datetime) -> date | datetime:
        if not isinstance(moment, datetime):
            return moment
        return _local(moment, zone).replace(tzinfo=zone)

    made.add("dtstart", moved(begins))
    if (length := _length(event)) is not None:
        made.add("dtend", moved(begins) + length)
    for rule in event.rrules:
        made.add("rrule", {name: value for name, value in rule.items() if name in _PARTS})
    for day in event.exdates:
        made.add("exdate", [moved(day)])
    for one in event.rdates:
        made.add("rdate", [moved(_beginning(one))])
    if (named := event.get("RECURRENCE-ID")) is not None:
        made.add("recurrence-id", moved(named.dt))
    return made


def _repeated(
    rule: dict[str, Any], begins: datetime, zone: ZoneInfo, low: datetime, high: datetime
) -> Iterator[datetime]:
    frequency = str(rule.get("FREQ", [""])[0])
    if frequency not in _FREQUENCIES or not rule.keys() <= _PARTS:
        raise UnreadableRuleError(frequency)
    if begins.year < _FIRST_YEAR or begins > high:
        return
    interval = int(rule.get("INTERVAL", [1])[0])
    counted = int(rule.get("COUNT", [0])[0])
    if interval < 1 or counted > _MOST_COUNTED or not _comes_up(frequency, interval, rule):
        raise UnreadableRuleError(f"{interval} {counted}")
    end = high
    if "UNTIL" in rule:
        end = min(end, _local(rule["UNTIL"][0], zone, last=True))
    if not counted and frequency in _STEPS:
        # Whole turns of the rule change nothing of it: begin near what is asked for.
        turn = timedelta(days=_STEPS[frequency] * interval)
        begins += max(0, (low - begins) // turn - 1) * turn
    parts = [f"FREQ={frequency}", f"INTERVAL={interval}"]
    parts += [f"COUNT={counted}"] if counted else [f"UNTIL={end:%Y%m%dT%H%M%S}"]
    for name in ("BYDAY", "WKST", "BYSETPOS", "BYMONTH", "BYMONTHDAY"):
        if name in rule:
            parts.append(f"{name}={','.join(str(value) for value in rule[name])}")
    try:
        times = rrulestr(";".join(parts), dtstart=begins)
        for at in islice(times, _MOST_COUNTED + _MOST):
            if at > end:
                return
            if at >= low:
                yield at
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise UnreadableRuleError(type(error).__name__) from error


def _comes_up(frequency: str, interval: int, rule: dict[str, Any]) -> bool:
    """Whether the parts of a rule are sure to meet: one that never does (the 31st of February, a
    Monday every seven days from a Tuesday) would be looked for to the end of the calendar."""
    days = [_DAY.fullmatch(str(day)) for day in rule.get("BYDAY", ())]
    if any(day is None for day in days):
        return False
    numbered = any(day is not None and day[1] for day in days)
    months, month_days = rule.get("BYMONTH", ()), rule.get("BYMONTHDAY", ())
    picked = [int(one) for one in rule.get("BYSETPOS", ())]
    if frequency in _STEPS:
        plain = interval == 1 or frequency == "WEEKLY" or not (days or months)
        return plain and not (numbered or month_days or picked)
    if frequency == "MONTHLY" and interval > 1 and months:
        return False
    if numbered and (month_days or picked):
        return False
    if picked and (not days or month_days or any(not 1 <= abs(one) <= 4 for one in picked)):
        return False
    pairs = product(months or range(1, 13), month_days or (1,))
    return any(1 <= abs(int(day)) <= _LENGTHS.get(int(month), 0) for month, day in pairs)


def _length(event: Event) -> timedelta | None:
    """How long it lasts, None where the calendar does not say."""
    if event.get("DTEND") is None and event.get("DURATION") is None:
        whole = not isinstance(event.start, datetime)
        return timedelta(days=1) if whole else None
    zone = _zone(event.start)
    length = _local(event.end, zone) - _local(event.start, zone)
    return length if length > timedelta() else None


def _beginning(moment: Any) -> date | datetime:
    """Of a period, its beginning."""
    begins: date | datetime = moment[0] if isinstance(moment, tuple) else moment
    return begins


def _zone(moment: date | datetime) -> ZoneInfo:
    """The zone that a moment is written in; that of mainland France where it names none."""
    zone = moment.tzinfo if isinstance(moment, datetime) else None
    return zone if isinstance(zone, ZoneInfo) else _PARIS


def _local(moment: date | datetime, zone: ZoneInfo, *, last: bool = False) -> datetime:
    """By the clock of a zone, without saying so; a day from its first instant, or to its last."""
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time(23, 59, 59) if last else time())
    return (moment.astimezone(zone) if moment.tzinfo else moment).replace(tzinfo=None)
