"""What the gateway answers: the shapes of its JSON, as OpenAPI describes them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

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
    GATEWAY_KEY = "gateway_key"


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


@dataclass(slots=True)
class Item:
    """What became of the event at this place of the request."""

    # No model: there is one an event, and a model is made and written in five times the time.
    index: Annotated[int, Field(ge=0, description="Sa place dans l'envoi, à partir de 0.")]
    status: Status
    code: Annotated[int, Field(description="Le statut HTTP qu'il aurait seul.")]
    source: str | None = None
    id: str | None = None
    reason: Annotated[
        Reason | RefusalReason | None,
        Field(description="Pourquoi il n'est pas accepté : un code stable."),
    ] = None
    pointer: Annotated[
        str | None, Field(description="Où, dans l'événement (pointeur JSON, RFC 6901).")
    ] = None
    detail: Annotated[
        str | None,
        Field(description="Ce qui ne va pas et comment y remédier, en une phrase."),
    ] = None
    warning: Annotated[
        str | None,
        Field(description="Ce qui devra changer, en une phrase : son type a un successeur."),
    ] = None

    def members(self) -> dict[str, object]:
        """Those that say something."""
        said: dict[str, object] = {"index": self.index, "status": self.status, "code": self.code}
        if self.source is not None:
            said["source"] = self.source
        if self.id is not None:
            said["id"] = self.id
        if self.reason is not None:
            said |= {"reason": self.reason, "pointer": self.pointer, "detail": self.detail}
        if self.warning is not None:
            said["warning"] = self.warning
        return said


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
    id: str = Field(description="L'événement qui le dit : on peut demander sa trace.")
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
