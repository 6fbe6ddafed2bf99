"""A measurement in a process of its own: its memory is that of what is measured alone, and it ends
with whoever started it, however that one ends."""

import os
from collections.abc import Callable
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from threading import Thread
from typing import Any, TypeVar

from traverse_infra.errors import InfraError

_Figure = TypeVar("_Figure")


class NotMeasuredError(InfraError):
    """A measurement ended without its figures."""


def measure_apart(measure: Callable[..., _Figure], *args: Any) -> _Figure:
    """What a function gives for these, called in a new process. It, they and what it gives are
    pickled. Raises NotMeasuredError when the process ends before: what it raised is on its error
    output."""
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_measure, args=(sender, measure, args), daemon=True)
    process.start()
    sender.close()  # the other end is the process's alone: it closes when that ends
    try:
        found: _Figure = receiver.recv()
    except EOFError as error:
        process.join()
        raise NotMeasuredError(
            f"La mesure faite à part s'est arrêtée sans rien donner (code {process.exitcode}) : si "
            "rien n'est dit plus haut, la mémoire a manqué ; recommencez avec moins de dossiers."
        ) from error
    finally:
        process.kill()
        process.join()
    return found


def _measure(sender: Connection, measure: Callable[..., Any], args: tuple[Any, ...]) -> None:
    Thread(target=_end_with_parent, daemon=True).start()
    sender.send(measure(*args))


def _end_with_parent() -> None:
    """A signal that ends the parent is told to nobody else: the pipe between the two closes."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
