"""Asks a person before what cannot be taken back."""

from typing import Final

import typer

_YES: Final = frozenset({"o", "oui", "y", "yes"})


def confirmed(question: str) -> bool:
    """Whether a person at the terminal says yes, in French or in English; any other answer is no.
    Asks on the error output: what is printed stays the report. Raises typer.Abort where nobody can
    answer."""
    said = typer.prompt(f"{question} [o/N]", default="", show_default=False, err=True)
    return str(said).strip().casefold() in _YES
