"""What facets count of a document, laid beside it as it is written to the index.

A facet reads its field once for each result. Of all CPV codes and territories with every level
above, some ten a document, it needs one or two; a status comes from half a dozen fields and from
the date. Here is what a facet needs of them and no more, none of which depends on today.
"""

from collections.abc import Mapping
from typing import Any, Final

from traverse_schemas.status import Status, settled

COUNTED: Final = "counted"
"""The field of a document in the index that is there for facets alone."""

PHASE: Final = f"{COUNTED}.phase"
DEPARTMENTS: Final = f"{COUNTED}.departments"
CPV_DIVISIONS: Final = f"{COUNTED}.cpv_divisions"

DATED: Final = "dated"
"""Phase of a call whose deadline says whether it is open."""

CONTRACT: Final = "contract"
"""Phase of a call that was awarded, whose end is known."""

LIVE_NEEDS: Final[dict[str, str]] = {
    status: f"live_{status.value}"
    for status in (Status.REPORTED, Status.QUALIFIED, Status.DIRECTED)
}
"""Phases of needs that have to be confirmed after some time without news, by their status."""


def counted(document: Mapping[str, Any]) -> dict[str, Any]:
    """The field, for a document that is no stub (`document.Document`); of one that is not as it
    should be, what there is: whether the index takes it is Elasticsearch's to say."""
    within = document.get("within", ())
    codes = document.get("cpv_within", ())
    return {
        "phase": phase_of(document),
        "departments": [code for code in within if code.startswith("dep:")],
        # Of the levels that a filter finds: of a procedure's many lots not all are kept.
        "cpv_divisions": [code for code in codes if code.endswith("000000")],
    }


def phase_of(document: Mapping[str, Any]) -> str | None:
    """The status of a document where no date decides it (`status.status_of`), else what decides.

    None of a kind or at a stage that nobody knows.
    """
    kind, status = document.get("kind"), settled(document)
    if status is not None:
        return status.value
    if kind == "project":
        return str(document.get("stage") or Status.IDEA.value)
    if kind == "need":
        return LIVE_NEEDS.get(document.get("stage") or Status.REPORTED)
    if kind != "call":
        return None
    if document.get("outcome") == "awarded":
        return CONTRACT if document.get("end_max") else Status.AWARDED.value
    return DATED if document.get("deadline") else Status.ANNOUNCED.value


def mapping() -> dict[str, Any]:
    """The mapping of the field, by its name."""
    keyword = {"type": "keyword", "ignore_above": 64}
    names = (name.removeprefix(f"{COUNTED}.") for name in (PHASE, DEPARTMENTS, CPV_DIVISIONS))
    return {COUNTED: {"properties": dict.fromkeys(names, keyword)}}
