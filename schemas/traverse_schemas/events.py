"""Events: CloudEvents 1.0 in structured mode, one about one record.

`type` is `fr.traverse.{project|call|need}.{published|updated|closed|withdrawn}.v1`. The data of
`published` and `updated` is the whole record (with the reason of an update); `closed` carries the
outcome and, from a feed that tells of a thing only when it is over, the record too; `withdrawn`
carries why. People's word on two records is
`fr.traverse.link.{same_as|not_same|confirmed|dismissed|withdrawn}.v1`, their word on groupings
`fr.traverse.grouping.{interested|not_interested|convention|deliberated|constituted|withdrawn}.v1`
(`decisions.py`).
"""

import re
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Generic, Literal, NamedTuple, Self, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    field_validator,
    model_validator,
)

from traverse_schemas.decisions import DecisionKind, GroupingStep, GroupingWord, LinkWord, Word
from traverse_schemas.judging.succession import Succession
from traverse_schemas.log.identity import Version, utc_text
from traverse_schemas.records.codes import OUTCOMES, Kind, Outcome, UpdateReason, WithdrawalReason
from traverse_schemas.records.models import Call, Need, Project
from traverse_schemas.records.parts import Amount, Holder, LotClosing, Part, ShortText

CONTENT_TYPE = "application/cloudevents+json"


class Action(StrEnum):
    PUBLISHED = "published"
    UPDATED = "updated"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class CallPublished(Call):
    """A call that opens. It says where it stands, by its `url`: without an address nobody could act
    on it. A prior announcement (avis de pré-information) has no deadline yet."""

    @model_validator(mode="after")
    def _can_be_answered(self) -> Self:
        if self.url is None:
            raise ValueError("un appel publié doit donner son adresse (url)")
        return self


_REASON: Any = Field(default=None, description="Why it is said anew. Absent: not said.")


class ProjectUpdated(Project):
    """The whole project as it is now: what is left out is said no more."""

    reason: UpdateReason | None = _REASON


class CallUpdated(Call):
    """The whole call as it is now: what is left out is said no more."""

    reason: UpdateReason | None = _REASON


class NeedUpdated(Need):
    """The whole need as it is now: what is left out is said no more."""

    reason: UpdateReason | None = _REASON


_RECORD: Any = Field(
    default=None,
    description="The whole record, from who tells of it only now that it is over. Absent: what was "
    "said of it before goes on.",
)


class _Closed(Part):
    outcome: Outcome
    on: date | None = Field(
        default=None,
        description="The day on which it ended. Absent: that of `time`, as days go in metropolitan "
        "France (Europe/Paris).",
        examples=["2027-04-02"],
    )
    reason: ShortText | None = Field(
        default=None, description="Why, in French, for whoever reads it."
    )


class ProjectClosed(_Closed):
    """How a project ended."""

    record: Project | None = _RECORD

    @field_validator("outcome")
    @classmethod
    def _possible(cls, outcome: Outcome) -> Outcome:
        return _possible_outcome(Kind.PROJECT, outcome)


class CallClosed(_Closed):
    """How a call ended, lot by lot where it has lots."""

    record: Call | None = _RECORD
    lots: Annotated[tuple[LotClosing, ...], Field(max_length=1000)] = Field(
        default=(),
        description="How each lot ended that has: all of them, for a later closing takes the place "
        "of this one.",
    )
    holders: Annotated[tuple[Holder, ...], Field(max_length=1000)] = Field(
        default=(), description="To whom it was awarded."
    )
    amount: Amount | None = Field(default=None, description="For how much it was awarded.")

    @field_validator("outcome")
    @classmethod
    def _possible(cls, outcome: Outcome) -> Outcome:
        return _possible_outcome(Kind.CALL, outcome)


class NeedClosed(_Closed):
    """How a need ended."""

    record: Need | None = _RECORD

    @field_validator("outcome")
    @classmethod
    def _possible(cls, outcome: Outcome) -> Outcome:
        return _possible_outcome(Kind.NEED, outcome)


class Withdrawn(Part):
    """Why a record is taken back."""

    reason: WithdrawalReason = Field(
        default=WithdrawalReason.ERROR, description="Absent: it was published in error."
    )


def _possible_outcome(kind: Kind, outcome: Outcome) -> Outcome:
    if outcome not in OUTCOMES[kind]:
        allowed = ", ".join(sorted(OUTCOMES[kind]))
        raise ValueError(f"l'issue « {outcome} » n'existe pas pour ce type ; possibles : {allowed}")
    return outcome


# RFC 3339, section 5.6; T and Z may be small letters.
_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_EXTENSION = re.compile(r"[a-z0-9]+")  # CloudEvents 1.0, "Naming conventions"
Data = TypeVar("Data", bound=BaseModel)
Text255 = Annotated[str, Field(min_length=1, max_length=255)]


class Event(BaseModel, Generic[Data]):
    """The envelope (CloudEvents 1.0, section 3). Unknown extensions pass through untouched."""

    # An extension may be there that we do not know: names are lower-case letters and digits.
    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    specversion: Literal["1.0"] = Field(description="The version of CloudEvents.")
    id: Text255 = Field(
        description="Unique for the source. The same with the same content is a duplicate, with "
        "another content it is rejected.",
        examples=["voi-2026-014-1"],
    )
    source: Annotated[str, Field(max_length=100)] = Field(
        description="Who says it: `urn:siren:` and the SIREN of the institution, and where it has "
        "several the name of its system.",
        examples=["urn:siren:211300553", "urn:siren:211300553:achats"],
    )
    type: Annotated[str, Field(max_length=100)]
    subject: Text255 = Field(
        description="The source's own reference of the record. With `source` it is its identity; "
        "of people's word, what that word is known by when it is changed or taken back.",
        examples=["VOI-2026-014"],
    )
    time: Annotated[AwareDatetime, Field(strict=False)] = Field(  # `_timestamp` is strict
        description="When it happened (RFC 3339), with seconds and an offset; from 1900 on, and at "
        "most five minutes after it is received.",
        examples=["2026-11-20T10:00:00+01:00"],
    )
    datacontenttype: Literal["application/json"] | None = Field(
        default=None, description="Of `data`. Absent: the same."
    )
    dataschema: Annotated[str, Field(max_length=500)] | None = Field(
        default=None, description="Address of the schema of `data`, for readers; not looked at."
    )
    sequence: Annotated[int, Field(ge=0, le=2**53)] = Field(
        default=0,
        description="Orders the versions of a record, before `time` does. Absent: 0, so that "
        "`time` alone orders them.",
        examples=[7],
    )
    data: Data = Field(description="What is said of it.")

    @field_validator("id", "subject")
    @classmethod
    def _printable(cls, text: str) -> str:
        if not text.isprintable() or text != text.strip():
            raise ValueError("ni caractère de contrôle, ni espace au début ou à la fin")
        return text

    @field_validator("time", mode="before")
    @classmethod
    def _timestamp(cls, time: object) -> object:
        # Readers of dates take more than CloudEvents does (section 2.2.4: RFC 3339).
        if not isinstance(time, datetime) and not (
            isinstance(time, str) and _TIMESTAMP.fullmatch(time)
        ):
            raise ValueError(
                "l'heure s'écrit en entier, avec les secondes et le décalage : "
                "2026-03-12T12:00:00+01:00"
            )
        return time

    @field_validator("dataschema")
    @classmethod
    def _some_address(cls, dataschema: str | None) -> str | None:
        if dataschema == "":
            raise ValueError("le champ dataschema est une adresse ; ne le donnez pas s'il est vide")
        return dataschema

    @model_validator(mode="after")
    def _extensions(self) -> Self:
        for name, value in (self.__pydantic_extra__ or {}).items():
            if not _EXTENSION.fullmatch(name):
                raise ValueError(
                    f"le nom d'extension « {name[:40]} » n'en est pas un : des minuscules et des "
                    "chiffres seulement ; ce qui est du dossier va dans data"
                )
            if not (value is None or isinstance(value, str | int)):
                raise ValueError(
                    f"l'extension « {name[:40]} » doit être un texte, un entier ou un booléen ; ce "
                    "qui est du dossier va dans data"
                )
        return self

    @field_validator("time")
    @classmethod
    def _of_our_time(cls, time: datetime) -> datetime:
        # Long before, a year has fewer digits in text and a zone may not compute. The future is
        # another fault, and for validate to tell.
        if time.year < 1900:
            raise ValueError("l'année doit être 1900 ou une plus récente")
        return time

    @property
    def version(self) -> Version:
        """Its place among the versions of its record."""
        return Version(self.sequence, utc_text(self.time), self.id)


class EventType(NamedTuple):
    """A known type: its kind, what happened or was said, and the shape of its data; of an older
    version, what took its place. Old versions never leave EVENT_TYPES: the log has them."""

    name: str
    kind: Kind | DecisionKind
    action: Action | Word | GroupingStep
    data: type[BaseModel]
    succession: Succession | None = None

    @property
    def version(self) -> str:
        """The last part of its name: `v1`."""
        return self.name.rpartition(".")[2]

    @property
    def is_decision(self) -> bool:
        """Whether it is people's word on links or groupings rather than of a record."""
        return isinstance(self.kind, DecisionKind)


_DATA: dict[tuple[Kind | DecisionKind, Action | Word | GroupingStep], type[BaseModel]] = {
    (Kind.PROJECT, Action.PUBLISHED): Project,
    (Kind.PROJECT, Action.UPDATED): ProjectUpdated,
    (Kind.PROJECT, Action.CLOSED): ProjectClosed,
    (Kind.PROJECT, Action.WITHDRAWN): Withdrawn,
    (Kind.CALL, Action.PUBLISHED): CallPublished,
    (Kind.CALL, Action.UPDATED): CallUpdated,
    (Kind.CALL, Action.CLOSED): CallClosed,
    (Kind.CALL, Action.WITHDRAWN): Withdrawn,
    (Kind.NEED, Action.PUBLISHED): Need,
    (Kind.NEED, Action.UPDATED): NeedUpdated,
    (Kind.NEED, Action.CLOSED): NeedClosed,
    (Kind.NEED, Action.WITHDRAWN): Withdrawn,
    **{(DecisionKind.LINK, word): LinkWord for word in Word},
    **{(DecisionKind.GROUPING, step): GroupingWord for step in GroupingStep},
}


def event_type(kind: str, action: str) -> str:
    """The CloudEvents `type` of a kind and what happened to it."""
    return f"fr.traverse.{kind}.{action}.v1"


EVENT_TYPES: dict[str, EventType] = {
    event_type(kind, action): EventType(event_type(kind, action), kind, action, data)
    for (kind, action), data in _DATA.items()
}


def event_adapter(known: EventType) -> TypeAdapter[Event[BaseModel]]:
    """The validator of one type of event (built once, used for every event of the type)."""
    return TypeAdapter(Event[known.data])  # type: ignore[name-defined]
