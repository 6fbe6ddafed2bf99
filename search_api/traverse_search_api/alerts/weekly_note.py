"""The committee's note as an e-mail: which week's goes when, and what it says. Pure.

Whoever has it sent gets the note of each whole week on the Monday after; after a silence of the
notifier, the last one. Its Message-ID is made of the subscription and the week.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from email.message import EmailMessage
from html import escape
from typing import Final, NamedTuple

from traverse_search_api.alerts.envelope import add_end, envelope
from traverse_search_api.alerts.subscription import Subscription, local_zone
from traverse_search_api.pages.address import page_address
from traverse_search_api.pages.note.lists import Line
from traverse_search_api.pages.note.view import NoteView, Row
from traverse_search_api.pages.note.week import Week

_AT: Final = time(7, 30)
"""When it goes on Mondays, in the reader's own zone."""


class Letter(NamedTuple):
    """A note to be sent: of which week and territory (its code, "fr" for all, and its name)."""

    view: NoteView
    week: Week
    code: str
    place: str


class _Part(NamedTuple):
    title: str
    lines: list[tuple[str, str]]
    """What is said, and the address that it leads to ("" for none)."""


def edition(subscription: Subscription, now: datetime) -> Week | None:
    """The week whose note is due, or went last, at an aware instant; None for a Monday before the
    subscription was there."""
    zone = local_zone(subscription)
    here = now.astimezone(zone)
    monday = here.date() - timedelta(days=here.weekday())
    if here < datetime.combine(monday, _AT, zone):
        monday -= timedelta(weeks=1)
    if datetime.combine(monday, _AT, zone) <= subscription.created:
        return None
    return Week(monday).before(1)


def week_of(delivery: str) -> Week | None:
    """The week of a delivery (`Ledger.plan`), by its id; None for one that is of alerts."""
    year, dash, number = delivery.partition(".")[2].partition("-W")
    return Week(date.fromisocalendar(int(year), int(number), 1)) if dash else None


def note_email(
    subscription: Subscription,
    letter: Letter,
    *,
    to: str,
    sender: str,
    delivery: str,
    address: str,
    now: datetime,
) -> EmailMessage:
    """The message, text and HTML alike; `address` is the service's. Raises ValueError for an
    address that is none."""
    title = f"Note du comité stratégique : {letter.place}, semaine {letter.week.label}"
    message = envelope(to=to, sender=sender, subject=title, name=delivery, now=now)
    end = add_end(message, subscription, address)
    asked = {"lieu": [letter.code], "semaine": [letter.week.code]}
    page = address + page_address(asked, "/note")
    parts = list(_parts(letter.view))
    message.set_content("\n".join(_text(title, page, parts, address, end)) + "\n")
    message.add_alternative(_html(title, page, parts, address, end), subtype="html")
    return message


def _text(title: str, page: str, parts: Sequence[_Part], address: str, end: str) -> Iterator[str]:
    yield from (title, "", f"Lire ou imprimer : {page}", "")
    for part in parts:
        yield from (part.title.upper(), *(f"- {said}" for said, _ in part.lines), "")
    yield from (f"Vos alertes : {address}/alertes", f"Ne plus recevoir cette note : {end}")


def _html(title: str, page: str, parts: Sequence[_Part], address: str, end: str) -> str:
    def line(said: str, where: str) -> str:
        text = escape(said)
        return (
            f'<li><a href="{escape(address + where)}">{text}</a></li>'
            if where
            else f"<li>{text}</li>"
        )

    body = "".join(
        f"<h2>{escape(part.title)}</h2><ul>{''.join(line(*one) for one in part.lines)}</ul>"
        for part in parts
    )
    return (
        f'<!doctype html><html lang="fr"><body><h1>{escape(title)}</h1>'
        f'<p><a href="{escape(page)}">Lire ou imprimer la note</a></p>{body}'
        f'<p><a href="{escape(address)}/alertes">Vos alertes</a> · '
        f'<a href="{escape(end)}">Ne plus recevoir cette note</a></p></body></html>\n'
    )


def _parts(view: NoteView) -> Iterator[_Part]:
    """What there is to say; a part of which there is nothing is left out."""
    figures = [(f"{one.label} : {one.value}", one.address) for one in view.figures]
    yield _Part("En bref", [*figures, *((said, "") for said in (view.missing, view.cut) if said)])
    awaited = [
        *_rows(view.themes, "{0} en attente, {1} sans réponse", "surtout à "),
        *_rows(view.places, "{0} sans réponse", "surtout "),
    ]
    answered = [(f"{one.label} : {one.value}", one.address) for one in view.endings]
    more = [(f"Et {view.more_pains} de plus", view.pains_address)] if view.more_pains else []
    grew = _rows(
        view.grew, "{0} cette semaine, {1} les quatre d’avant", "écart à leur moyenne : ", leads=0
    )
    for title, lines in (
        ("Ce qui est attendu", awaited),
        ("Ce qui fait mal", [*_items(view.pains), *more]),
        ("Ce qui a reçu une réponse", [*answered, *_items(view.answered)]),
        ("Groupements qui ont avancé", _items(view.grouped)),
        ("Ce qui a grandi", grew),
        ("Ce qui se clôt bientôt", [*_rows(view.weeks, "{0}", ""), *_items(view.coming)]),
    ):
        if lines:
            yield _Part(title, lines)


def _rows(rows: Iterable[Row], words: str, word: str, leads: int = -1) -> list[tuple[str, str]]:
    """Each row as a sentence, that leads where one of its figures does."""
    return [
        (
            f"{row.label} : {words.format(*(cell.value for cell in row.cells))}"
            + (f" ({word}{row.word})" if row.word else ""),
            row.cells[leads].address,
        )
        for row in rows
    ]


def _items(lines: Iterable[Line]) -> list[tuple[str, str]]:
    return [
        (
            f"{line.title} ({line.facts})" + (f" : {line.reasons}" if line.reasons else ""),
            line.address,
        )
        for line in lines
    ]
