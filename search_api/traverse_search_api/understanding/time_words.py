"""Times in the words of a search: `clôture cette semaine`, `échéance 2027`, `avant fin juin`.

A year or a week alone is not one: "2027" may be a name of works. It takes a word that says which
date is meant, or "avant" before a day or a month; "livraison fin juin" says nothing of a deadline.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from traverse_schemas.documents.status import french_day
from traverse_search_api.deadlines import deadline_query
from traverse_search_api.moments import YEARS

Query = dict[str, Any]

_CLOSES: Final = re.compile(
    r"^(?P<what>(?:date )?limite(?: de)?(?: remise| reponse| depot| candidature| reception)?"
    r"(?: des? (?:offres|plis|candidatures|dossiers|reponses))?"
    r"|(?:date de )?cloture|cloturant|cloturent|clot"
    # A farm, and the firm part of a contract, have years and months too.
    r"|ferme(?= (?:le|la|avant|dans|sous|ce|cette|demain|aujourd)\b)"
    r"(?! (?:(?:avant|le|la|dans|l|annee|fin|debut) )*\d{4}$)"
    r"|(?:remise|reception|depot) des (?:offres|plis|candidatures|dossiers)"
    r"|(?:date d )?echeances?|expire|finit|se termine"
    r"|fin (?:de |du |des |d )?(?:contrats?|marches?|echeance)|contrats?(?= (?:fin|jusqu)))"
    r"(?: (?:de|du|d(?! ici)|des|en|le|la|l|au(?! plus)|pour|contrats?|marches?|reponse|depot"
    r"|dans(?! (?:les |la |le )?(?:\d|un|une|deux|trois|huit|quinze) )))*"
    r" (?P<when>.+)$"
)
_FIRST: Final = frozenset(
    {"date", "limite", "cloture", "cloturant", "cloturent", "clot", "ferme", "remise", "reception",
     "depot", "echeance", "echeances", "expire", "finit", "se", "fin", "contrat", "contrats",
     "avant", "jusqu", "d", "au"}
)  # fmt: skip
"""The words with which a time begins."""
_MOST_WORDS: Final = 12

_ENDS: Final = ("echeance", "date d echeance", "fin", "contrat", "expire", "se termine")
_UNTIL: Final = re.compile(r"^(?:avant|jusqu a[ux]?|d ici|au plus tard)(?: (?:le|la|l|a))? (.+)$")
_SINCE: Final = re.compile(r"^(?:apres|a partir d[eu]|a compter d[eu])(?: (?:le|la|l))? (.+)$")
_WITHIN: Final = re.compile(
    r"^(?:sous|dans|d ici)(?: (?:les|la|le))? (\d{1,3}|un|une|deux|trois|quinze|huit)"
    r" (?:prochains? )?(jours?|semaines?|mois)$"
)
_NUMBERS: Final = {"un": 1, "une": 1, "deux": 2, "trois": 3, "huit": 8, "quinze": 15}
_DAYS_OF: Final = {"jour": 1, "semaine": 7, "moi": 30}
_MONTH_NAMES: Final = """
    janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre
"""
_MONTHS: Final = _MONTH_NAMES.split()
_NAMES: Final = "|".join(_MONTHS)
_DAY: Final = re.compile(r"^(\d{1,2}) (\d{1,2}) (\d{4}|\d{2})$")
_ISO_DAY: Final = re.compile(r"^(\d{4}) (\d{2}) (\d{2})$")
_DAY_OF_MONTH: Final = re.compile(rf"^(1er|\d{{1,2}}) ({_NAMES})(?: (\d{{4}}))?$")
_MONTH: Final = re.compile(
    rf"^(?:(?P<part>debut|mi|fin)(?: (?:du mois )?(?:de|d))? )?(?P<month>{_NAMES})(?: (\d{{4}}))?$"
)
_YEAR: Final = re.compile(r"^(?:(?P<part>debut|fin) )?(?:l )?(?:annee )?((?:19|20)\d{2})$")
# What happens at a time without being the time to answer.
_ELSEWHERE: Final = frozenset(
    {"livraison", "livraisons", "livrer", "reception", "achevement", "travaux", "demarrage",
     "ouverture", "mise", "service", "construit", "construits", "construite", "bati", "batiments"}
)  # fmt: skip

# A firm part and a firm price close nothing.
_FIRM: Final = frozenset({"tranche", "tranches", "prix"})

Period = tuple[date | None, date | None]


class Time(NamedTuple):
    """The parameter that would say it, in words, and the query. What is not `clear` may as well be
    words: "avant le 30 juin" without a word that says what."""

    parameter: str
    value: str
    label: str
    query: Query
    clear: bool


def time_words(
    folded: str, as_of: datetime, before: Sequence[str] = (), after: str = ""
) -> Time | None:
    """What exactly these words (`names.fold_name`) say of a time, or None; `before` are words in
    front of them, `after` is the word behind. Weeks begin on Monday (ISO 8601); a day without
    a year is the next one."""
    words = folded.split()
    if not 1 < len(words) <= _MOST_WORDS or words[0] not in _FIRST:
        return None
    if words[-1] in _MONTHS and re.fullmatch(r"\d{4}", after):
        return None  # it has a year, which nobody means
    if words[0] == "ferme" and not _FIRM.isdisjoint(before[-1:]):
        return None
    today = french_day(as_of)
    said = _CLOSES.match(folded)
    if said is not None:
        period = _period(said["when"], today)
    elif _ELSEWHERE.isdisjoint(before) and (until := _UNTIL.match(folded)) and _is_dated(until[1]):
        period = _period(folded, today)
    else:
        return None
    if period is None:
        return None
    ends = said is not None and said["what"].startswith(_ENDS)
    return _time(*period, ends=ends, clear=said is not None)


def _time(first: date | None, last: date | None, *, ends: bool, clear: bool) -> Time:
    values = {
        "deadline_from": first.isoformat() if first else "",
        "deadline_to": last.isoformat() if last else "",
    }
    words = [
        f"du {first:%d/%m/%Y} au {last:%d/%m/%Y}" if first and last else "",
        f"à partir du {first:%d/%m/%Y}" if first and not last else "",
        f"au plus tard le {last:%d/%m/%Y}" if last and not first else "",
    ]
    contract = {}
    if first:
        contract["gte"] = first.isoformat()
    if last:
        contract["lte"] = last.isoformat()
    query: Query = deadline_query(first, last)
    if ends:
        # The end of a contract is a day on which somebody may have to buy anew.
        query = {"bool": {"should": [query, {"range": {"end_max": contract}}]}}
    given = [name for name, value in values.items() if value]
    return Time(
        ",".join(given),
        ",".join(values[name] for name in given),
        f"échéance {''.join(words)}",
        query,
        clear,
    )


def _is_dated(when: str) -> bool:
    """Whether it is a day or a month: "avant 1948" tells when a house was built."""
    forms = (_DAY, _ISO_DAY, _DAY_OF_MONTH, _MONTH)
    return when.startswith(("fin d", "fin du mois")) or any(form.match(when) for form in forms)


def _period(when: str, today: date) -> Period | None:
    """From a day to a day, or open at one end."""
    if within := _WITHIN.match(when):
        number = _NUMBERS.get(within[1]) or int(within[1])
        return today, today + timedelta(days=number * _DAYS_OF[within[2].removesuffix("s")])
    if until := _UNTIL.match(when):
        days = _days(until[1], today)
        if days is None:
            return None
        # "Avant juillet" is until the end of June, "avant fin juin" and "avant le 30 juin" not.
        whole = _MONTH.match(until[1]) or _YEAR.match(until[1])
        last = days[1]
        if whole and whole["part"] != "fin" and not when.startswith(("jusqu", "d ici")):
            last = days[0] - timedelta(days=1)
        return (today if today <= last else None), last
    if since := _SINCE.match(when):
        days = _days(since[1], today)
        return None if days is None else (days[0], None)
    return _days(when, today)


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
        case "fin du mois" | "fin de mois" | "fin de ce mois":
            first, last = _month(today.year, today.month)
            return first.replace(day=15), last
        case "cette annee":
            return _part_of_year(None, today.year)
        case "fin d annee" | "fin de l annee" | "fin de cette annee":
            return _part_of_year("fin", today.year)
    if found := _YEAR.match(when):
        return _part_of_year(found["part"], int(found[2]))
    if found := _MONTH.match(when):
        return _part_of_month(found["part"], _MONTHS.index(found["month"]) + 1, found[3], today)
    day = _day(when, today)
    return None if day is None else (day, day)


def _day(when: str, today: date) -> date | None:
    if found := _ISO_DAY.match(when):
        return _date(int(found[1]), int(found[2]), int(found[3]))
    if found := _DAY.match(when):
        year = int(found[3]) if len(found[3]) == 4 else 2000 + int(found[3])
        return _date(year, int(found[2]), int(found[1]))
    if found := _DAY_OF_MONTH.match(when):
        day = int(found[1].removesuffix("er"))
        month = _MONTHS.index(found[2]) + 1
        if found[3]:
            return _date(int(found[3]), month, day)
        this_year = _date(today.year, month, day)
        return this_year if this_year and this_year >= today else _date(today.year + 1, month, day)
    return None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if year in YEARS else None
    except ValueError:
        return None


def _part_of_year(part: str | None, year: int) -> tuple[date, date]:
    first, last = date(year, 1, 1), date(year, 12, 31)
    match part:
        case "debut":
            return first, date(year, 6, 30)
        case "fin":
            return date(year, 7, 1), last
        case _:
            return first, last


def _part_of_month(
    part: str | None, month: int, year: str | None, today: date
) -> tuple[date, date] | None:
    if year and int(year) not in YEARS:
        return None
    first, last = _month(int(year) if year else today.year, month)
    if not year and last < today:
        first, last = _month(today.year + 1, month)
    match part:
        case "debut":
            return first, first.replace(day=15)
        case "mi":
            return first.replace(day=10), first.replace(day=20)
        case "fin":
            return first.replace(day=15), last
        case _:
            return first, last


def _month(year: int, month: int) -> tuple[date, date]:
    first = date(year, month, 1)
    following = (first + timedelta(days=32)).replace(day=1)
    return first, following - timedelta(days=1)
