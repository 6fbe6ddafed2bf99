"""What somebody asks of a subscription, as JSON, and the row that it makes. Pure."""

from base64 import b64encode
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from traverse_search_api.accounts.account import Account
from traverse_search_api.alerts.errors import RefusedSubscriptionError
from traverse_search_api.alerts.subscription import (
    KIND_LABELS,
    MOST_DISMISSED,
    AlertKind,
    Channel,
    Name,
    Owner,
    Rhythm,
    Subscription,
    Webhook,
    Zone,
    new_id,
    new_secret,
    parameters_of,
)
from traverse_search_api.pages.address import given, page_address
from traverse_search_api.parameters import SearchParameters
from traverse_search_api.web.problems import sentence_of

Text = Annotated[str, Field(max_length=1000)]
Texts = Annotated[list[Text], Field(max_length=200)]
_LONGEST_SEARCH: Final = 20_000  # characters


class Wish(BaseModel):
    """A new subscription. `email` is the address of an account of one's institution; `url` that of
    a webhook."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    search: dict[str, Text | Texts] = Field(
        default_factory=dict,
        max_length=40,
        description="Les filtres de GET /v1/opportunities, par leur nom.",
    )
    name: Name = ""
    kinds: Annotated[tuple[AlertKind, ...], Field(min_length=1, max_length=len(AlertKind))] = tuple(
        AlertKind
    )
    channel: Channel = Channel.EMAIL
    rhythm: Rhythm = Rhythm.DAILY
    zone: Zone = "Europe/Paris"
    email: Annotated[str, Field(max_length=254)] | None = None
    url: Annotated[str, Field(max_length=2000)] | None = None


class Change(BaseModel):
    """What changes of a subscription; what is not said stays. `enabled` begins deliveries again
    that were stopped, `new_secret` ends its private addresses and its signing key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    search: Annotated[dict[str, Text | Texts], Field(max_length=40)] | None = None
    name: Name | None = None
    kinds: (
        Annotated[tuple[AlertKind, ...], Field(min_length=1, max_length=len(AlertKind))] | None
    ) = None
    channel: Channel | None = None
    rhythm: Rhythm | None = None
    zone: Zone | None = None
    email: Annotated[str, Field(max_length=254)] | None = None
    url: Annotated[str, Field(max_length=2000)] | None = None
    muted: bool | None = None
    dismiss: Annotated[str, Field(pattern=r"^[a-z0-9]{1,40}$")] | None = None
    enabled: bool | None = None
    new_secret: bool = False


def _fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    name = str(fault["loc"][0]) if fault["loc"] else ""
    return f"Le filtre « {name[:40]} » ne peut pas être suivi : {sentence_of(fault)}."


def search_of(
    asked: dict[str, str | list[str]], told: Callable[[ValidationError], str] = _fault
) -> SearchParameters:
    """The search of a wish; `told` says what is wrong with one, by the names of the API unless
    given. Raises RefusedSubscriptionError."""
    if sum(len(str(texts)) for texts in asked.values()) > _LONGEST_SEARCH:
        raise RefusedSubscriptionError("Cette recherche est trop longue : raccourcissez-la.")
    try:
        return parameters_of(asked)
    except ValidationError as error:
        raise RefusedSubscriptionError(told(error)) from None


def subscription_of(
    wish: Wish,
    owner: Owner,
    now: datetime,
    *,
    name: str,
    recipient: Account | None,
    webhook: Webhook | None,
) -> Subscription:
    """The row of a wish. `name` is for one that gives none."""
    made = Subscription(
        id=new_id(),
        siren=owner.siren,
        account=owner.account,
        name=wish.name or name[:200],
        search=given(search_of(wish.search)),
        kinds=wish.kinds,
        channel=wish.channel,
        rhythm=wish.rhythm,
        zone=wish.zone,
        recipient=recipient.id if recipient else "",
        webhook=webhook,
        secret=new_secret(),
        created=now,
    )
    return _whole(made)


def note_subscription(
    owner: Owner, recipient: Account, now: datetime, *, code: str, place: str
) -> Subscription:
    """The row of who wants the note of each week; `code` is the territory's, "fr" for all."""
    return Subscription(
        id=new_id(),
        siren=owner.siren,
        account=owner.account,
        name=f"Note du comité stratégique : {place}"[:200],
        search={} if code == "fr" else {"territory": [code]},
        rhythm=Rhythm.WEEKLY,
        recipient=recipient.id,
        secret=new_secret(),
        created=now,
        note=True,
    )


def changed(
    known: Subscription, change: Change, *, recipient: Account | None, webhook: Webhook | None
) -> Subscription:
    """The row after a change. Raises RefusedSubscriptionError."""
    values: dict[str, Any] = {
        name: value
        for name in ("name", "kinds", "channel", "rhythm", "zone", "muted")
        if (value := getattr(change, name)) is not None
    }
    if change.search is not None:
        values["search"] = given(search_of(change.search))
    if recipient is not None:
        values["recipient"] = recipient.id
    if webhook is not None:
        values |= {"webhook": webhook, "disabled": None}
    if change.enabled:
        values["disabled"] = None
    if change.new_secret:
        values["secret"] = new_secret()
    if change.dismiss and change.dismiss not in known.dismissed:
        # The oldest are forgotten: what one has set aside long ago hardly changes any more.
        values["dismissed"] = (*known.dismissed, change.dismiss)[-MOST_DISMISSED:]
    return _whole(known.model_copy(update=values))


def _whole(subscription: Subscription) -> Subscription:
    if subscription.note and subscription.channel is not Channel.EMAIL:
        raise RefusedSubscriptionError("La note d’une semaine ne part que par courriel.")
    if subscription.channel is Channel.EMAIL and not subscription.recipient:
        raise RefusedSubscriptionError(
            "Dites à qui envoyer les courriels : l’adresse (email) d’un compte de votre "
            "institution."
        )
    if subscription.channel is Channel.WEBHOOK and subscription.webhook is None:
        raise RefusedSubscriptionError("Dites à quelle adresse (url) envoyer les alertes.")
    return subscription


def shown(subscription: Subscription, address: str, *, secret: bool = False) -> dict[str, Any]:
    """A subscription as its owner sees it; with `secret`, the key that signs its webhooks.
    `address` is the service's."""
    hook = subscription.webhook
    feed = f"{address}/abonnement/{subscription.id}/{subscription.token('feed')}"
    found: dict[str, Any] = {
        "id": subscription.id,
        "note": subscription.note,
        "name": subscription.name,
        "search": subscription.search,
        "page": address + page_of(subscription),
        "kinds": [str(kind) for kind in subscription.kinds],
        "channel": str(subscription.channel),
        "rhythm": str(subscription.rhythm),
        "zone": subscription.zone,
        "muted": subscription.muted,
        "dismissed": list(subscription.dismissed),
        "disabled": None,
        "url": hook.url if hook else None,
        "feeds": {form: f"{feed}.{form}" for form in ("rss", "atom", "ics")},
        "created": subscription.created.isoformat(),
    }
    if subscription.disabled:
        found["disabled"] = {
            "at": subscription.disabled.at.isoformat(),
            "sentence": subscription.disabled.sentence,
        }
    if secret and hook:
        found["secret"] = signing_key(subscription)
    return found


def page_of(subscription: Subscription) -> str:
    """The page of what is followed: a search, or a note."""
    if subscription.note:
        where = subscription.search.get("territory", ["fr"])
        return page_address({"lieu": where}, "/note")
    return page_address(subscription.search)


def signing_key(subscription: Subscription) -> str:
    """The key of a subscription's webhooks, as Standard Webhooks write it (`whsec_…`)."""
    return "whsec_" + b64encode(bytes.fromhex(subscription.token("webhook"))).decode()


def kinds_text(subscription: Subscription) -> str:
    """The kinds of alerts in words."""
    return ", ".join(KIND_LABELS[kind].lower() for kind in subscription.kinds)
