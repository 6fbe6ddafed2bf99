"""The cursor of the next page: sealed text, bound to one search of one reader."""

import json
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

from traverse_search_api.access.reader import Reader
from traverse_search_api.access.sealed import seal, unseal
from traverse_search_api.errors import InvalidCursorError
from traverse_search_api.parameters import SearchParameters

_PURPOSE: Final = b"cursor"
_OF_A_PAGE: Final = {"cursor", "size", "facets", "explain"}


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next page begins.

    `snapshot` is the id of Elasticsearch's point in time; None for the second page, which opens it.
    `shown` are the ids of the first page, which was not read from it and was asked for at `asked`
    (seconds since 1970). `after` are the sort values of the last hit, None for the second page.
    `total` and `exact` are those of the page before; `as_of` is the instant that the search judges
    from (ISO 8601). `text` is what was searched in the end, which is not `q` where that was
    corrected; `relaxed`, `kept` and `broad` are those of its plan.
    """

    snapshot: str | None
    asked: float
    shown: tuple[str, ...]
    after: tuple[Any, ...] | None
    total: int
    exact: bool
    as_of: str
    search: str
    text: str
    relaxed: bool = False
    kept: str = ""
    broad: bool = False


def fingerprint(parameters: SearchParameters, reader: Reader) -> str:
    """What the cursor belongs to: its reader, and every parameter but itself and what a page shows
    (its size, facets, explanations)."""
    values = parameters.model_dump(mode="json", exclude=_OF_A_PAGE)
    canonical = json.dumps([values, reader.key], sort_keys=True, separators=(",", ":")).encode()
    return blake2b(canonical, digest_size=8).hexdigest()


def encode(cursor: Cursor, key: bytes) -> str:
    """The cursor as text for an address; `key` is the service's secret."""
    payload = json.dumps(_values(cursor), separators=(",", ":")).encode()
    return seal(payload, key, _PURPOSE)


def decode(text: str, parameters: SearchParameters, reader: Reader, key: bytes) -> Cursor:
    """The inverse of `encode`.

    Raises InvalidCursorError when the service did not make it, or made it for other parameters or
    another reader.
    """
    payload = unseal(text, key, _PURPOSE)
    if payload is None:
        raise _not_ours()
    values = json.loads(payload)
    if values.keys() != set(Cursor.__slots__):
        raise _not_ours()  # of an earlier version of the service
    after = values["after"]
    cursor = Cursor(
        **{
            **values,
            "shown": tuple(values["shown"]),
            "after": None if after is None else tuple(after),
        }
    )
    if cursor.search != fingerprint(parameters, reader):
        raise InvalidCursorError(
            "Ce curseur vient d’une autre recherche : répétez les mêmes paramètres, "
            "ou relancez sans cursor."
        )
    return cursor


def _values(cursor: Cursor) -> dict[str, Any]:
    return {name: getattr(cursor, name) for name in Cursor.__slots__}


def _not_ours() -> InvalidCursorError:
    return InvalidCursorError(
        "Ce curseur n’a pas été émis par ce service, ou l’a été avant son redémarrage : relancez "
        "la recherche sans cursor."
    )
