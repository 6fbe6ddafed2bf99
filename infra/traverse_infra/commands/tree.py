"""Every command in one table, each from the package that it belongs to."""

from collections.abc import Callable
from importlib import metadata
from typing import Annotated, Any, Final

import typer

from traverse_infra.commands import (
    accounts,
    bench,
    check,
    demo,
    engines,
    institutions,
    likeness,
    log,
    privacy,
    rejected,
    work,
)
from traverse_infra.commands.french_help import FrenchCommand, FrenchGroup
from traverse_producers import commands as producers
from traverse_producers.gateway import command as gateway
from traverse_producers.outbox import commands as outbox
from traverse_producers.receipts import commands as receipts
from traverse_producers.tables import commands as tables
from traverse_search_api import commands as search

Commands = dict[str, Callable[..., None]]

_COMMANDS: Final[Commands] = {
    "up": engines.up,
    "equip": engines.equip,
    "down": engines.down,
    "status": engines.status,
    "demo": demo.demo,
    "publish": producers.publish,
    "import": producers.import_,
    "template": tables.template,
    "work": work.work,
    "search": search.search,
    "receipt": receipts.receipt,
    "reindex": log.reindex,
    "reset": log.reset,
    "train": likeness.train,
    "check": check.check,
    "bench": bench.bench,
}
_GROUPS: Final[dict[str, tuple[str, Commands]]] = {
    "serve": (
        "Lance un service HTTP.",
        {"search": search.serve_search, "gateway": gateway.serve_gateway},
    ),
    "institutions": (
        "Le registre des institutions.",
        {
            "list": institutions.list_,
            "add": institutions.add,
            "rotate-key": institutions.rotate_key,
            "revoke": institutions.revoke,
            "open": institutions.open_,
            "quota": institutions.quota,
            "delegate": institutions.delegate,
            "role": institutions.role,
            "permanences": institutions.permanences,
            "showcase": institutions.showcase,
            "api-key": institutions.api_key,
            "keys": institutions.keys,
        },
    ),
    "accounts": (
        "Les comptes des agents, pour les pages.",
        {
            "list": accounts.list_,
            "add": accounts.add,
            "password": accounts.password,
            "sign-out": accounts.sign_out,
            "unbind": accounts.unbind,
            "disable": accounts.disable,
            "remove": accounts.remove,
        },
    ),
    "rejected": (
        "Les événements refusés.",
        {
            "list": rejected.rejected_list,
            "show": rejected.rejected_show,
            "replay": rejected.rejected_replay,
        },
    ),
    "outbox": (
        "La file d'envoi d'un Publisher, sur disque.",
        {"show": outbox.outbox_show, "retry": outbox.outbox_retry, "drop": outbox.outbox_drop},
    ),
    "privacy": (
        "Les droits sur les données personnelles.",
        {
            "find": privacy.find,
            "purge": privacy.purge,
            "page": privacy.page,
        },
    ),
}


def build() -> typer.Typer:
    """The command line as one application."""
    app = _group(
        "Une vue mutualisée des projets, appels et besoins des institutions.",
        _COMMANDS,
        name="traverse",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_opened)
    for name, (help_, commands) in _GROUPS.items():
        app.add_typer(_group(help_, commands), name=name)
    return app


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"traverse {metadata.version('traverse')}")
        raise typer.Exit


def _opened(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_tell_version, help="Dit la version."),
    ] = False,
) -> None:
    """Une vue mutualisée des projets, appels et besoins des institutions."""


def _group(help_: str, commands: Commands, **more: Any) -> typer.Typer:
    group = typer.Typer(cls=FrenchGroup, help=help_, no_args_is_help=True, **more)
    for name, command in commands.items():
        group.command(name, cls=FrenchCommand)(command)
    return group
