"""`traverse outbox show`, `retry` and `drop`: what waits in an outbox, and what was refused."""

import json
from pathlib import Path
from typing import Annotated

import typer

from traverse_producers.errors import InvalidOptionError
from traverse_producers.outbox.durable_queue import DurableQueue, Parked

_Path = Annotated[Path, typer.Argument(metavar="FICHIER", help="Le fichier de la file d'envoi.")]
_Number = Annotated[
    int, typer.Argument(metavar="NUMERO", help="Le numéro que montre « traverse outbox show ».")
]
_Most = Annotated[int, typer.Option("--limit", min=1, help="Combien de refusés au plus.")]
_AsJson = Annotated[bool, typer.Option("--json", help="En JSON, pour les programmes.")]


def outbox_show(path: _Path, limit: _Most = 100, as_json: _AsJson = False) -> None:
    """Montre ce qui attend dans une file d'envoi, et les événements refusés avec la raison."""
    with _opened(path) as queue:
        counts, parked = queue.counts(), queue.parked(limit)
    if as_json:
        refused = [
            {"number": one.position, "at": one.at, "record": one.message.key, "why": one.sentence}
            for one in parked
        ]
        typer.echo(json.dumps({**counts._asdict(), "refused": refused}, ensure_ascii=False))
        return
    typer.echo(
        f"{counts.waiting} événement(s) en attente, {counts.parked} refusé(s), "
        f"{counts.octets // 1024} Kio."
    )
    for one in parked:
        typer.echo(_line(one))


def outbox_retry(path: _Path, number: _Number) -> None:
    """Remet un événement refusé à la fin de la file : il repart au prochain envoi."""
    with _opened(path) as queue:
        _check(queue.retry_parked(number), path, number)
    typer.echo(f"L'événement {number} repartira à la prochaine ouverture de cette file.")


def outbox_drop(path: _Path, number: _Number) -> None:
    """Oublie pour de bon un événement refusé."""
    with _opened(path) as queue:
        _check(queue.drop_parked(number), path, number)
    typer.echo(f"L'événement {number} est oublié.")


def _opened(path: Path) -> DurableQueue:
    if not path.is_file():  # opening would make one
        raise InvalidOptionError(f"Il n'y a pas de fichier {path} : donnez celui d'un Publisher.")
    return DurableQueue(path)


def _check(found: bool, path: Path, number: int) -> None:
    if not found:
        raise InvalidOptionError(
            f"{path} n'a pas d'événement refusé de numéro {number} : voyez « traverse outbox show "
            f"{path} »."
        )


def _line(one: Parked) -> str:
    shown = f"{one.position}  {one.at[:19]}  {one.message.key}  {one.sentence}"
    # Keys come from the file: nothing in them gives orders to a terminal.
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in shown)
