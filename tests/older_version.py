"""A made-up older version of a type of event, for the tests: what a call was before it had a title.

`call.published.v0` said `object` for the title; v1 took its place on 1 January 2026.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from tests.stream_processors.factory import call_data, event
from traverse_producers.gateway.vocabulary import components
from traverse_schemas.events import EVENT_TYPES, Action, EventType
from traverse_schemas.judging.succession import Succession
from traverse_schemas.records.codes import Kind

NEW = "fr.traverse.call.published.v1"
OLD = "fr.traverse.call.published.v0"
WORDS = "Réfection de la voirie communale"


class CallPublishedV0(BaseModel):
    """A call, as it was published then."""

    model_config = ConfigDict(extra="forbid")

    object: str
    subtype: str
    url: str
    place: list[str]


def modernise(data: dict[str, Any]) -> dict[str, Any]:
    """What was the object is the title."""
    rest = {name: value for name, value in data.items() if name != "object"}
    return {"title": data["object"], **rest}


@contextmanager
def older_version() -> Iterator[None]:
    """The older version is known, and accepted until 1 March 2027."""
    succession = Succession(NEW, date(2026, 1, 1), date(2027, 3, 1), modernise)
    known = EventType(OLD, Kind.CALL, Action.PUBLISHED, CallPublishedV0, succession)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(EVENT_TYPES, OLD, known)
        components.cache_clear()
        yield
    components.cache_clear()


def old_event(**changes: Any) -> dict[str, Any]:
    """A call in the older version; `new_event` says the same in the current one."""
    data = {"object": WORDS, "subtype": "contract", "place": ["com:13040"],
            "url": "https://exemple.fr/appels/voirie"}  # fmt: skip
    return event(type=OLD, data=data, **changes)


def new_event(**changes: Any) -> dict[str, Any]:
    """The same in the current version."""
    said = call_data()
    kept = {name: said[name] for name in ("subtype", "place", "url")}
    return event(data={"title": WORDS, **kept}, **changes)
