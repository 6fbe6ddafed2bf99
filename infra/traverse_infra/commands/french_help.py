"""The command line in French: its help, and what is wrong with a line as it was typed.

typer says both in English, and lets nobody translate them. It has a click of its own inside, and
only `BadParameter` of its errors is public: those of the package click are other classes.
"""

import re
from collections.abc import Sequence
from typing import Final

from pydantic import ValidationError
from typer import BadParameter, TyperException
from typer._click.core import Context
from typer._click.exceptions import (
    BadOptionUsage,
    MissingParameter,
    NoArgsIsHelpError,
    NoSuchOption,
    UsageError,
)
from typer._click.formatting import HelpFormatter
from typer.core import TyperCommand, TyperGroup

from traverse_schemas.judging.sentences import explain

_WORDS: Final = {
    "Usage: ": "Emploi : ",
    "\nArguments:\n": "\nArguments :\n",
    "\nOptions:\n": "\nOptions :\n",
    "\nCommands:\n": "\nCommandes :\n",
    "COMMAND [ARGS]...": "COMMANDE [ARGUMENTS]...",
    "Show this message and exit.": "Montre cette aide.",
    "[required]": "[obligatoire]",
    "; required]": " ; obligatoire]",
    "default:": "par défaut :",
}
_KINDS: Final = {
    "str": "TEXTE",
    "int": "NOMBRE",
    "int range": "NOMBRE",
    "float": "NOMBRE",
    "float range": "NOMBRE",
    "path": "FICHIER",
    "Path": "FICHIER",
}
"""What is to be typed, by what typer calls it."""
_KIND: Final = re.compile(r" <(?:list\[)?([^\]>]+)\]?>(?:\.\.\.)?$")
_BOUNDS: Final = (
    (re.compile(r"([\d.]+)<=x<=([\d.]+)\]$"), r"de \1 à \2]"),
    (re.compile(r"x>=([\d.]+)\]$"), r"\1 au moins]"),
)
_QUOTED: Final = re.compile(r"'([^']*)'")
_BRACKETED: Final = re.compile(r" \((.*)\)$", re.DOTALL)
_CHOICES: Final = re.compile(r" is not one of (.*?)\.?$")
_WHAT: Final = re.compile(r"^(?:L'événement|Le champ \S+|La liste \S+) ")


class _FrenchColumns(HelpFormatter):
    """Lays out help with what is to be typed in French: before it is, so that columns fit."""

    def write_dl(
        self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write rows of (what is typed, what it is)."""
        super().write_dl(
            [(_typed(name), _bounds_said(said)) for name, said in rows], col_max, col_spacing
        )


class FrenchCommand(TyperCommand):
    """A command whose help is in French."""

    def get_help(self, ctx: Context) -> str:
        """Its help."""
        ctx.formatter_class = _FrenchColumns
        return in_french(super().get_help(ctx))


class FrenchGroup(TyperGroup):
    """The same of a command that has others under it."""

    def get_help(self, ctx: Context) -> str:
        """Its help."""
        return in_french(super().get_help(ctx))


def in_french(text: str) -> str:
    """A page of help, with typer's own words in French."""
    for english, french in _WORDS.items():
        text = text.replace(english, french)
    return text


def _typed(name: str) -> str:
    """`--size <int range>` -> `--size NOMBRE`; one of a few words is those words; an argument says
    by its name what it is."""
    found = _KIND.search(name)
    if found is None:
        return name
    kind = _KINDS.get(found[1], "")
    if not kind:
        return f"{name[: found.start()]} {found[1]}"
    return name[: found.start()] + (f" {kind}" if name.startswith("-") else "")


def _bounds_said(said: str) -> str:
    for bounds, french in _BOUNDS:
        said = bounds.sub(french, said)
    return said


def mistake(error: TyperException) -> str:
    """What is wrong with a command line and how to mend it, in one sentence; the help of a command
    that was named without what it needs."""
    if isinstance(error, NoArgsIsHelpError):
        return error.format_message()
    context = error.ctx if isinstance(error, UsageError) else None
    return f"Erreur : {_said(error, context, context.command_path if context else 'traverse')}"


def _said(error: TyperException, context: Context | None, path: str) -> str:
    match error:
        case NoSuchOption():
            near = f" (est-ce {' ou '.join(error.possibilities)} ?)" if error.possibilities else ""
            return (
                f"L'option {error.option_name} n'existe pas{near} : « {path} --help » montre "
                "celles qu'il y a."
            )
        case MissingParameter():
            return f"Il manque {_named(error)} : « {path} --help » dit ce que c'est."
        case BadParameter():
            return f"Ce qui est donné pour {_named(error)} est refusé : {_refused(error)}"
        case BadOptionUsage():
            return (
                f"L'option {error.option_name} demande une valeur : « {path} --help » dit laquelle."
            )
    if context is not None and isinstance(context.command, TyperGroup):
        name = _QUOTED.search(error.message)
        return (
            f"La commande {name[1] if name else ''} n'existe pas : « {path} --help » montre celles "
            "qu'il y a."
        )
    if many := _BRACKETED.search(error.message):
        return (
            f"« {many[1]} » est de trop : mettez entre guillemets ce qui a des espaces ; « {path} "
            "--help » dit ce que la commande prend."
        )
    return error.format_message()


def _named(error: BadParameter) -> str:
    """The option or argument, as it is typed."""
    return error.param.get_error_hint().replace("'", "") if error.param else "un paramètre"


def _refused(error: BadParameter) -> str:
    cause = error.__cause__
    if choices := _CHOICES.search(error.message):
        return f"choisissez parmi {choices[1]}.".replace("'", "")
    if not isinstance(cause, ValidationError):
        return error.message
    return _WHAT.sub("il ", explain(cause)[0].sentence)
