"""« Tableau de bord territorial » as data: what nobody answers, what ends, what grows. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from traverse_schemas.documents.status import Status, french_day
from traverse_schemas.french.numbers import number
from traverse_search_api import labels
from traverse_search_api.answers.links import may_answer
from traverse_search_api.pages import words
from traverse_search_api.pages.address import page_address
from traverse_search_api.pages.chart import Bar, Chart

Query = dict[str, Any]

MOST_NEEDS: Final = 2_000
"""Needs that are looked through for answers; when there are more, the page says so."""

WAITING: Final = (Status.REPORTED, Status.QUALIFIED, Status.DIRECTED, Status.TO_CONFIRM)
"""The statuses of a need that is still one."""

_ROWS: Final = 12
_WEEKS: Final = 8
_MONTHS: Final = 12
_MONTH_NAMES: Final = (
    "janv.", "févr.", "mars", "avril", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.",
    "déc.",
)  # fmt: skip


def is_answered(item: Mapping[str, Any]) -> bool:
    """Whether something that this reader may see could answer the need still."""
    return bool(may_answer(item["links"]))


def unanswered(items: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The needs without any answer."""
    return [item for item in items if not is_answered(item)]


def by_theme(needs: Iterable[Mapping[str, Any]], territory: str) -> Chart:
    """Needs without an answer by theme; one may be of several."""
    counts = Counter(theme for need in needs for theme in need["themes"] or ("",))
    bars = [
        Bar(
            labels.theme_label(theme) if theme else "Sans thème",
            count,
            _search(theme=theme, territory=territory) if theme else "",
        )
        for theme, count in _ranked(counts)
    ]
    return Chart("themes", "Besoins sans réponse, par thème", "Thème", "Besoins", bars)


def by_territory(needs: Iterable[Mapping[str, Any]]) -> Chart:
    """Needs without an answer by the territory that they name."""
    names: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for need in needs:
        place = need["territory"] or {"code": "", "name": "Lieu non dit"}
        names[place["code"]] = place["name"]
        counts[place["code"]] += 1
    bars = [
        Bar(names[code], count, _search(territory=code) if code else "")
        for code, count in _ranked(counts)
    ]
    return Chart("lieux", "Besoins sans réponse, par territoire", "Territoire", "Besoins", bars)


def ahead_body(as_of: datetime) -> tuple[Query, Query]:
    """The clause and the aggregation for the deadlines of the coming weeks, day by day."""
    end = as_of + timedelta(weeks=_WEEKS)
    clause = {"range": {"deadline.until": {"gt": as_of.isoformat(), "lte": end.isoformat()}}}
    return clause, {
        "days": {
            "date_histogram": {
                "field": "deadline.until",
                "calendar_interval": "day",
                "time_zone": "Europe/Paris",
                "min_doc_count": 1,
            }
        }
    }


def ahead(found: Mapping[str, Any], as_of: datetime) -> Chart:
    """Deadlines by week, from today on."""
    today = french_day(as_of)
    counts = [0] * _WEEKS
    for bucket in found.get("aggregations", {}).get("days", {}).get("buckets", ()):
        day = datetime.fromisoformat(bucket["key_as_string"]).date()
        week = (day - today).days // 7
        if 0 <= week < _WEEKS:
            counts[week] += bucket["doc_count"]
    bars = [Bar(_week(today + timedelta(weeks=week)), count) for week, count in enumerate(counts)]
    return Chart("echeances", "Clôtures à venir, par semaine", "Semaine", "Clôtures", bars)


def months_body(as_of: datetime) -> tuple[Query, Query]:
    """The clause and the aggregation for what was published, month by month."""
    first = _months_before(french_day(as_of), _MONTHS - 1)
    return {"range": {"published_at": {"gte": first.isoformat(), "lte": as_of.isoformat()}}}, {
        "kinds": {
            "terms": {"field": "kind"},
            "aggs": {
                "months": {
                    "date_histogram": {
                        "field": "published_at",
                        "calendar_interval": "month",
                        "time_zone": "Europe/Paris",
                        "min_doc_count": 1,
                    }
                }
            },
        }
    }


def months(found: Mapping[str, Any], as_of: datetime) -> Chart:
    """What was published by month, the last twelve."""
    counts: Counter[tuple[int, int]] = Counter()
    for kind in found.get("aggregations", {}).get("kinds", {}).get("buckets", ()):
        for bucket in kind["months"]["buckets"]:
            day = datetime.fromisoformat(bucket["key_as_string"])
            counts[day.year, day.month] += bucket["doc_count"]
    today = french_day(as_of)
    starts = [_months_before(today, before) for before in reversed(range(_MONTHS))]
    bars = [
        Bar(f"{_MONTH_NAMES[one.month - 1]} {one.year}", counts[one.year, one.month])
        for one in starts
    ]
    return Chart("mois", "Publications par mois", "Mois", "Publications", bars)


def figures(
    needs: Sequence[Mapping[str, Any]], waiting: int, groupings: int | None
) -> list[tuple[str, str]]:
    """The multiplier in figures: label and value."""
    answered = sum(is_answered(need) for need in needs)
    found = [
        ("Besoins en attente", number(waiting)),
        ("dont une réponse est possible", number(answered)),
        ("dont sans aucune réponse", number(len(needs) - answered)),
        (
            "dits par plusieurs institutions",
            number(sum(len(need["sources"]) > 1 for need in needs)),
        ),
    ]
    if groupings is not None:
        found.append(("Groupements proposés", number(groupings)))
    return found


def csv_rows(needs: Iterable[Mapping[str, Any]]) -> list[list[str]]:
    """The needs without an answer as a table, its head first."""
    rows = [["Besoin", "Institution", "Territoire", "Thèmes", "Statut", "Publié le", "Fiche"]]
    for need in needs:
        owners = [one["name"] for one in need["institutions"] if one["role"] == "owner"]
        rows.append(
            [
                need["title"],
                ", ".join(owners),
                (need["territory"] or {}).get("name", ""),
                ", ".join(need["theme_labels"]),
                need["status_label"],
                french_day(datetime.fromisoformat(need["published_at"])).isoformat(),
                f"/fiche/{need['id']}",
            ]
        )
    return rows


def _ranked(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:_ROWS]


def _search(**asked: str) -> str:
    statuses = [status.value for status in WAITING]
    given = {name: [value] for name, value in asked.items() if value}
    return page_address({"kind": ["need"], **given, "status": statuses})


def _week(monday: date) -> str:
    last = monday + timedelta(days=6)
    start = words.number_of(monday)
    if monday.month != last.month:
        start += f" {_month(monday)}"
    return f"du {start} au {words.number_of(last)} {_month(last)}"


def _month(day: date) -> str:
    return _MONTH_NAMES[day.month - 1]


def _months_before(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)
