"""Decisions: what people say of links and groupings, as events.

Their types are `fr.traverse.link.*.v1` and `fr.traverse.grouping.*.v1`.

Of two records: `same_as` and `not_same`; and of what the platform proposes between them (that one
answers the other, that both could be bought together) `confirmed` and `dismissed`. Of a proposed
grouping, a member says of its own record whether it is interested, and later tells of the formal
steps. `withdrawn` takes back what the same source said under the same subject. Whether the speaker
is a side of the matter depends on records that may come later, so linking judges it, not the
schema.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, NotRequired, Self, TypedDict

from pydantic import Field, model_validator

from traverse_schemas.records.parts import Part, ShortText


class DecisionKind(StrEnum):
    """What a decision is about."""

    LINK = "link"
    GROUPING = "grouping"


class Word(StrEnum):
    """What is said of two records."""

    SAME_AS = "same_as"
    NOT_SAME = "not_same"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    WITHDRAWN = "withdrawn"


class GroupingStep(StrEnum):
    """What a member says of a grouping (Code de la commande publique, art. L.2113-6 and L.2113-7).

    A click says interest and binds nobody: the convention is agreed on, each assembly deliberates,
    and the grouping is constituted when the members have signed.
    """

    INTERESTED = "interested"
    NOT_INTERESTED = "not_interested"
    CONVENTION = "convention"
    DELIBERATED = "deliberated"
    CONSTITUTED = "constituted"
    WITHDRAWN = "withdrawn"


class RecordRef(Part):
    """A record by its identity: full source and the source's own reference."""

    source: Annotated[
        str,
        Field(
            max_length=100,
            pattern=r"^urn:siren:[0-9]{9}(:[a-z0-9][a-z0-9._-]{0,63})?$",
            description="The `source` of its events.",
            examples=["urn:siren:211300553:achats"],
        ),
    ]
    subject: Annotated[str, Field(min_length=1, max_length=255)] = Field(
        description="The `subject` of its events.", examples=["VOI-2026-014"]
    )


class LinkWord(Part):
    """What the institution of `source` says of two records; the type of the event says what."""

    records: Annotated[tuple[RecordRef, ...], Field(min_length=2, max_length=2)] = Field(
        description="The two, in any order; not the same one twice."
    )
    reason: ShortText | None = Field(
        default=None, description="Why, in French, for whoever reads it later."
    )

    @model_validator(mode="after")
    def _two_records(self) -> Self:
        if self.records[0] == self.records[1]:
            raise ValueError("donnez deux enregistrements différents")
        return self


class GroupingWord(Part):
    """What a member says of a grouping; the type of the event says what."""

    grouping: Annotated[str, Field(pattern=r"^[0-9a-f]{8}[a-z2-7]{16}$")] = Field(
        description="The `id` of the grouping, as `GET /v1/groupings` gives it."
    )
    record: RecordRef = Field(description="The member's own record in it.")
    on: date | None = Field(
        default=None,
        description="The day of a formal step. Absent: that of `time`, as days go in metropolitan "
        "France (Europe/Paris).",
        examples=["2027-01-15"],
    )
    reason: ShortText | None = Field(
        default=None, description="Why, in French, for whoever reads it later."
    )


class Decision(TypedDict):
    """A message of `traverse.decisions`: of two records, or of one and the `grouping` it is in.

    `records` are the ids of the records' opportunities, `version` its place among what the same
    (source, subject) said; `on` the day of a formal step, where one was given.
    """

    source: str
    subject: str
    version: list[int | str]
    word: str
    records: list[str]
    grouping: NotRequired[str]
    on: NotRequired[str]
