"""The trace of one event: its messages joined, and said in French. Pure.

Several messages may be about one event: read again after a restart, sent twice, purged later. The
end of the highest rank holds, its first message says when; fields that it lacks come from the
others. See `traverse_schemas.log.receipts`.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from traverse_schemas.log.receipts import RANK, End

PARIS: Final = ZoneInfo("Europe/Paris")

LABELS: Final[dict[End, str]] = {
    End.WAITING: "Accepté, en attente du contenu du dossier",
    End.SANDBOX: "Essai : rien n'en sort",
    End.DUPLICATE: "Doublon : déjà reçu, sans effet",
    End.REJECTED: "Refusé",
    End.SUPERSEDED: "Dépassé par une version plus récente",
    End.SEARCHABLE: "Trouvable dans la recherche",
    End.COUNTED: "Pris en compte dans le rapprochement des dossiers",
    End.WITHDRAWN: "Retiré : n'est plus montré",
    End.PURGED: "Effacé : le contenu n'est plus conservé",
}
"""The words on screen of each end."""

_MOST_NOTES = 20


class Said(NamedTuple):
    """One message about an event: its end, when (milliseconds), and what else it says."""

    end: End
    at: int
    fields: dict[str, Any]


class Step(NamedTuple):
    """A stage of the way: its stable name, its French words, when."""

    name: str
    label: str
    at: datetime


class Trace(NamedTuple):
    """What became of an event.

    `verified` is False when the event was refused and nobody knows whether its author is who it
    says; `notes` tells of other messages of the same (source, id), the last 20 at most. Of a trial,
    `would` is the end that it would have had, and `enriched` what Traverse knew of its record.
    """

    source: str
    id: str
    end: End
    label: str
    steps: list[Step]
    opportunity: str | None
    reason: str | None
    pointer: str | None
    sentence: str | None
    verified: bool
    notes: list[Step]
    would: End | None = None
    enriched: dict[str, Any] | None = None


def joined(source: str, event_id: str, messages: Sequence[Said]) -> Trace | None:
    """The trace that these messages make; None without any."""
    ends = [one for one in messages if one.end is not End.DUPLICATE]
    if not ends:
        return None
    # Of several rejections of one id the last holds: it is about the last attempt.
    first = max(
        ends, key=lambda one: (RANK[one.end], one.at if one.end is End.REJECTED else -one.at)
    )
    fields: dict[str, Any] = {}
    for one in sorted(ends, key=lambda one: (one is first, RANK[one.end], one.at)):
        if one is first or one.end is not End.REJECTED:
            fields.update(one.fields)
    return Trace(
        source=source,
        id=event_id,
        end=first.end,
        label=LABELS[first.end],
        steps=_steps(fields, first),
        opportunity=fields.get("opportunity") if first.end is End.SEARCHABLE else None,
        reason=first.fields.get("reason"),
        pointer=first.fields.get("pointer"),
        sentence=first.fields.get("sentence"),
        verified=first.end is not End.REJECTED or bool(first.fields.get("verified", True)),
        notes=_notes(messages, first, fields.get("origin")),
        would=End(first.fields["would"]) if first.end is End.SANDBOX else None,
        enriched=first.fields.get("enriched") if first.end is End.SANDBOX else None,
    )


def _steps(fields: dict[str, Any], first: Said) -> list[Step]:
    stages = (
        ("received", "Reçu"),
        ("validated", "Validé et enrichi"),
        ("linked", "Relié"),
    )
    steps = [Step(name, label, instant(fields[name])) for name, label in stages if name in fields]
    return [*steps, Step(first.end, LABELS[first.end], instant(first.at))]


def _notes(messages: Sequence[Said], first: Said, origin: str | None) -> list[Step]:
    """Other messages of the same (source, id). One that has the origin of the event itself is no
    other: a restart read it again."""
    found = {}
    for one in sorted(messages, key=lambda one: one.at):
        # What a stranger sent under this id is no news of the event.
        refused = one.end is End.REJECTED and one is not first and one.fields.get("verified")
        own = one.fields.get("origin")
        if (refused or one.end is End.DUPLICATE) and own != origin and own not in found:
            words = one.fields.get("sentence") if one.end is End.REJECTED else None
            label = LABELS[one.end] + (f" : {words}" if words else "")
            found[own] = Step(one.end, label, instant(one.at))
    return list(found.values())[-_MOST_NOTES:]


def instant(milliseconds: int) -> datetime:
    """An instant of the log, in the time of Paris."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone(PARIS)


def as_json(trace: Trace) -> dict[str, Any]:
    """The trace as `GET /v1/receipts` answers it; times are ISO 8601 with the offset of Paris."""
    return {
        "source": trace.source,
        "id": trace.id,
        "end": None if trace.end is End.WAITING else str(trace.end),
        "label": trace.label,
        "steps": [_step(one) for one in trace.steps],
        "opportunity": trace.opportunity,
        "reason": trace.reason,
        "pointer": trace.pointer,
        "sentence": trace.sentence,
        "verified": trace.verified,
        "notes": [_step(one) for one in trace.notes],
        "sandbox": None
        if trace.would is None
        else {
            "would": None if trace.would is End.WAITING else str(trace.would),
            "label": _would(trace.would),
            "enriched": trace.enriched,
        },
    }


def from_json(said: dict[str, Any]) -> Trace:
    """The trace that `as_json` said, as a gateway answers it."""
    trial = said.get("sandbox") or {}
    return Trace(
        source=said["source"],
        id=said["id"],
        end=_end(said["end"]),
        label=said["label"],
        steps=[_read(one) for one in said["steps"]],
        opportunity=said["opportunity"],
        reason=said["reason"],
        pointer=said["pointer"],
        sentence=said["sentence"],
        verified=said["verified"],
        notes=[_read(one) for one in said["notes"]],
        would=_end(trial["would"]) if trial else None,
        enriched=trial.get("enriched"),
    )


def _end(said: str | None) -> End:
    return End.WAITING if said is None else End(said)


def _read(step: dict[str, str]) -> Step:
    return Step(step["step"], step["label"], datetime.fromisoformat(step["at"]).astimezone(PARIS))


def _step(step: Step) -> dict[str, str]:
    return {
        "step": str(step.name),
        "label": step.label,
        "at": step.at.isoformat(timespec="milliseconds"),
    }


def as_lines(trace: Trace) -> list[str]:
    """The trace as a terminal shows it."""
    lines = [f"{_printable(trace.source)}, événement {_printable(trace.id)}"]
    lines += [f"  {_moment(one.at)}  {_printable(one.label)}" for one in trace.steps]
    if trace.opportunity:
        lines.append(f"Fiche : {trace.opportunity}")
    if trace.sentence:
        where = f" (à {_printable(trace.pointer)})" if trace.pointer else ""
        lines.append(f"{_printable(trace.sentence)}{where}")
    if trace.would is not None:
        lines.append(_would(trace.would))
    lines += [f"  {name} : {_said(value)}" for name, value in (trace.enriched or {}).items()]
    if not trace.verified:
        lines.append("L'auteur de ce message n'est pas vérifié : il peut ne pas être de vous.")
    lines += [f"À noter : {_moment(one.at)}  {_printable(one.label)}" for one in trace.notes]
    return lines


def _would(end: End) -> str:
    return f"Sans l'essai : {LABELS[end][0].lower()}{LABELS[end][1:]}"


def _said(value: object) -> str:
    return _printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _moment(at: datetime) -> str:
    return f"{at:%d/%m/%Y %H:%M:%S},{at.microsecond // 1000:03}"


def _printable(text: str) -> str:
    """What a stranger wrote, as a terminal may have it."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text[:500])
