"""The answer of a search as a table in French, readable at 80 columns and better at 120."""

from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from traverse_search_api.deadlines import deadline_text

_WIDE: Final = 110  # columns from which institution and place have columns of their own
_STYLES: Final = {
    "open": "green",
    "closing_soon": "bold yellow",
    "announced": "cyan",
    "reported": "cyan",
    "qualified": "cyan",
}


def results_table(answer: dict[str, Any], *, width: int) -> RenderableType:
    """The contract's answer for a terminal `width` columns wide: the table, then the total.

    Texts come from outside: they are shown as they are, never read as markup.
    """
    items = answer["items"]
    if not items:
        diagnosis = answer.get("diagnosis") or {}
        return Text(
            diagnosis.get(
                "sentence", "Aucun résultat : essayez d’autres mots, ou moins de filtres."
            )
        )
    notices = [Text(line) for line in notice_lines(answer)]
    return Group(*notices, _table(items, wide=width >= _WIDE), Text(total_line(answer)))


def notice_lines(answer: dict[str, Any]) -> list[str]:
    """What the search did that was not asked: what it understood, corrected, relaxed."""
    lines = [f"« {one['text']} » compris : {one['label']}" for one in answer.get("understood", ())]
    if answer.get("correction"):
        lines.append(f"Résultats pour « {answer['correction']} ».")
    if answer.get("relaxed"):
        lines.append(str(answer["relaxed"]["sentence"]))
    return lines


def total_line(answer: dict[str, Any]) -> str:
    """`3 résultats`, `20 premiers résultats sur 1 204`, `… sur plus de 100 000`."""
    value, shown = answer["total"]["value"], len(answer["items"])
    total = f"{value:,}".replace(",", " ")
    if not answer["total"]["exact"]:
        total = f"plus de {total}"
    if value > shown:
        return f"{shown} premiers résultats sur {total}" if shown > 1 else f"1 résultat sur {total}"
    return f"{total} résultat{'s' if value > 1 else ''}"


def owner_of(item: dict[str, Any]) -> str:
    """The name of whose thing it is, else of who says it."""
    institutions = item["institutions"]
    owners = [one for one in institutions if one.get("role") == "owner"] or institutions
    return str(owners[0]["name"]) if owners else "—"


def _table(items: list[dict[str, Any]], *, wide: bool) -> Table:
    table = Table(expand=True, show_lines=not wide, pad_edge=False, padding=(0, 1, 0, 0), box=None)
    table.add_column("Type", ratio=3 if wide else 2, overflow="fold")
    table.add_column("Titre", ratio=9 if wide else 6, overflow="fold")
    if wide:
        table.add_column("Institution", ratio=5, overflow="fold")
        table.add_column("Territoire", ratio=4, overflow="fold")
    table.add_column("Statut", ratio=3 if wide else 2, overflow="fold")
    table.add_column("Échéance", ratio=3 if wide else 2, overflow="fold")
    for item in items:
        place = (item.get("territory") or {}).get("name", "—")
        title, owner = Text(item["title"]), owner_of(item)
        middle: list[RenderableType] = [title, Text(owner), Text(place)]
        if not wide:
            middle = [Text.assemble(title, "\n", (f"{owner} · {place}", "dim"))]
        table.add_row(
            Text(item["kind_label"]),
            *middle,
            Text(item["status_label"], style=_STYLES.get(item["status"], "")),
            Text(deadline_text(item.get("deadline"))),
        )
    return table
