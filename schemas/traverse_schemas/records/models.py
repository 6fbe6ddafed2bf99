"""The records: Project, Call, Need, by the fields of the domain (`docs/domain.md`)."""

from datetime import date
from typing import Annotated, Self

from pydantic import Field, model_validator

from traverse_schemas.records.codes import (
    Access,
    CallSubtype,
    Kind,
    Nature,
    NeedStage,
    NeedSubtype,
    ProjectStage,
    ProjectSubtype,
    Recurrence,
    Technique,
)
from traverse_schemas.records.parts import (
    Action,
    Amount,
    Contact,
    Deadline,
    Financing,
    Holder,
    Identifier,
    Joint,
    Location,
    LongText,
    Lot,
    Owner,
    Part,
    ShortText,
    WebAddress,
    Window,
)
from traverse_schemas.values.cpv import Cpv
from traverse_schemas.values.place import TerritoryCode, ZoneName
from traverse_schemas.values.siren import Siren
from traverse_schemas.visibility import Visibility, default_visibility

_MANY = 1000  # bounds every list: an event is one thing, not a file
NafCode = Annotated[str, Field(pattern=r"^[0-9]{2}\.?[0-9]{0,2}[A-Z]?$")]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")]
Months = Annotated[int, Field(ge=0, le=1200)]


class Record(Part):
    """What every kind has. `place` is required: typed codes (`com:13001`, `epci:…`, `fr`…)."""

    title: ShortText
    description: LongText | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] | None = None
    references: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = ()
    url: WebAddress | None = None
    owner: Owner | None = None
    themes: Annotated[tuple[Slug, ...], Field(max_length=20)] = ()
    place: Annotated[tuple[TerritoryCode, ...], Field(min_length=1, max_length=_MANY)]
    eligible_area: Annotated[tuple[TerritoryCode, ...], Field(max_length=_MANY)] = ()
    zones: Annotated[tuple[ZoneName, ...], Field(max_length=20)] = ()
    location: Location | None = None
    amounts: Annotated[tuple[Amount, ...], Field(max_length=20)] = ()
    deadlines: Annotated[tuple[Deadline, ...], Field(max_length=20)] = ()
    actions: Annotated[tuple[Action, ...], Field(max_length=10)] = ()
    contact: Contact | None = None
    visibility: Visibility | None = None
    audience: Annotated[tuple[Siren, ...], Field(max_length=_MANY)] = ()
    licence: Annotated[str, Field(max_length=60)] | None = None
    expires: date | None = None

    @model_validator(mode="after")
    def _restricted_names_its_audience(self) -> Self:
        if (self.visibility is Visibility.RESTRICTED) != bool(self.audience):
            raise ValueError(
                "une visibilité « restricted » va avec la liste audience des SIREN destinataires, "
                "et elle seule"
            )
        return self


class Project(Record):
    """What an institution plans, or shares (rooms, staff, studies offered to others)."""

    subtype: ProjectSubtype
    stage: ProjectStage | None = None
    cpv: Annotated[tuple[Cpv, ...], Field(max_length=100)] = ()
    window: Window | None = None
    recurrence: Recurrence | None = None
    financing: Annotated[tuple[Financing, ...], Field(max_length=50)] = ()


class Call(Record):
    """A call for tender or for projects, and the contract that comes of it."""

    subtype: CallSubtype
    nature: Nature | None = None
    procedure: ShortText | None = None
    techniques: tuple[Technique, ...] = ()
    cpv: Annotated[tuple[Cpv, ...], Field(max_length=100)] = ()
    naf: Annotated[tuple[NafCode, ...], Field(max_length=50)] = ()
    lots: Annotated[tuple[Lot, ...], Field(max_length=_MANY)] = ()
    published_on: date | None = None
    notified: date | None = None
    duration_months: Months | None = None
    renewals: Annotated[int, Field(ge=0, le=100)] | None = None
    end_min: date | None = None
    end_max: date | None = None
    holders: Annotated[tuple[Holder, ...], Field(max_length=_MANY)] = ()
    joint: Joint | None = None
    access: tuple[Access, ...] = ()
    financing: Annotated[tuple[Financing, ...], Field(max_length=50)] = ()


class Need(Record):
    """What somebody needs: an institution that will buy, or a firm that looks for something."""

    subtype: NeedSubtype
    stage: NeedStage | None = None
    on_behalf: ShortText | None = None
    on_behalf_id: Identifier | None = None
    cpv: Annotated[tuple[Cpv, ...], Field(max_length=100)] = ()
    naf: Annotated[tuple[NafCode, ...], Field(max_length=50)] = ()
    window: Window
    recurrence: Recurrence | None = None
    joint: Joint | None = None


MODELS: dict[Kind, type[Project] | type[Call] | type[Need]] = {
    Kind.PROJECT: Project,
    Kind.CALL: Call,
    Kind.NEED: Need,
}


def visibility_of(kind: str, record: Project | Call | Need) -> Visibility:
    """What the publisher said, or the default of the kind."""
    return record.visibility or default_visibility(kind, record.subtype)
