"""A calendar to be filled (RFC 5545, an iCalendar object), valid while nothing is in it yet.

One without any component is none (3.6), and calendar programs refuse it: what they subscribe to may
have no date today and one tomorrow. So each has a time zone (3.6.5), which shows nowhere.
"""

from typing import Final

from icalendar import Calendar, Component

_PARIS: Final = """BEGIN:VTIMEZONE
TZID:Europe/Paris
BEGIN:DAYLIGHT
TZNAME:CEST
DTSTART:19960331T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZNAME:CET
DTSTART:19961027T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
"""
"""Summer time since 1996 (directive 2000/84/EC, articles 2 and 3)."""


def calendar_object(part: str, name: str) -> Calendar:
    """A calendar of one `part` of Traverse, under the `name` that programs show."""
    calendar = Calendar()
    calendar.add("prodid", f"-//Traverse//{part}//FR")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", name)
    calendar.add_component(Component.from_ical(_PARIS))
    return calendar
