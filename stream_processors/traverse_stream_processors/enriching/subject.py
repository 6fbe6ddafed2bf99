"""Subject: what a record is about, by CPV and themes. Pure."""

from typing import Any

from traverse_schemas.records.models import Call, Need, Project
from traverse_schemas.reference.cpv import cpv_label
from traverse_schemas.reference.themes import THEMES, themes_of_cpv, themes_of_text
from traverse_schemas.values.cpv import cpv_ancestors

# The codes of a thousand lots, with every level above and its words, would come to more than a
# message may hold.
_MOST_CODES = 300
_TOLD_BY = 1000  # characters of a description: its beginning says what it is about


def subject_of(record: Project | Call | Need, title: str, description: str) -> dict[str, Any]:
    """The document's `cpv`, `cpv_within`, `cpv_labels` and `themes`.

    The codes of the lots count too, up to 300 in all. Themes: those the publisher gave, else
    those of the CPV codes, else those that the words tell.
    """
    codes = list(dict.fromkeys((*record.cpv, *_lot_codes(record))))[:_MOST_CODES]
    found: dict[str, Any] = {}
    if codes:
        within = list(dict.fromkeys(level for code in codes for level in cpv_ancestors(code)))
        labels = (cpv_label(level) for level in within)
        found["cpv"] = codes
        found["cpv_within"] = within
        found["cpv_labels"] = list(dict.fromkeys(label for label in labels if label))
    themes = [theme for theme in record.themes if theme in THEMES]
    if not themes:
        themes = list(dict.fromkeys(theme for code in codes for theme in themes_of_cpv(code)))
    if not themes:
        themes = list(themes_of_text(f"{title} {description[:_TOLD_BY]}"))
    found["themes"] = themes
    return found


def _lot_codes(record: Project | Call | Need) -> list[str]:
    return [code for lot in record.lots for code in lot.cpv] if isinstance(record, Call) else []
