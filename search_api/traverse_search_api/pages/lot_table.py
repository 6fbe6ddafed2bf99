"""The lots of a call as a table of its page. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from traverse_schemas.french.numbers import euros
from traverse_schemas.records.codes import ANSWER_BY
from traverse_search_api.deadlines import KIND_LABELS, told_deadline
from traverse_search_api.pages import words

_COLUMNS: Final = ("N°", "Objet", "Échéance", "Montant", "Issue", "Titulaires")
OUTCOME_LABELS: Final = {
    "awarded": "Attribué",
    "unsuccessful": "Sans suite (infructueux)",
    "dropped": "Sans suite (intérêt général)",
    "met": "Satisfait",
    "completed": "Réalisé",
    "abandoned": "Abandonné",
    "terminated": "Résilié",
}


@dataclass(frozen=True, slots=True)
class LotTable:
    """The lots of a procedure: what is known of at least one of them, and a row for each."""

    columns: list[str]
    rows: list[list[str]]


def lot_table(lots: Iterable[Mapping[str, Any]], as_of: datetime) -> LotTable:
    """A column of which no lot says anything is left out: screens are narrow."""
    rows = [_row(lot, as_of) for lot in lots]
    filled = [place for place, column in enumerate(zip(*rows, strict=True)) if any(column)]
    return LotTable(
        columns=[_COLUMNS[place] for place in filled],
        rows=[[row[place] for place in filled] for row in rows],
    )


def _row(lot: Mapping[str, Any], as_of: datetime) -> list[str]:
    """What `_COLUMNS` say of one."""
    amount, due = lot.get("amount"), lot.get("deadline")
    return [
        lot["number"],
        lot.get("title", ""),
        _due(told_deadline(due), as_of) if due else "",
        euros(amount["value"]) if amount else "",
        OUTCOME_LABELS.get(lot.get("outcome", ""), ""),
        names(lot.get("holders", [])),
    ]


def _due(due: Mapping[str, Any], as_of: datetime) -> str:
    """« mardi 17 mars 2026 à 12 h »; what it is for, where it is not to answer by."""
    what = "" if due["kind"] in ANSWER_BY else f"{KIND_LABELS.get(due['kind'], 'Échéance')} : "
    past = datetime.fromisoformat(due["until"]) <= as_of
    return f"{what}{words.moment(due)}{', c’est passé' if past else ''}"


def listed(texts: Iterable[str], most: int = 6) -> str:
    """« a, b, c »; of more than `most` of them, how many are left out."""
    each = list(dict.fromkeys(texts))
    more = len(each) - most
    shown = ", ".join(each[:most])
    return f"{shown} et {more} autres" if more > 1 else ", ".join(each[: most + 1])


def names(holders: Iterable[Mapping[str, Any]]) -> str:
    """Who holds a contract or a lot, by name."""
    return listed(str(one.get("name") or one.get("id") or "") for one in holders)
