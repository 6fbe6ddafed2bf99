"""The set of events that comes with the product, of our own writing: eighteen institutions of
Provence, their projects, calls and needs, and some mistakes made on purpose.

Territorial institutions and the chamber are real, the federations are invented, and everything
that is published here is fiction; `data/manifest.json` says so, and what must come of it.
"""

import json
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, NamedTuple

_WRONG = "wrong.ndjson"
# One JSON text, to be padded in its description.
_HEAD = (
    b'{"specversion":"1.0","id":"essai-99","source":"urn:siren:211300413:essais",'
    b'"type":"fr.traverse.call.published.v1","subject":"ESSAI-99",'
    b'"time":"2026-11-20T10:00:00+01:00","data":{"description":"'
)
_TAIL = b'"}}'


class RecordName(NamedTuple):
    """A record by its identity: full source and the source's own reference."""

    source: str
    subject: str


@dataclass(frozen=True, slots=True)
class Search:
    """An example search: parameters of `GET /v1/opportunities`, and public records among those
    that it must find."""

    parameters: dict[str, Any]
    finds: tuple[RecordName, ...]


@dataclass(frozen=True, slots=True)
class Bundled:
    """The set.

    `events` are octets in playing order, those of `wrong` last; `reasons` has the reason
    (`traverse_schemas.errors.Reason`) of each of `wrong`, in the same order; `expected` has the
    sums of the manifest: `events` by their end, `records` by kind, subtype, visibility and status
    at `as_of`, `rejected` by reason.
    """

    title: str
    as_of: str
    institutions: list[dict[str, Any]]
    events: tuple[bytes, ...]
    wrong: tuple[bytes, ...]
    reasons: tuple[str, ...]
    examples: tuple[Search, ...]
    expected: dict[str, Any]

    @property
    def good(self) -> tuple[bytes, ...]:
        """The events that are to be accepted (or known as duplicates)."""
        return self.events[: -len(self.wrong)]

    @property
    def searches(self) -> tuple[dict[str, Any], ...]:
        """The parameters of the example searches."""
        return tuple(example.parameters for example in self.examples)

    @property
    def rejected(self) -> dict[str, int]:
        """How often each reason must occur."""
        return dict(self.expected["rejected"])


def load() -> Bundled:
    """Read the set from the package."""
    folder = files("traverse_infra.demo") / "data"
    manifest = _json(folder / "manifest.json")
    generated = manifest["generated"]
    good = [line for name in manifest["files"] for line in _lines(folder / name)]
    wrong = (*_lines(folder / _WRONG), _padded(generated["octets"]))
    reasons = (*(one["reason"] for one in _json(folder / "wrong_expected.json")),)
    return Bundled(
        title=manifest["title"],
        as_of=manifest["as_of"],
        institutions=_json(folder / "institutions.json"),
        events=(*good, *wrong),
        wrong=wrong,
        reasons=(*reasons, generated["reason"]),
        examples=tuple(
            Search(one["parameters"], tuple(RecordName(**name) for name in one["finds"]))
            for one in manifest["searches"]
        ),
        expected=manifest["expected"],
    )


def _json(file: Traversable) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def _lines(file: Traversable) -> list[bytes]:
    """The lines as they are: some are no JSON, or not even UTF-8."""
    return file.read_bytes().removesuffix(b"\n").split(b"\n")


def _padded(octets: int) -> bytes:
    """An event with a document pasted into it: made here, so as not to ship its bulk."""
    return _HEAD + b"x" * (octets - len(_HEAD) - len(_TAIL)) + _TAIL
