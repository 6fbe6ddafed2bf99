"""Who asks something of subscriptions, and what: read from a request, and bounded."""

from typing import Final, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from traverse_search_api.access.reader import Reader
from traverse_search_api.access.ways import Readers
from traverse_search_api.accounts.forms import MOST_OCTETS, check_same_site
from traverse_search_api.accounts.visits import Visits
from traverse_search_api.alerts.errors import (
    MemberNeededError,
    NoOwnerError,
    RefusedSubscriptionError,
)
from traverse_search_api.alerts.subscription import Owner

_JSON: Final = "application/json"
Model = TypeVar("Model", bound=BaseModel)


def owner_of(request: Request, readers: Readers, visits: Visits) -> tuple[Owner, Reader]:
    """Whose subscriptions the request is about, and what that owner reads.

    Raises what `Readers.of` raises, NoOwnerError, MemberNeededError.
    """
    reader = readers.of(request)
    if request.headers.get("authorization") is not None:
        if not reader.is_member:
            raise MemberNeededError
        return Owner(reader.siren), reader
    person = visits.person(request)
    if person is None:
        raise NoOwnerError
    if not reader.is_member:
        raise MemberNeededError
    return Owner(person.siren, person.account.id), reader


async def read_json(request: Request, model: type[Model]) -> Model:
    """The body as a model.

    Raises RefusedFormError for what another site sent (a form cannot say that it is JSON, and a
    script of another site is not let), RefusedSubscriptionError, RequestValidationError.
    """
    check_same_site(request)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
        raise RefusedSubscriptionError("Envoyez du JSON (Content-Type: application/json).")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_OCTETS:
            raise RefusedSubscriptionError("Cette demande dépasse 64 Kio : raccourcissez-la.")
    try:
        return model.model_validate_json(bytes(body))
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False)) from None
