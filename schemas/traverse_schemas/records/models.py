"""The records: Project, Call, Need, by the fields of the domain (`docs/domain.md`)."""

from datetime import date
from typing import Annotated, Any, Self

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
Codes = Annotated[tuple[Cpv, ...], Field(max_length=100)]
# What several kinds say in the same words.
_CPV: Any = Field(
    default=(),
    description="What it is about, the main code first. Empty: its themes are read from its words.",
)
_NAF: Any = Field(
    default=(),
    description="Trades of the firms that could answer, by the French nomenclature (NAF rév. 2): "
    "from a division, `43`, to a subclass, `43.32A`.",
    examples=[["43.32A", "16.23Z"]],
)
_FINANCING: Any = Field(default=(), description="Who pays for it, and how much.")


class Record(Part):
    """What every kind has."""

    title: ShortText = Field(description="What it is, in one line of plain text.")
    description: LongText | None = Field(default=None, description="More of it, in plain text.")
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] | None = Field(
        default=None,
        description="Language of `title` and `description` (ISO 639). Absent: guessed from them.",
        examples=["fr"],
    )
    references: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = Field(
        default=(),
        description="Other references of the same thing, by which it is known again elsewhere: the "
        "number of its notice, its identifier in other systems. The framework agreement that a "
        "contract is an order of is told as `accord-cadre NUMBER`.",
        examples=[["26-112233", "accord-cadre 2024-017"]],
    )
    url: WebAddress | None = Field(
        default=None,
        description="Its page, over https or http; a call must have one when it is published.",
    )
    owner: Owner | None = Field(
        default=None, description="Whose thing it is. Absent: the institution of `source`."
    )
    themes: Annotated[tuple[Slug, ...], Field(max_length=20)] = Field(
        default=(),
        description="Slugs of the platform's list of themes. Empty: derived from the CPV codes, "
        "else from the words.",
        examples=[["voirie", "sante"]],
    )
    place: Annotated[tuple[TerritoryCode, ...], Field(min_length=1, max_length=_MANY)] = Field(
        description="Where it is: one territory or more, the main one first."
    )
    eligible_area: Annotated[tuple[TerritoryCode, ...], Field(max_length=_MANY)] = Field(
        default=(),
        description="Where those are who may answer or benefit. Empty: the same as `place`.",
    )
    zones: Annotated[tuple[ZoneName, ...], Field(max_length=20)] = Field(
        default=(), description="Named zones that it is of, beside its territories."
    )
    location: Location | None = Field(
        default=None, description="The very point. Absent: the middle of the first place."
    )
    amounts: Annotated[tuple[Amount, ...], Field(max_length=20)] = Field(
        default=(), description="What it costs or brings, each sum with what it is."
    )
    deadlines: Annotated[tuple[Deadline, ...], Field(max_length=20)] = Field(
        default=(),
        description="By when something must be done. One may answer until the last of those for "
        "tenders and applications, of lots that go on too; a call without any is shown as "
        "announced.",
    )
    actions: Annotated[tuple[Action, ...], Field(max_length=10)] = Field(
        default=(), description="What a reader can do, each with its address."
    )
    contact: Contact | None = Field(
        default=None, description="Whom to ask. Absent: nobody is named."
    )
    visibility: Visibility | None = Field(
        default=None,
        description="Who may read it. Absent: `buyers` for a need of subtype `purchase` and a "
        "project of subtype `purchase_programme`, `public` for all else.",
    )
    audience: Annotated[tuple[Siren, ...], Field(max_length=_MANY)] = Field(
        default=(),
        description="SIRENs of the institutions that may read it: required where `visibility` is "
        "`restricted`, and refused elsewhere.",
    )
    licence: Annotated[str, Field(max_length=60)] | None = Field(
        default=None, description="Under what terms it may be used again.", examples=["LO-2.0"]
    )
    expires: date | None = Field(
        default=None,
        description="The last day on which it is worth showing, as days go in metropolitan France "
        "(Europe/Paris). Absent: there is none.",
        examples=["2027-06-30"],
    )

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
    stage: ProjectStage | None = Field(
        default=None, description="How far it is. Absent: it is shown as an idea."
    )
    cpv: Codes = _CPV
    window: Window | None = Field(
        default=None, description="When it takes place, or is shared. Absent: nobody knows yet."
    )
    recurrence: Recurrence | None = Field(
        default=None, description="How often it comes back. Absent: not said."
    )
    financing: Annotated[tuple[Financing, ...], Field(max_length=50)] = _FINANCING


class Call(Record):
    """A call for tender or for projects, and the contract that comes of it."""

    subtype: CallSubtype
    nature: Nature | None = Field(default=None, description="What is bought. Absent: not said.")
    procedure: ShortText | None = Field(
        default=None,
        description="The procedure by its French name.",
        examples=["Procédure adaptée", "Appel d'offres ouvert"],
    )
    techniques: tuple[Technique, ...] = Field(
        default=(), description="By what techniques it is bought. Empty: none, or not said."
    )
    cpv: Codes = _CPV
    naf: Annotated[tuple[NafCode, ...], Field(max_length=50)] = _NAF
    lots: Annotated[tuple[Lot, ...], Field(max_length=_MANY)] = Field(
        default=(), description="Its lots. Empty: it has none, or they are not said."
    )
    published_on: date | None = Field(
        default=None, description="The day on which its notice appeared.", examples=["2026-11-20"]
    )
    notified: date | None = Field(
        default=None,
        description="The day on which the holder was notified of the contract, from which it runs.",
        examples=["2027-03-01"],
    )
    duration_months: Months | None = Field(
        default=None,
        description="How long the contract may run from `notified`, in months, all renewals "
        "included (the `dureeMois` of the French essential data).",
        examples=[48],
    )
    renewals: Annotated[int, Field(ge=0, le=100)] | None = Field(
        default=None, description="How many times the contract may be renewed.", examples=[3]
    )
    end_min: date | None = Field(
        default=None,
        description="The first day on which the contract may end: if it is not renewed.",
        examples=["2028-02-29"],
    )
    end_max: date | None = Field(
        default=None,
        description="The last day on which the contract may end, with all renewals. Absent: "
        "`notified` and `duration_months` later, where both are said.",
        examples=["2031-02-28"],
    )
    holders: Annotated[tuple[Holder, ...], Field(max_length=_MANY)] = Field(
        default=(), description="Who holds the contract."
    )
    joint: Joint | None = Field(
        default=None, description="The groupement that buys by it. Absent: its owner buys alone."
    )
    access: tuple[Access, ...] = Field(
        default=(), description="For whom it is made easier. Empty: nothing of this kind is said."
    )
    financing: Annotated[tuple[Financing, ...], Field(max_length=50)] = _FINANCING


class Need(Record):
    """What somebody needs: an institution that will buy, or a firm that looks for something."""

    subtype: NeedSubtype
    stage: NeedStage | None = Field(
        default=None, description="How far it is. Absent: it is shown as reported."
    )
    on_behalf: ShortText | None = Field(
        default=None,
        description="For which firm it is said, with its consent: a profile that names nobody "
        "will do. Absent: for the owner itself.",
        examples=["PME de menuiserie, 12 salariés"],
    )
    on_behalf_id: Identifier | None = Field(
        default=None, description="The number of that firm, where it is named with its consent."
    )
    cpv: Codes = _CPV
    naf: Annotated[tuple[NafCode, ...], Field(max_length=50)] = _NAF
    window: Window = Field(description="When it is needed; `{}` where nobody knows yet.")
    recurrence: Recurrence | None = Field(
        default=None, description="How often it comes back. Absent: not said."
    )
    joint: Joint | None = Field(
        default=None,
        description="The groupement that buys it. Absent: it may be bought with others.",
    )


MODELS: dict[Kind, type[Project] | type[Call] | type[Need]] = {
    Kind.PROJECT: Project,
    Kind.CALL: Call,
    Kind.NEED: Need,
}


def visibility_of(kind: str, record: Project | Call | Need) -> Visibility:
    """What the publisher said, or the default of the kind."""
    return record.visibility or default_visibility(kind, record.subtype)
