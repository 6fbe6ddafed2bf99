"""The parts that records are made of: owner, amounts, deadlines, lots, holders…"""

from datetime import date, datetime
from functools import cached_property
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)

from traverse_schemas.records.codes import (
    ActionKind,
    AmountKind,
    DeadlineKind,
    InstitutionKind,
    Outcome,
    Tax,
)
from traverse_schemas.values.amount import Euros
from traverse_schemas.values.cpv import Cpv
from traverse_schemas.values.instant import Instant
from traverse_schemas.values.siren import Siren


class Part(BaseModel):
    """Strict at the border: no unknown field, no guessed type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _http(text: str) -> str:
    if not text.startswith(("https://", "http://")):
        raise ValueError("l'adresse doit commencer par https:// ou http://")
    return text


WebAddress = Annotated[
    str, Field(min_length=10, max_length=2000, pattern=r"^\S+$"), AfterValidator(_http)
]
ShortText = Annotated[str, Field(min_length=1, max_length=500)]
LongText = Annotated[str, Field(max_length=50_000)]
Identifier = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{9}([0-9]{5})?$",
        description="SIREN (9 digits) or SIRET (14 digits), without spaces. One that fails its "
        "check (Luhn) is flagged, not refused: whoever relays it cannot mend it.",
        examples=["211300553", "21130055300016"],
    ),
]


class Owner(Part):
    """Whose thing it is: the buyer, the project's holder, the one in need (a claim). It has a
    number or a name."""

    id: Identifier | None = Field(
        default=None, description="Its number, by which it is known for certain."
    )
    name: ShortText | None = Field(
        default=None, description="Its name. Absent: that of the register under its number."
    )
    kind: InstitutionKind | None = Field(
        default=None, description="What it is. Absent: as the register or its number tell."
    )

    @model_validator(mode="after")
    def _named(self) -> "Owner":
        if self.id is None and self.name is None:
            raise ValueError("le propriétaire doit avoir un numéro (SIREN ou SIRET) ou un nom")
        return self


class Location(Part):
    """A point, in degrees (WGS 84)."""

    lat: Annotated[float, Field(ge=-90, le=90)] = Field(
        description="Latitude, to the north.", examples=[43.2965]
    )
    lon: Annotated[float, Field(ge=-180, le=180)] = Field(
        description="Longitude, to the east.", examples=[5.3698]
    )


class Amount(Part):
    """A sum in euros and what it is."""

    value: Euros
    kind: AmountKind
    tax: Tax = Field(
        default=Tax.UNKNOWN, description="Whether it is with taxes. Absent: nobody says."
    )


class Deadline(Part):
    """An instant by which something must be done."""

    kind: DeadlineKind = Field(
        default=DeadlineKind.TENDER, description="What must be done. Absent: hand in a tender."
    )
    at: Annotated[str, Field(min_length=10, max_length=40)] = Field(
        description="The instant (ISO 8601): with an offset, or without one in `zone`. A bare date "
        "is open until that day ends in `zone`.",
        examples=["2027-03-12T12:00+01:00", "2027-03-12T12:00", "2027-03-12"],
    )
    zone: Annotated[str, Field(max_length=40)] = Field(
        default="Europe/Paris",
        description="Time zone by its IANA name. Absent: the buyer's, which is that of its "
        "territory, else of the first place; Europe/Paris where nothing else is known.",
        examples=["Europe/Paris", "Indian/Reunion"],
    )

    @model_validator(mode="after")
    def _readable(self) -> "Deadline":
        _ = self.instant  # its own sentence when it cannot be read
        return self

    def in_zone_of(self, buyer: str) -> "Deadline":
        """The same, read in the buyer's zone (IANA name) unless a zone is given."""
        if "zone" in self.model_fields_set or buyer == self.zone:
            return self
        return Deadline(kind=self.kind, at=self.at, zone=buyer)

    @cached_property
    def instant(self) -> Instant:
        """The moment with its zone and precision (instant, minute, day)."""
        return Instant.parse(self.at, zone=self.zone)

    @cached_property
    def opens_until(self) -> datetime:
        """The first moment (UTC) at which it is too late."""
        return self.instant.opens_until


class Window(Part):
    """From one day to another, both included; each end may be open."""

    start: date | None = Field(
        default=None,
        alias="from",
        description="The first day. Absent: it has begun, or may begin at any time.",
        examples=["2027-02-01"],
    )
    end: date | None = Field(
        default=None,
        alias="to",
        description="The last day. Absent: it has no end.",
        examples=["2027-05-31"],
    )

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_by_name=True)

    @model_validator(mode="after")
    def _ordered(self) -> "Window":
        if self.start and self.end and self.start > self.end:
            raise ValueError("la fin de la période précède son début")
        return self


class Holder(Part):
    """Who holds a contract (titulaire) or a lot of it."""

    id: Annotated[str, Field(max_length=40)] | None = Field(
        default=None,
        description="SIREN or SIRET; of a foreign firm the number of its own register.",
        examples=["356000000"],
    )
    name: ShortText | None = Field(default=None, description="Its name, as the source gives it.")
    role: Literal["leader", "member", "single"] | None = Field(
        default=None,
        description="`single`: it holds it alone; `leader` (mandataire) or `member` (cotraitant) "
        "of a group of firms. Absent: not said.",
    )


LotNumber = Annotated[
    str,
    Field(
        min_length=1,
        max_length=40,
        description="Its number in the procedure; `1`, `01` and `LOT-0001` are the same.",
        examples=["1"],
    ),
]


class Lot(Part):
    """A part of a procedure that is awarded for itself (art. L.2113-10)."""

    number: LotNumber
    title: ShortText | None = Field(default=None, description="What it is, in one line.")
    description: LongText | None = Field(default=None, description="More of it, in plain text.")
    cpv: tuple[Cpv, ...] = Field(default=(), description="What it is about, the main code first.")
    amount: Amount | None = Field(default=None, description="What it is worth.")
    deadline: Deadline | None = Field(
        default=None, description="Its own deadline. Absent: those of the call go for it."
    )
    outcome: Outcome | None = Field(
        default=None, description="How it ended. Absent: it goes on, or ends with the call."
    )
    holders: tuple[Holder, ...] = Field(default=(), description="Who holds it.")


class LotClosing(Part):
    """How one lot ended."""

    number: LotNumber
    outcome: Outcome
    holders: tuple[Holder, ...] = Field(default=(), description="To whom it was awarded.")
    amount: Amount | None = Field(default=None, description="For how much.")


class Joint(Part):
    """A joint purchase that is already formed (groupement de commandes, art. L.2113-6)."""

    coordinator: Siren
    members: tuple[Siren, ...] = Field(
        default=(), description="SIRENs of the others that buy together."
    )


class Financing(Part):
    """Who pays for a part of it."""

    funder: ShortText = Field(
        description="Its name, or that of its fund.", examples=["Région Sud", "Fonds vert"]
    )
    amount: Euros | None = Field(default=None, description="In euros. Absent: not said.")


class Action(Part):
    """What a reader can do in one click."""

    kind: ActionKind
    url: WebAddress = Field(description="Where to do it, over https or http.")
    label: ShortText | None = Field(
        default=None, description="Words of the button, in French. Absent: those of its kind."
    )


class Contact(Part):
    """A professional contact, published on purpose (an importer never fills it)."""

    name: ShortText | None = Field(
        default=None, description="A person's, or a service's.", examples=["Service des marchés"]
    )
    email: Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")] | None = Field(
        default=None, description="A professional address.", examples=["marches@exemple.fr"]
    )
    phone: Annotated[str, Field(max_length=30)] | None = Field(
        default=None, description="A professional number.", examples=["+33 4 91 00 00 00"]
    )
