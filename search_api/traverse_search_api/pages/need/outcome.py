"""What became of a need that was said in the pages, as its page tells it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from traverse_schemas.log.receipts import End
from traverse_search_api.pages.institution.field_names import need_fault

_HELD: Final = frozenset({End.SEARCHABLE, End.COUNTED})


@dataclass(frozen=True, slots=True)
class Outcome:
    """The page: `waiting` while nothing has become of it yet; `refused` where it is not taken up.
    `links` are (address, words), what people most want first."""

    heading: str
    sentence: str
    links: list[tuple[str, str]]
    waiting: bool = False
    refused: bool = False


def outcome_of(trace: Mapping[str, Any] | None, reference: str, identifier: str) -> Outcome:
    """From the trace of the event (None while none is known), the need's reference and its id."""
    end = (trace or {}).get("end")
    record = (f"/fiche/{identifier}", "Voir la fiche")
    correct = (f"/signaler?corriger={reference}", "Corriger ce besoin")
    if trace is None or end is None:  # `waiting` is told as None
        sentence = "Il paraît dans quelques secondes, une fois vérifié."
        return Outcome("Le besoin est reçu", sentence, [record], waiting=True)
    if end in _HELD:
        return Outcome("Le besoin paraît", "Il est accepté et publié.", [record, correct])
    if end == End.REJECTED:
        why = need_fault(
            trace.get("pointer") or "", trace.get("sentence") or "La raison n’est pas connue."
        )
        refusals = ("/mon-institution", "Corriger parmi les refus de l’institution")
        told = f"Il n’est pas publié. {why}"
        return Outcome("Le besoin est refusé", told, [refusals], refused=True)
    if end == End.SUPERSEDED:
        sentence = "Une version plus récente de ce besoin l’a remplacé."
        return Outcome("Le besoin a été corrigé depuis", sentence, [record, correct])
    # Withdrawn, erased, or an institution that still tries: in the words of every trace.
    return Outcome("Le besoin ne paraît pas", f"{trace['label']}.", [])
