"""What a member says of a proposed grouping, from a click to an event (`decisions.py`). Pure."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Final

from traverse_schemas.decisions import DecisionKind, GroupingStep
from traverse_schemas.events import event_type
from traverse_schemas.log.identity import opportunity_id, utc_text
from traverse_search_api.errors import InvalidParameterError
from traverse_search_api.moments import read_moment
from traverse_search_api.pages.need.form import source_of

FORMAL: Final[dict[GroupingStep, str]] = {
    GroupingStep.CONVENTION: "Convention à délibérer",
    GroupingStep.DELIBERATED: "Notre assemblée a délibéré",
    GroupingStep.CONSTITUTED: "Nous avons signé la convention",
}
"""The steps after interest, in their order (Code de la commande publique, art. L.2113-6, L.2113-7).
A click binds nobody: they tell of what was done elsewhere."""

SAID: Final[dict[GroupingStep, str]] = {
    GroupingStep.INTERESTED: "Nous sommes intéressés",
    GroupingStep.NOT_INTERESTED: "Pas pour nous",
    GroupingStep.WITHDRAWN: "Réponse reprise",
    **FORMAL,
}


def step_of(text: str) -> GroupingStep:
    """The word of a form. Raises InvalidParameterError."""
    try:
        return GroupingStep(text)
    except ValueError:
        raise InvalidParameterError(
            "mot", "Cette réponse n’existe pas : revenez à « Mutualiser »."
        ) from None


def day_of(text: str) -> date | None:
    """The day of a formal step, `12/03/2026` too: old browsers have a plain field for it. None when
    none was given. Raises InvalidParameterError."""
    if not text.strip():
        return None
    try:
        found = read_moment(text)
    except ValueError:
        found = None
    if found is None or isinstance(found, datetime):
        raise InvalidParameterError(
            "jour",
            "La « Date de cette étape » ne peut pas être lue : revenez à la page précédente, et "
            "écrivez-la comme 12/03/2026, ou laissez le champ vide.",
        )
    return found


def own_record(sources: Iterable[Mapping[str, Any]], record: str) -> dict[str, str] | None:
    """The record of a grouping by its source and subject, among those of a document."""
    for one in sources:
        if opportunity_id(one["source"], one["subject"]) == record:
            return {"source": one["source"], "subject": one["subject"]}
    return None


def word_event(
    step: GroupingStep,
    *,
    grouping: str,
    record: Mapping[str, str],
    siren: str,
    event_id: str,
    now: datetime,
    on: date | None,
) -> dict[str, Any]:
    """The CloudEvent of a word. Of one record in one grouping an institution has one word: the
    last."""
    data: dict[str, Any] = {"grouping": grouping, "record": dict(record)}
    if on is not None:
        data["on"] = on.isoformat()
    identifier = opportunity_id(record["source"], record["subject"])
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": source_of(siren),
        "type": event_type(DecisionKind.GROUPING, step),
        "subject": f"mutualiser-{grouping}-{identifier}",
        "time": utc_text(now),
        "datacontenttype": "application/json",
        "data": data,
    }
