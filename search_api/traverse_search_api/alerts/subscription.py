"""Subscriptions: a saved search, whose it is, and how its alerts are delivered.

One row a subscription on `traverse.subscriptions`. It holds no address of a person: an e-mail goes
to the account that it names, at the address which that has then.
"""

import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any, Final, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
)

from traverse_schemas.log.table_rows import read_row
from traverse_schemas.registry.registry import RegistryView
from traverse_schemas.values.siren import Siren
from traverse_search_api.access.reader import Reader, reader_of
from traverse_search_api.accounts.directory import Directory
from traverse_search_api.parameters import SearchParameters

PARIS: Final = "Europe/Paris"
MOST_DISMISSED: Final = 500
_NOT_SAVED: Final = ("as_of", "cursor", "explain", "facets", "size", "sort")
"""Parameters of one look at a search: where it is followed they say nothing."""


class AlertKind(StrEnum):
    """What there may be to say of an opportunity."""

    NEW = "new"
    CHANGED = "changed"
    CLOSING_SOON = "closing_soon"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    PROPOSED = "proposed"


KIND_LABELS: Final = {
    AlertKind.NEW: "Nouveau",
    AlertKind.CHANGED: "Modifié",
    AlertKind.CLOSING_SOON: "Clôture imminente",
    AlertKind.CLOSED: "Terminé",
    AlertKind.WITHDRAWN: "Retiré",
    AlertKind.PROPOSED: "Proposé à votre institution",
}


class Channel(StrEnum):
    """By what way alerts go. The private addresses of a feed are there whatever the channel."""

    EMAIL = "email"
    WEBHOOK = "webhook"
    FEED = "feed"


class Rhythm(StrEnum):
    """How often an e-mail goes, at most."""

    AT_ONCE = "at_once"
    DAILY = "daily"
    WEEKLY = "weekly"


RHYTHM_LABELS: Final = {
    Rhythm.AT_ONCE: "tout de suite",
    Rhythm.DAILY: "une fois par jour",
    Rhythm.WEEKLY: "une fois par semaine",
}


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"« {name[:40]} » n’est pas un fuseau horaire : écrivez Europe/Paris")
    return name


def _one_line(text: str) -> str:
    return " ".join(text.split())


Zone = Annotated[str, Field(max_length=60), AfterValidator(_zone)]
Name = Annotated[str, Field(max_length=200), AfterValidator(_one_line)]
Search = dict[str, list[str]]
"""The parameters of a search, as they stand in an address."""


class _Stored(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Webhook(_Stored):
    """Where alerts are posted; `rate` is how many a minute the receiver takes (None: any)."""

    url: Annotated[str, Field(max_length=2000)]
    rate: int | None = None


class Disabled(_Stored):
    """Why nothing is delivered any more, in words, and since when."""

    at: AwareDatetime
    sentence: Annotated[str, Field(max_length=500)]


class Owner(NamedTuple):
    """Whose a subscription is: a person acting for an institution, or, with an API key, the
    institution itself (`account` is "")."""

    siren: str
    account: str = ""


class Subscription(_Stored):
    """A row. `recipient` is the account that e-mails go to. From `secret` come the key that signs
    webhooks and the private addresses: a new one ends all of them. With `note` it is no search that
    is followed: the note of each week goes, of the territory that the search names."""

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    siren: Siren
    account: Annotated[str, Field(max_length=16)] = ""
    name: Name
    search: Search
    kinds: tuple[AlertKind, ...] = tuple(AlertKind)
    channel: Channel = Channel.EMAIL
    rhythm: Rhythm = Rhythm.DAILY
    zone: Zone = PARIS
    recipient: Annotated[str, Field(max_length=16)] = ""
    webhook: Webhook | None = None
    secret: Annotated[str, Field(max_length=64)]
    muted: bool = False
    dismissed: Annotated[tuple[str, ...], Field(max_length=MOST_DISMISSED)] = ()
    disabled: Disabled | None = None
    redeliver_from: AwareDatetime | None = None
    note: bool = False
    created: AwareDatetime

    @property
    def owner(self) -> Owner:
        """Whose it is."""
        return Owner(self.siren, self.account)

    @property
    def parameters(self) -> SearchParameters:
        """The search. Raises ValidationError when this version knows it no more."""
        return parameters_of(self.search)

    def token(self, purpose: str) -> str:
        """A secret of its own for each purpose (`feed`, `unsubscribe`)."""
        return hmac.digest(self.secret.encode(), purpose.encode(), sha256).hex()[:40]

    def is_token(self, text: str, purpose: str) -> bool:
        """Whether a text is that secret."""
        return hmac.compare_digest(text.encode(errors="replace"), self.token(purpose).encode())


def new_id() -> str:
    """An id that nobody guesses."""
    return secrets.token_hex(16)


def new_secret() -> str:
    """A secret for one subscription."""
    return secrets.token_urlsafe(32)


def parameters_of(search: Mapping[str, list[str] | str]) -> SearchParameters:
    """The search of an address' parameters. Raises ValidationError."""
    values: dict[str, Any] = {}
    for name, texts in search.items():
        if name not in _NOT_SAVED:
            many = [texts] if isinstance(texts, str) else texts
            values[name] = many[0] if len(many) == 1 else many
    return SearchParameters.model_validate(values)


def reader_for(
    subscription: Subscription, view: RegistryView, directory: Directory, now: datetime
) -> Reader | None:
    """Who reads what a subscription finds: its owner, as that may read now; None for an owner who
    may not any more."""
    institution = view.get(subscription.siren)
    if institution is None or not institution.active(now):
        return None
    if subscription.account:
        account = directory.get(subscription.account)
        if account is None or not account.active(now):
            return None
        if account.role_for(subscription.siren) is None:
            return None
    reader = reader_of(institution, now)
    return reader if reader.is_member else None


def local_zone(subscription: Subscription) -> ZoneInfo:
    """The time zone of who reads."""
    return ZoneInfo(subscription.zone)


def encode_subscription(subscription: Subscription) -> bytes:
    """The row as it lies on the topic."""
    return subscription.model_dump_json(exclude_none=True).encode()


def decode_subscription(octets: bytes) -> Subscription:
    """Read a row. Raises ValueError for octets that are none."""
    return read_row(Subscription, octets)
