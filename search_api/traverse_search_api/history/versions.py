"""Versions: what each accepted event of a record changed, as one reader may see it. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from traverse_search_api.access.reader import Reader
from traverse_search_api.history.accepted_log import Kept
from traverse_search_api.history.pointers import Pointer

_ACTIONS: Final = {
    "published": "Publié", "updated": "Mis à jour", "closed": "Clos", "withdrawn": "Retiré",
}  # fmt: skip
# Whom to reach was published on purpose and may since have been taken back; whom a record names is
# nobody else's business. That it changed is said.
_UNTOLD: Final = frozenset({"contact", "audience"})
_LONGEST: Final = 4000  # octets of JSON of one value
_BESIDE: Final = frozenset({"record", "reason"})


def readable(pointers: Sequence[Pointer], reader: Reader) -> list[tuple[Pointer, str]]:
    """The events of one record that a reader may read, in their order, with their audience. What
    carries no record is for whom the record before it is; before any, for nobody."""
    found, audience = [], ""
    for one in pointers:
        audience = one.audience or audience
        if audience and reader.reads(audience):
            found.append((one, audience))
    return found


@dataclass(slots=True)
class _Said:
    """What a record says so far: its fields, and how it ended."""

    content: dict[str, Any] = field(default_factory=dict)
    closing: dict[str, Any] = field(default_factory=dict)

    def after(self, action: str, data: Mapping[str, Any]) -> "_Said":
        plain = {name: value for name, value in data.items() if name not in _BESIDE}
        if action == "closed":
            return _Said(dict(data.get("record") or self.content), plain)
        return _Said(plain, {} if action == "published" else self.closing)

    def fields(self) -> dict[str, Any]:
        return {**self.content, **self.closing}


def versions(kept: Iterable[tuple[Kept, str]]) -> list[dict[str, Any]]:
    """The versions of one record, from its events in order, each with its audience: when, what was
    done, by whom, and the fields that changed. Those of the first are all that it said."""
    said, found = _Said(), []
    for (event, headers), audience in kept:
        action = event["type"].split(".")[3]
        data = event.get("data") or {}
        after = said.after(action, data)
        version = {
            "at": event["time"],
            "received_at": headers.get("traverse-received"),
            "action": action,
            "action_label": _ACTIONS.get(action, action),
            "reason": data.get("reason"),
            "source": event["source"],
            "subject": event["subject"],
            "vouched_by": headers.get("traverse-vouched"),
            "visibility": audience.partition(":")[0],
            "changes": _changes(said.fields(), after.fields()),
        }
        found.append(version)
        said = after
    return found


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"field": name}
        if name in _UNTOLD
        else {
            "field": name,
            "before": _bounded(before.get(name)),
            "after": _bounded(after.get(name)),
        }
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


def _bounded(value: Any) -> Any:
    """The value, or the beginning of one that is too long to show twice a version."""
    octets = orjson.dumps(value)
    if len(octets) <= _LONGEST:
        return value
    if isinstance(value, str):
        return value[: _LONGEST // 4] + "…"
    if isinstance(value, list):
        kept: list[Any] = []
        size = 0
        for one in value:
            size += len(orjson.dumps(one))
            if size > _LONGEST:
                break
            kept.append(one)
        return [*kept, "…"]
    return "…"
