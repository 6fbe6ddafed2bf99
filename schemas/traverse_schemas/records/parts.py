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
        description="SIREN (9 chiffres) ou SIRET (14 chiffres). S'il échoue au contrôle de Luhn, "
        "il est signalé et non refusé : la personne qui relaie n'y peut rien.",
    ),
]


class Owner(Part):
    """Whose thing it is: the buyer, the project's holder, the one in need (a claim)."""

    id: Identifier | None = None
    name: ShortText | None = None
    kind: InstitutionKind | None = None

    @model_validator(mode="after")
    def _named(self) -> "Owner":
        if self.id is None and self.name is None:
            raise ValueError("le propriétaire doit avoir un numéro (SIREN ou SIRET) ou un nom")
        return self


class Location(Part):
    """A point, in degrees (WGS 84)."""

    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]


class Amount(Part):
    """A sum in euros and what it is."""

    value: Euros
    kind: AmountKind
    tax: Tax = Tax.UNKNOWN


class Deadline(Part):
    """An instant by which something must be done.

    `at` is ISO 8601: with an offset; without one it is in `zone`; a bare date is open until that
    day ends. Where no `zone` is given it is the buyer's: that of its territory, else of the place,
    Europe/Paris where nothing else is known.
    """

    kind: DeadlineKind = DeadlineKind.TENDER
    at: Annotated[str, Field(min_length=10, max_length=40)]
    zone: Annotated[str, Field(max_length=40)] = "Europe/Paris"

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
    """When something is needed: two dates, each may be open."""

    start: date | None = Field(default=None, alias="from")
    end: date | None = Field(default=None, alias="to")

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_by_name=True)

    @model_validator(mode="after")
    def _ordered(self) -> "Window":
        if self.start and self.end and self.start > self.end:
            raise ValueError("la fin de la période précède son début")
        return self


class Holder(Part):
    """Who holds a contract (titulaire) or a lot of it."""

    id: Annotated[str, Field(max_length=40)] | None = None
    name: ShortText | None = None
    role: Literal["leader", "member", "single"] | None = None


class Lot(Part):
    """A part of a procedure that is awarded for itself (art. L.2113-10)."""

    number: Annotated[str, Field(min_length=1, max_length=40)]
    title: ShortText | None = None
    description: LongText | None = None
    cpv: tuple[Cpv, ...] = ()
    amount: Amount | None = None
    deadline: Deadline | None = None
    outcome: Outcome | None = None
    holders: tuple[Holder, ...] = ()


class LotClosing(Part):
    """How one lot ended."""

    number: Annotated[str, Field(min_length=1, max_length=40)]
    outcome: Outcome
    holders: tuple[Holder, ...] = ()
    amount: Amount | None = None


class Joint(Part):
    """A joint purchase that is already formed (groupement de commandes, art. L.2113-6)."""

    coordinator: Siren
    members: tuple[Siren, ...] = ()


class Financing(Part):
    funder: ShortText
    amount: Euros | None = None


class Action(Part):
    """What a reader can do in one click."""

    kind: ActionKind
    url: WebAddress
    label: ShortText | None = None


class Contact(Part):
    """A professional contact, published on purpose (an importer never fills it)."""

    name: ShortText | None = None
    email: Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")] | None = None
    phone: Annotated[str, Field(max_length=30)] | None = None
