"""The indices of opportunities: aliases, analysis, mapping. The same on any Elasticsearch 8.

Nothing here may depend on whether a full distribution or the local engine's plugin serves the
analysis: a contract test reads the tokens.
"""

import json
from hashlib import blake2b
from typing import Any, Final

from traverse_schemas.documents import counted, other_languages
from traverse_schemas.documents.document import INDICES, PUBLIC_INDEX
from traverse_schemas.documents.indexed import OWNER_NAME, REFERENCE_KEYS
from traverse_schemas.french import analysis as french

ALIASES: Final[dict[str, str]] = {index: f"traverse-{index}" for index in INDICES}
"""The alias of each audience's index."""

PUBLIC_ALIAS: Final = ALIASES[PUBLIC_INDEX]

WORDS: Final = "words"
"""The field of all words that a document is found by, from whichever of its fields."""

_KEYWORD: Final[dict[str, Any]] = {"type": "keyword", "ignore_above": 1024}
_SHOWN: Final[dict[str, Any]] = {"type": "keyword", "index": False, "doc_values": False}
_STORED: Final[dict[str, Any]] = {"type": "object", "enabled": False}
_DATE: Final[dict[str, Any]] = {"type": "date"}


def _french(**extra: Any) -> dict[str, Any]:
    """Stemmed French, with the exact form beside it so that exact words can win.

    Offsets are kept: highlighting reads them instead of analysing each shown text again.
    """
    return {
        "type": "text",
        "analyzer": "french_index",
        "search_analyzer": "french_search",
        "index_options": "offsets",
        "fields": {"exact": {"type": "text", "analyzer": "french_exact"}},
        **extra,
    }


def _words() -> dict[str, Any]:
    """Stems alone, in their places: an expression never goes from one field on to the next, as
    Elasticsearch leaves a hundred places between two values."""
    return {"type": "text", "analyzer": "french_index", "search_analyzer": "french_search"}


def _mapping() -> dict[str, Any]:
    return {
        "dynamic": "strict",
        "_meta": {"statuses": counted.numbering()},
        "properties": {
            "id": {"type": "keyword"},
            "stub": {"type": "boolean"},
            "kind": _KEYWORD,
            "subtype": _KEYWORD,
            "title": _french(copy_to=WORDS),
            "description": _french(copy_to=WORDS),
            WORDS: _words(),
            "language": _KEYWORD,
            **other_languages.mapping(),
            **counted.mapping(),
            "visibility": _KEYWORD,
            "audience": _KEYWORD,
            "institutions": {
                "properties": {
                    "siren": _KEYWORD,
                    "name": _french(copy_to=WORDS),
                    "kind": _KEYWORD,
                    "role": _KEYWORD,
                }
            },
            # Nobody is shown it, so that nothing is marked in it.
            OWNER_NAME: _french(index_options="positions"),
            "owner_siren": _KEYWORD,
            "owner_id": _KEYWORD,
            "owner_kind": _KEYWORD,
            "url": _SHOWN,
            "references": _SHOWN,
            # Looked for, never counted or sorted by.
            REFERENCE_KEYS: {**_KEYWORD, "doc_values": False},
            "place": _KEYWORD,
            "within": _KEYWORD,
            "covers": _KEYWORD,
            "zones": _KEYWORD,
            "territory": _STORED,
            "place_names": _french(copy_to=WORDS),
            "location": {"type": "geo_point"},
            "cpv": _KEYWORD,
            "cpv_within": _KEYWORD,
            "cpv_labels": _french(copy_to=WORDS),
            "naf": _KEYWORD,
            "themes": _KEYWORD,
            "nature": _KEYWORD,
            "procedure": _KEYWORD,
            "techniques": _KEYWORD,
            "access": _KEYWORD,
            "stage": _KEYWORD,
            "state": _KEYWORD,
            "outcome": _KEYWORD,
            "closed_on": _DATE,
            "amount": {"type": "double"},
            "amounts": _STORED,
            "deadline": {
                "properties": {
                    "until": _DATE,
                    "kind": _KEYWORD,
                    "zone": _KEYWORD,
                    "precision": _KEYWORD,
                }
            },
            "deadlines": _STORED,
            "window": {"properties": {"from": _DATE, "to": _DATE}},
            "recurrence": _KEYWORD,
            "notified": _DATE,
            "duration_months": {"type": "integer"},
            "end_min": _DATE,
            "end_max": _DATE,
            "lots": _STORED,
            "holders": {
                "properties": {"id": _KEYWORD, "name": _french(copy_to=WORDS), "role": _KEYWORD}
            },
            "financing": _STORED,
            "actions": _STORED,
            "contact": _STORED,
            "on_behalf": _KEYWORD,
            "joint": _STORED,
            "licence": _KEYWORD,
            "expires": _DATE,
            "flags": _KEYWORD,
            "published_at": _DATE,
            "updated_at": _DATE,
            "sources": {
                "properties": {
                    "source": _KEYWORD,
                    "subject": _KEYWORD,
                    "updated_at": _DATE,
                    "url": _SHOWN,
                }
            },
            "links": _STORED,
            "merged": _STORED,
            "merged_into": _SHOWN,
            "provenance": _STORED,
        },
    }


def index_body() -> dict[str, Any]:
    """Settings and mappings of an index of opportunities."""
    return {"settings": {**_SETTINGS, "analysis": _analysis()}, "mappings": _mapping()}


def _analysis() -> dict[str, Any]:
    """French for everything, and other languages for the documents that speak them."""
    also = other_languages.analysis()
    return {name: part | also.get(name, {}) for name, part in french.analysis().items()}


def index_fingerprint() -> str:
    """8 letters and digits that change when settings or mapping change: then it is a migration."""
    canonical = json.dumps(index_body(), sort_keys=True, separators=(",", ":")).encode()
    return blake2b(canonical, digest_size=4).hexdigest()


_SETTINGS: Final[dict[str, Any]] = {
    "number_of_shards": 1,
    "number_of_replicas": 0,
    # Explicit: by default an index that nobody searched for 30 s stops refreshing, and what is
    # published then appears late.
    "refresh_interval": "500ms",
    # What is fixed of a search is paid in each segment: half as many as Elasticsearch would keep
    # cost little more to write (docs/performance.md).
    "merge": {"policy": {"segments_per_tier": 5, "max_merge_at_once": 5, "floor_segment": "16mb"}},
}
