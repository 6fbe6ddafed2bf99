"""Times in the words of a search: `clôture cette semaine`, `échéance 2027`, `avant le 12/03/2027`.

A year or a week alone is not one: "2027" may be a name of works. It takes a word that says which
date is meant.
"""

import re
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from traverse_schemas.status import french_day
from traverse_search_api.moments import YEARS, end_instant, first_instant
from traverse_search_api.status_query import index_text

Query = dict[str, Any]

_CLOSES: Final = re.compile(
    r"^(?:date )?(?:limite|cloture|cloturant|cloturent|ferme|remise des offres|echeance|echeances"
    r"|fin|finit|se termine|expire) "
    r"(?:de |du |d |des |en |le |la |au |pour |dans |reponse |depot )*(?P<when>.+)$"
)
_ENDS: Final = ("echeance", "echeances", "fin", "finit", "se termine", "expire")
_MONTH_NAMES: Final = """
    janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre
"""
_MONTHS: Final = _MONTH_NAMES.split()
_DAY: Final = re.compile(r"^(?P<before>avant )?(?:le )?(\d{1,2}) (\d{1,2}) (\d{4})$")
_MONTH: Final = re.compile(rf"^({'|'.join(_MONTHS)})(?: (\d{{4}}))?$")
_YEAR: Final = re.compile(r"^(?:annee )?((?:19|20)\d{2})$")


class Time(NamedTuple):
    """The parameter that would say it, in words, and the query."""

    parameter: str
    value: str
    label: str
    query: Query


def time_words(folded: str, as_of: datetime) -> Time | None:
    """What exactly these words (`names.fold_name`) say of a time, or None. Weeks begin on Monday
    (ISO 8601)."""
    said = _CLOSES.match(folded)
    if said is None:
        return None
    days = _days(said["when"], french_day(as_of))
    if days is None:
        return None
    first, last = days
    label = f"échéance du {first:%d/%m/%Y} au {last:%d/%m/%Y}"
    deadline = {
        "gt": index_text(first_instant(first)),
        "lte": index_text(end_instant(last)),
    }
    query: Query = {"range": {"deadline.until": deadline}}
    if said.string.startswith(_ENDS):
        # The end of a contract is a day on which somebody may have to buy anew.
        ends = {"range": {"end_max": {"gte": first.isoformat(), "lte": last.isoformat()}}}
        query = {"bool": {"should": [query, ends]}}
    return Time(
        "deadline_from,deadline_to", f"{first.isoformat()},{last.isoformat()}", label, query
    )


def _days(when: str, today: date) -> tuple[date, date] | None:
    monday = today - timedelta(days=today.weekday())
    match when:
        case "aujourd hui" | "ce jour":
            return today, today
        case "demain":
            return today + timedelta(days=1), today + timedelta(days=1)
        case "cette semaine":
            return monday, monday + timedelta(days=6)
        case "semaine prochaine":
            return monday + timedelta(days=7), monday + timedelta(days=13)
        case "ce mois" | "ce mois ci":
            return _month(today.year, today.month)
        case "mois prochain":
            following = today.replace(day=1) + timedelta(days=32)
            return _month(following.year, following.month)
        case "cette annee":
            return date(today.year, 1, 1), date(today.year, 12, 31)
    if found := _YEAR.match(when):
        return date(int(found[1]), 1, 1), date(int(found[1]), 12, 31)
    if found := _MONTH.match(when):
        month = _MONTHS.index(found[1]) + 1
        return _month(int(found[2]) if found[2] else today.year, month)
    if found := _DAY.match(when):
        try:
            day = date(int(found[4]), int(found[3]), int(found[2]))
        except ValueError:
            return None
        if day.year not in YEARS:
            return None
        return (min(today, day), day) if found["before"] else (day, day)
    return None


def _month(year: int, month: int) -> tuple[date, date]:
    year = year if year in YEARS else YEARS[-1]
    first = date(year, month, 1)
    following = (first + timedelta(days=32)).replace(day=1)
    return first, following - timedelta(days=1)
