"""The French of the pages: sums, days, deadlines and totals, as people say them. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from traverse_schemas.french.numbers import number
from traverse_search_api.deadlines import KIND_LABELS, PARIS, is_bare, local_end, zone_of

_MONTHS: Final = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
    "octobre", "novembre", "décembre",
)  # fmt: skip
_DAYS: Final = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_NO_BREAK: Final = "\u00a0"
_SOON: Final = 60  # days within which a deadline is told by how far it is


def day(moment: date) -> str:
    """« 1er mars 2026 »."""
    return f"{number_of(moment)}{_NO_BREAK}{_MONTHS[moment.month - 1]} {moment.year}"


def number_of(moment: date) -> str:
    """Of its month: « 1er », « 2 »."""
    return "1er" if moment.day == 1 else str(moment.day)


def planned_day(moment: date) -> str:
    """« mardi 17 mars 2026 »: a day that one plans by."""
    return f"{_DAYS[moment.weekday()]} {day(moment)}"


def day_of(text: str) -> str:
    """A date or an instant in ISO 8601 as a day in France; what is none stays as it is."""
    try:
        if len(text) == 10:
            return day(date.fromisoformat(text))
        return day(datetime.fromisoformat(text).astimezone(PARIS))
    except ValueError:
        return text


def period(window: Mapping[str, str]) -> str:
    """« du 1er mars 2026 au 30 juin 2026 », « à partir du … », « jusqu’au … »."""
    start, end = window.get("from"), window.get("to")
    if start and end:
        return f"du {day_of(start)} au {day_of(end)}"
    if start:
        return f"à partir du {day_of(start)}"
    return f"jusqu’au {day_of(end or '')}"


def total(value: int, exact: bool) -> str:
    """« Aucun résultat », « 1 résultat », « 1 204 résultats », « plus de 100 000 résultats »."""
    if value == 0:
        return "Aucun résultat"
    return at_least(f"{number(value)} résultat{'s' if value > 1 else ''}", exact)


def at_least(counted: str, exact: bool) -> str:
    """« 1 204 résultats », or « plus de 100 000 résultats » of a total that is not exact."""
    return counted if exact else f"plus de {counted}"


def deadline(found: Mapping[str, Any], as_of: datetime) -> str:
    """« clôture dans 5 jours, le mardi 17 mars 2026 à 12 h », « clos depuis le 12 mars 2026 ».

    In the buyer's own zone, which is named where it is not that of mainland France; a bare date
    says that the hour is to be checked.
    """
    if datetime.fromisoformat(found["until"]) <= as_of:
        return f"clos depuis le {day(local_end(found))}"
    return f"clôture {_to_come(found, as_of)}"


def dated_deadline(found: Mapping[str, Any], as_of: datetime) -> str:
    """The same where one reads it on another day than it is told of: without how far it is."""
    if datetime.fromisoformat(found["until"]) <= as_of:
        return deadline(found, as_of)
    return f"clôture le {moment(found)}"


def deadlines(found: Iterable[Mapping[str, Any]], as_of: datetime) -> list[str]:
    """Each with what it is for, those to come first: « Questions : dans 5 jours, le mardi
    17 mars 2026 à 12 h », « Questions : jusqu’au 2 mars 2026, c’est passé »."""
    ahead, past = [], []
    for one in found:
        label = KIND_LABELS.get(one["kind"], "Échéance")
        if datetime.fromisoformat(one["until"]) > as_of:
            ahead.append(f"{label} : {_to_come(one, as_of)}")
        else:
            past.append(f"{label} : jusqu’au {day(local_end(one))}, c’est passé")
    return [*ahead, *past]


def moment(found: Mapping[str, Any]) -> str:
    """A deadline by itself: « mardi 17 mars 2026 à 12 h », « mardi 17 mars 2026 (heure à
    vérifier) »."""
    last = local_end(found)
    if is_bare(found):
        return f"{planned_day(last)} (heure à vérifier)"
    abroad = last.utcoffset() != last.astimezone(PARIS).utcoffset()
    where = f" (heure de {_city(zone_of(found))})" if abroad else ""
    return f"{planned_day(last)} à {hour(last)}{where}"


def _to_come(found: Mapping[str, Any], as_of: datetime) -> str:
    left = (local_end(found).date() - as_of.astimezone(zone_of(found)).date()).days
    when = f"le {moment(found)}"
    match left:
        case 0:
            return f"aujourd’hui, {when}"
        case 1:
            return f"demain, {when}"
        case _ if left <= _SOON:
            return f"dans {left} jours, {when}"
        case _:
            return when


def hour(moment: datetime) -> str:
    """« 12 h », « 9 h 30 »."""
    minutes = f"{moment.minute:02}" if moment.minute else ""
    return f"{moment.hour}{_NO_BREAK}h{_NO_BREAK}{minutes}".rstrip(_NO_BREAK)


def _city(zone: ZoneInfo) -> str:
    return zone.key.rpartition("/")[2].replace("_", " ")


def count(value: int, one: str, many: str) -> str:
    """« 1 besoin », « 1 204 besoins »."""
    return f"{number(value)}{_NO_BREAK}{one if value < 2 else many}"
