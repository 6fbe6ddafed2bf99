"""Notes of a week, of what a test says was read."""

from datetime import date
from typing import Any

from tests.documents import document
from traverse_schemas.reference.territories import Territories
from traverse_search_api.access.reader import ANYBODY
from traverse_search_api.answers.items import item_of
from traverse_search_api.pages.note.reading import Found, Item, Scope
from traverse_search_api.pages.note.week import Week

WEEK = Week(date(2026, 3, 2))
SCOPE = Scope(WEEK, "epci:200054807", WEEK.end)
TERRITORIES = Territories.load()


def need(subject: str, **fields: Any) -> Item:
    made = document(
        subject, f"Besoin {subject}", kind="need", subtype="purchase",
        **{"published_at": "2026-03-03T08:00:00Z", **fields},
    )  # fmt: skip
    shown = item_of({"_source": made}, SCOPE.as_of, ANYBODY)
    return {**shown, "window": fields.get("window", {}), "outcome": fields.get("outcome", "")}


def found(*needs: Item, **fields: Any) -> Found:
    empty: dict[str, Any] = {
        "waiting": len(needs), "counts": {}, "closed": [], "closed_counts": {}, "coming": [],
        "coming_counts": {}, "answers": {}, "groupings": None,
    }  # fmt: skip
    return Found(needs=list(needs), **{**empty, **fields})
