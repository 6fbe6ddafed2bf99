"""What a filter of a search says of a document: yes, no, or that only Elasticsearch can tell. Pure.

The filters are the very ones that are sent to Elasticsearch, so that there is one place that says
what "open" or "before" means; a test on the real engine holds both together.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from traverse_schemas.documents.index_mapping import index_body

Query = Mapping[str, Any]

JUDGED_FIELDS: Final = (
    "amount", "audience", "closed_on", "covers", "cpv_within", "deadline.until", "deadline.zone",
    "end_max", "expires", "kind", "naf", "notified", "outcome", "owner_kind", "owner_siren",
    "published_at", "stage", "state", "stub", "subtype", "themes", "updated_at", "visibility",
    "within", "zones",
)  # fmt: skip
"""What a document must have been read with."""

_DAY: Final = len("2026-03-12")
_MILLISECONDS_A_DAY: Final = 86_400_000
_BOUNDS: Final = frozenset({"gt", "gte", "lt", "lte"})


def judge(query: Query, document: Mapping[str, Any]) -> bool | None:
    """Whether the filter finds a document (its source, with `JUDGED_FIELDS`); None: unknown."""
    if len(query) != 1:
        return None
    ((name, body),) = query.items()
    match name:
        case "match_all":
            return True
        case "bool":
            return _bool(body, document)
        case "exists":
            field = body["field"]
            return bool(_values(document, field)) if field in _TYPES else None
        case "term" | "terms" if len(body) == 1:
            ((field, asked),) = body.items()
            return _terms(field, asked if name == "terms" else [asked], document)
        case "range" if len(body) == 1:
            ((field, bounds),) = body.items()
            return _range(field, bounds, document)
        case _:
            return None


def all_of(verdicts: Iterable[bool | None]) -> bool | None:
    """Of parts that must all hold."""
    found: bool | None = True
    for one in verdicts:
        if one is False:
            return False
        if one is None:
            found = None
    return found


def _bool(body: Mapping[str, Any], document: Mapping[str, Any]) -> bool | None:
    if not body.keys() <= {"filter", "must", "must_not", "should", "minimum_should_match"}:
        return None
    needed = [*_listed(body.get("filter")), *_listed(body.get("must"))]
    verdict = all_of(judge(each, document) for each in needed)
    if verdict is False:
        return False
    without = all_of(_not(judge(each, document)) for each in _listed(body.get("must_not")))
    if without is False:
        return False
    least = body.get("minimum_should_match", 0 if needed or "should" not in body else 1)
    if least == 0:
        return all_of((verdict, without))
    if least != 1:
        return None
    # One of them at least: not all of them fail.
    some = _not(all_of(_not(judge(each, document)) for each in _listed(body.get("should"))))
    return all_of((verdict, without, some))


def _listed(clauses: Any) -> list[Query]:
    if clauses is None:
        return []
    return clauses if isinstance(clauses, list) else [clauses]


def _not(verdict: bool | None) -> bool | None:
    return None if verdict is None else not verdict


def _terms(field: str, asked: Iterable[Any], document: Mapping[str, Any]) -> bool | None:
    kind = _TYPES.get(field)
    if kind not in {"keyword", "boolean"} or any(isinstance(one, Mapping) for one in asked):
        return None
    wanted = {_text(one) for one in asked}
    return any(_text(value) in wanted for value in _values(document, field))


def _range(field: str, bounds: Mapping[str, Any], document: Mapping[str, Any]) -> bool | None:
    kind = _TYPES.get(field)
    if kind not in {"date", "double"} or not bounds.keys() <= _BOUNDS:
        return None
    for value in _values(document, field):
        inside = all_of(_within(kind, value, bound, limit) for bound, limit in bounds.items())
        if inside is not False:
            return inside
    return False


def _within(kind: str, value: Any, bound: str, limit: Any) -> bool | None:
    if kind == "double":
        one, other = float(value), float(limit)
    else:
        at = _instant(str(value), up=False)
        end = _instant(str(limit), up=bound in {"gt", "lte"})
        if at is None or end is None:
            return None
        one, other = at, end
    match bound:
        case "gt":
            return one > other
        case "gte":
            return one >= other
        case "lt":
            return one < other
        case _:
            return one <= other


@lru_cache(maxsize=65_536)
def _instant(text: str, *, up: bool) -> int | None:
    """Milliseconds, cut off, as the index has them; a bare day is its first one, or where a bound
    is rounded `up` its last."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    found = int(moment.timestamp() * 1000)
    if len(text) == _DAY:
        return found + _MILLISECONDS_A_DAY - 1 if up else found
    # Elasticsearch fills in what a bound leaves out: ours leave nothing out.
    return None if up and "." not in text else found


def _values(document: Mapping[str, Any], path: str) -> list[Any]:
    return list(_walk(document, path.split(".")))


def _walk(value: Any, names: list[str]) -> Iterator[Any]:
    if value is None:
        return
    if isinstance(value, list | tuple):
        for one in value:
            yield from _walk(one, names)
    elif not names:
        yield value
    elif isinstance(value, Mapping):
        yield from _walk(value.get(names[0]), names[1:])


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _type_of(path: str) -> str:
    part: Mapping[str, Any] = index_body()["mappings"]
    for name in path.split("."):
        part = part["properties"][name]
    return str(part["type"])


_TYPES: Final = {field: _type_of(field) for field in JUDGED_FIELDS}
