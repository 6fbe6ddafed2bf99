"""A rejected event, corrected and ready to be published again. Pure."""

import json
from typing import Any

from traverse_producers.errors import PublishError
from traverse_schemas.errors import Reason
from traverse_schemas.log.identity import content_hash


class UnusableCorrectionError(PublishError):
    """The correction is no event."""


def replayed(original: bytes, correction: bytes | None, reason: str) -> bytes:
    """The octets to publish: the original as it came, or the correction, a structured CloudEvent.

    What the correction leaves out of `specversion`, `id`, `source`, `type`, `subject` and `time`
    comes from the original. Where the id must be another (none was given, or an accepted event
    has it), it is made of the content: the same correction always has the same id, so that
    replaying twice is replaying once. What the index alone refused was accepted: it is said anew,
    corrected or not. Raises UnusableCorrectionError.
    """
    if correction is None and reason != Reason.DOCUMENT_REFUSED:
        return original
    said = object_of(original if correction is None else correction)
    if said is None:
        raise UnusableCorrectionError(
            "La correction n'est pas un objet JSON : envoyez le CloudEvent entier, corrigé, ou un "
            "corps vide pour rejouer l'original tel quel."
        )
    first = object_of(original) or {}
    envelope = ("specversion", "id", "source", "type", "subject", "time")
    whole = {**{name: first[name] for name in envelope if name in first}, **said}
    used = reason in (Reason.ID_REUSED, Reason.DOCUMENT_REFUSED) and whole.get("id") == first.get(
        "id"
    )
    if used or not whole.get("id"):
        canonical = json.dumps(
            {name: value for name, value in whole.items() if name != "id"}, sort_keys=True
        )
        whole["id"] = (
            f"{str(whole.get('id', 'rejeu'))[:200]}#{content_hash(canonical.encode()).hex()}"
        )
    elif correction is not None and whole == said:
        return correction
    try:
        return json.dumps(whole, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise UnusableCorrectionError(
            "La correction contient une moitié de caractère Unicode (\\ud800 à \\udfff) : "
            "réécrivez le texte où elle se trouve."
        ) from None


def object_of(octets: bytes) -> dict[str, Any] | None:
    """The JSON object that these octets are, or None."""
    try:
        found = json.loads(octets)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
