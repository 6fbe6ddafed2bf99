"""The set of events that comes with the product, of our own writing: a few institutions of
Provence, their projects, calls and needs, and some mistakes made on purpose.

Institutions are real or invented; what they publish here is fiction.
"""

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from traverse_schemas.topics import MAX_EVENT_BYTES

_WRONG = "90-wrong.txt"


@dataclass(frozen=True, slots=True)
class Bundled:
    """The set: `events` are octets in playing order, some wrong on purpose; `searches` are
    parameters of `GET /v1/opportunities`; `rejected` says how often each reason must occur."""

    title: str
    as_of: str
    institutions: list[dict[str, Any]]
    events: list[bytes]
    wrong: list[bytes]
    searches: tuple[dict[str, Any], ...]
    rejected: dict[str, int]


def load() -> Bundled:
    """Read it from the package."""
    folder = files("traverse_infra.demo") / "data"
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    good = [
        line
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".ndjson")
        for line in file.read_bytes().splitlines()
    ]
    wrong = [*(folder / _WRONG).read_bytes().splitlines(), _too_large()]
    return Bundled(
        title=manifest["title"],
        as_of=manifest["as_of"],
        institutions=json.loads((folder / "institutions.json").read_text(encoding="utf-8")),
        events=[*good, *wrong],
        wrong=wrong,
        searches=tuple(manifest["searches"]),
        rejected=manifest["expected"]["rejected"],
    )


def _too_large() -> bytes:
    """An event with a document pasted into it: made here, so as not to ship its bulk."""
    start = b'{"specversion":"1.0","id":"erreur-99","source":"urn:siren:211300405","data":"'
    return start + b"x" * (MAX_EVENT_BYTES + 1024) + b'"}'
