"""What the gateway answers: the shapes of its JSON, as OpenAPI describes them."""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from traverse_schemas.errors import Reason


class Status(StrEnum):
    """What became of one event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    FAILED = "failed"


class RefusalReason(StrEnum):
    """Why the gateway itself refuses an event, beside what validate would say."""

    FORBIDDEN_SOURCE = "forbidden_source"
    UNAVAILABLE = "unavailable"


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Item(_Answer):
    """What became of the event at this place of the request."""

    index: int = Field(ge=0, description="Its place in the request, from 0.")
    status: Status
    code: int = Field(description="The HTTP status that it would have by itself.")
    source: str | None = None
    id: str | None = None
    reason: Reason | RefusalReason | None = Field(
        default=None, description="Why it was not accepted: a stable code."
    )
    pointer: str | None = Field(
        default=None, description="Where in the event (JSON pointer, RFC 6901)."
    )
    detail: str | None = Field(
        default=None, description="What is wrong and how to mend it, one sentence in French."
    )
    warning: str | None = Field(
        default=None,
        description="What will have to change, one sentence in French: its type has a successor.",
    )


class Receipt(_Answer):
    """What became of the events of a request, in its order.

    `accepted` ones are durable: the log has them. A `duplicate` was accepted before, and counts
    once.
    """

    accepted: int
    duplicates: int
    refused: int
    failed: int
    items: list[Item]


class RecordReceipt(_Answer):
    """What became of a record that was put or deleted."""

    status: Literal["accepted", "unchanged"]
    source: str
    id: str = Field(description="The event that says so: its receipt can be asked for.")
    kind: str
    reference: str


class Problem(_Answer):
    """An error (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    reason: Reason | RefusalReason | None = None
    pointer: str | None = None
    items: list[Item] | None = None


def receipt_of(items: list[Item]) -> Receipt:
    """Counts beside the items."""
    counted = [item.status for item in items]
    return Receipt(
        accepted=counted.count(Status.ACCEPTED),
        duplicates=counted.count(Status.DUPLICATE),
        refused=counted.count(Status.REFUSED),
        failed=counted.count(Status.FAILED),
        items=items,
    )


def status_of(items: list[Item]) -> int:
    """The status of the whole (docs/contract.md): 202 when all are accepted, 207 when some are;
    else what they have in common, 422 when that is nothing. Kafka away outweighs the rest, for
    then sending again may do."""
    codes = {item.code for item in items}
    if codes <= {202}:
        return 202
    if 202 in codes:
        return 207
    if 503 in codes:
        return 503
    return codes.pop() if len(codes) == 1 else 422
