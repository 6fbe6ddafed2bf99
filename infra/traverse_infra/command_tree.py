"""Every command in one table, each from the package that it belongs to."""

from collections.abc import Callable
from typing import Any, Final

import typer

from traverse_infra import (
    commands_accounts,
    commands_bench,
    commands_check,
    commands_demo,
    commands_engines,
    commands_institutions,
    commands_likeness,
    commands_log,
    commands_privacy,
    commands_rejected,
    commands_work,
)
from traverse_infra.french_help import FrenchCommand, FrenchGroup
from traverse_producers import commands as producers
from traverse_producers import commands_outbox as outbox
from traverse_producers import commands_tables as tables
from traverse_producers.gateway import command as gateway
from traverse_producers.receipts import commands as receipts
from traverse_search_api import commands as search

Commands = dict[str, Callable[..., None]]

_COMMANDS: Final[Commands] = {
    "up": commands_engines.up,
    "equip": commands_engines.equip,
    "down": commands_engines.down,
    "status": commands_engines.status,
    "demo": commands_demo.demo,
    "publish": producers.publish,
    "import": producers.import_,
    "template": tables.template,
    "work": commands_work.work,
    "search": search.search,
    "receipt": receipts.receipt,
    "reindex": commands_log.reindex,
    "reset": commands_log.reset,
    "train": commands_likeness.train,
    "check": commands_check.check,
    "bench": commands_bench.bench,
}
_GROUPS: Final[dict[str, tuple[str, Commands]]] = {
    "serve": (
        "Lance un service HTTP.",
        {"search": search.serve_search, "gateway": gateway.serve_gateway},
    ),
    "institutions": (
        "Le registre des institutions.",
        {
            "list": commands_institutions.list_,
            "add": commands_institutions.add,
            "rotate-key": commands_institutions.rotate_key,
            "revoke": commands_institutions.revoke,
            "open": commands_institutions.open_,
            "quota": commands_institutions.quota,
            "delegate": commands_institutions.delegate,
            "role": commands_institutions.role,
            "permanences": commands_institutions.permanences,
            "showcase": commands_institutions.showcase,
            "api-key": commands_institutions.api_key,
            "keys": commands_institutions.keys,
        },
    ),
    "accounts": (
        "Les comptes des agents, pour les pages.",
        {
            "list": commands_accounts.list_,
            "add": commands_accounts.add,
            "password": commands_accounts.password,
            "sign-out": commands_accounts.sign_out,
            "unbind": commands_accounts.unbind,
            "disable": commands_accounts.disable,
            "remove": commands_accounts.remove,
        },
    ),
    "rejected": (
        "Les événements refusés.",
        {
            "list": commands_rejected.rejected_list,
            "show": commands_rejected.rejected_show,
            "replay": commands_rejected.rejected_replay,
        },
    ),
    "outbox": (
        "La file d'envoi d'un Publisher, sur disque.",
        {"show": outbox.outbox_show, "retry": outbox.outbox_retry, "drop": outbox.outbox_drop},
    ),
    "privacy": (
        "Les droits sur les données personnelles.",
        {
            "find": commands_privacy.find,
            "purge": commands_privacy.purge,
            "page": commands_privacy.page,
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
    for name, (help_, commands) in _GROUPS.items():
        app.add_typer(_group(help_, commands), name=name)
    return app


def _group(help_: str, commands: Commands, **more: Any) -> typer.Typer:
    group = typer.Typer(cls=FrenchGroup, help=help_, no_args_is_help=True, **more)
    for name, command in commands.items():
        group.command(name, cls=FrenchCommand)(command)
    return group
