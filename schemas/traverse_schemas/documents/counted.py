"""What facets count of a document, laid beside it as it is written to the index.

A facet reads its field once for each result. Of all CPV codes and territories with every level
above, some ten a document, it needs one or two; a status comes from half a dozen fields and from
the date. Here is what a facet needs of them and no more, none of which depends on today.

Of statuses these are the turns: a number says which status follows which, and when. So many had a
status on a day as had turned to it by then, less those that had turned from it: one field is read
and compared with today, where each status had conditions of its own.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from traverse_schemas.documents.status import OPEN_STATUSES, Status, Turn, turns_of
from traverse_schemas.log.identity import utc_text

COUNTED: Final = "counted"
"""The field of a document in the index that is there for facets alone."""

TURNS: Final = f"{COUNTED}.turns"
OPEN_UNTIL: Final = f"{COUNTED}.open_until"
DEPARTMENTS: Final = f"{COUNTED}.departments"
CPV_DIVISIONS: Final = f"{COUNTED}.cpv_divisions"

_EVER: Final = "9999-12-31T00:00:00Z"
_LATEST: Final = 2**43 - 1  # milliseconds since 1970: in 2248
_NUMBERS: Final[dict[Status | None, int]] = {
    before: number for number, before in enumerate((None, *Status))
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def counted(document: Mapping[str, Any]) -> dict[str, Any]:
    """The field, for a document that is no stub (`document.Document`); of one that is not as it
    should be, what there is: whether the index takes it is Elasticsearch's to say."""
    within = document.get("within", ())
    codes = document.get("cpv_within", ())
    try:
        turns = turns_of(document)
    except (KeyError, TypeError, ValueError):
        turns = ()
    return {
        "turns": [turn_number(one.before, one.status, one.at) for one in turns],
        "open_until": _open_until(turns),
        "departments": [code for code in within if code.startswith("dep:")],
        # Of the levels that a filter finds: of a procedure's many lots not all are kept.
        "cpv_divisions": [code for code in codes if code.endswith("000000")],
    }


def turn_number(before: Status | None, status: Status, at: datetime | None) -> int:
    """A turn as a number: those from one status to another follow one another in time, to the
    millisecond (`at` None: before all). A double holds it exactly: it is how ranges are compared.
    """
    since = (at - _EPOCH) // timedelta(milliseconds=1) if at else 0
    kind = _NUMBERS[before] * 32 + _NUMBERS[status]
    return (kind << 43) + min(max(since, 0), _LATEST)


def _open_until(turns: Sequence[Turn]) -> str | None:
    """The instant (ISO, UTC) from which a document is no longer open; None if it never is."""
    if not turns or turns[0].status not in OPEN_STATUSES:
        return None
    closed = next((one.at for one in turns if one.status not in OPEN_STATUSES), None)
    return utc_text(closed) if closed else _EVER


def mapping() -> dict[str, Any]:
    """The mapping of the field, by its name."""
    keyword = {"type": "keyword", "ignore_above": 64}
    # Read of what was found, never searched.
    read = {"index": False}
    fields = {
        TURNS: {"type": "long", **read},
        OPEN_UNTIL: {"type": "date", **read},
        DEPARTMENTS: keyword,
        CPV_DIVISIONS: keyword,
    }
    names = {name.removeprefix(f"{COUNTED}."): field for name, field in fields.items()}
    return {COUNTED: {"properties": names}}


def numbering() -> dict[str, int]:
    """What a number of `TURNS` says of statuses: an index that was written by another is
    migrated."""
    return {status.value: number for status, number in _NUMBERS.items() if status}
