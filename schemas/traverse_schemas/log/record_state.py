"""The last state of each record, as `traverse.records` holds it.

It is a join of the record's accepted events: every part is the maximum by version of the events
that speak of it, so that the state is the same whatever the order of arrival (decision 7).
"""

from typing import Literal, NotRequired, TypedDict

from traverse_schemas.documents.document import Content

State = Literal["active", "closed", "withdrawn"]


class Life(TypedDict):
    """Where the record stands, by its last published, closed or withdrawn event."""

    version: list[int | str]
    state: State
    outcome: NotRequired[str]
    closed_on: NotRequired[str]
    reason: NotRequired[str]
    lots: NotRequired[list[dict[str, object]]]
    holders: NotRequired[list[dict[str, object]]]
    amount: NotRequired[dict[str, object]]


class VersionedContent(TypedDict):
    """The enriched content, by the last event that carried a record."""

    version: list[int | str]
    content: Content


class RecordState(TypedDict):
    """A message of `traverse.records`. Times are UTC text (identity.utc_text).

    `life` is None while only an `updated` is known; `withdrawn` is the version of the last
    withdrawal, whatever came after it; `indices` names every index (an
    audience's) that the record was ever written to, so that each can be told of a change of
    audience or of a withdrawal. `purged` is the time of the last erasure: what was said up to then
    is gone, and is refused whenever it comes again.
    """

    id: str
    source: str
    subject: str
    kind: str
    first_time: str
    content: VersionedContent | None
    life: Life | None
    withdrawn: list[int | str] | None
    indices: list[str]
    purged: NotRequired[str]
