"""Decisions: what people say of links between records, as events (`fr.traverse.link.*.v1`).

`same_as` and `not_same` name two records; `withdrawn` takes back what the same source said under
the same subject. Whether the speaker is a side of the matter depends on records that may come
later, so linking judges it, not the schema.
"""

from enum import StrEnum
from typing import Annotated, Self, TypedDict

from pydantic import Field, model_validator

from traverse_schemas.records.parts import Part, ShortText


class DecisionKind(StrEnum):
    """What a decision is about."""

    LINK = "link"


class Word(StrEnum):
    """What is said of two records."""

    SAME_AS = "same_as"
    NOT_SAME = "not_same"
    WITHDRAWN = "withdrawn"


class RecordRef(Part):
    """A record by its identity: full source and the source's own reference."""

    source: Annotated[
        str,
        Field(max_length=100, pattern=r"^urn:siren:[0-9]{9}(:[a-z0-9][a-z0-9._-]{0,63})?$"),
    ]
    subject: Annotated[str, Field(min_length=1, max_length=255)]


class LinkWord(Part):
    """Two records, and why, for whoever reads the decision later."""

    records: Annotated[tuple[RecordRef, ...], Field(min_length=2, max_length=2)]
    reason: ShortText | None = None

    @model_validator(mode="after")
    def _two_records(self) -> Self:
        if self.records[0] == self.records[1]:
            raise ValueError("donnez deux enregistrements différents")
        return self


class Decision(TypedDict):
    """A message of `traverse.decisions`. `records` are the ids of the two records' opportunities,
    `version` its place among what the same (source, subject) said."""

    source: str
    subject: str
    version: list[int | str]
    word: str
    records: list[str]
