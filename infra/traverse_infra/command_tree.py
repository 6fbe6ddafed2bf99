"""Every command in one table, each from the package that it belongs to."""

from collections.abc import Callable

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
from traverse_producers import commands as producers
from traverse_producers import commands_outbox as outbox
from traverse_producers import commands_tables as tables
from traverse_producers.gateway import command as gateway
from traverse_producers.receipts import commands as receipts
from traverse_search_api import commands as search


def build() -> typer.Typer:
    """The command line as one application."""
    app = typer.Typer(
        name="traverse",
        help="Une vue mutualisée des projets, appels et besoins des institutions.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    for name, command in (
        ("up", commands_engines.up),
        ("equip", commands_engines.equip),
        ("down", commands_engines.down),
        ("status", commands_engines.status),
        ("demo", commands_demo.demo),
        ("publish", producers.publish),
        ("import", producers.import_),
        ("template", tables.template),
        ("work", commands_work.work),
        ("search", search.search),
        ("receipt", receipts.receipt),
        ("reindex", commands_log.reindex),
        ("reset", commands_log.reset),
        ("train", commands_likeness.train),
        ("check", commands_check.check),
        ("bench", commands_bench.bench),
    ):
        app.command(name)(command)
    serve = typer.Typer(help="Lance un service HTTP.", no_args_is_help=True)
    serve.command("search")(search.serve_search)
    serve.command("gateway")(gateway.serve_gateway)
    app.add_typer(serve, name="serve")
    institutions = typer.Typer(help="Le registre des institutions.", no_args_is_help=True)
    registry: dict[str, Callable[..., None]] = {
        "list": commands_institutions.list_,
        "add": commands_institutions.add,
        "rotate-key": commands_institutions.rotate_key,
        "revoke": commands_institutions.revoke,
        "open": commands_institutions.open_,
        "quota": commands_institutions.quota,
        "delegate": commands_institutions.delegate,
        "permanences": commands_institutions.permanences,
        "showcase": commands_institutions.showcase,
        "api-key": commands_institutions.api_key,
        "keys": commands_institutions.keys,
    }
    for name, change in registry.items():
        institutions.command(name)(change)
    app.add_typer(institutions, name="institutions")
    accounts = typer.Typer(help="Les comptes des agents, pour les pages.", no_args_is_help=True)
    people: dict[str, Callable[..., None]] = {
        "list": commands_accounts.list_,
        "add": commands_accounts.add,
        "password": commands_accounts.password,
        "sign-out": commands_accounts.sign_out,
        "unbind": commands_accounts.unbind,
        "disable": commands_accounts.disable,
        "remove": commands_accounts.remove,
    }
    for name, change in people.items():
        accounts.command(name)(change)
    app.add_typer(accounts, name="accounts")
    rejected = typer.Typer(help="Les événements refusés.", no_args_is_help=True)
    rejected.command("list")(commands_rejected.rejected_list)
    rejected.command("show")(commands_rejected.rejected_show)
    rejected.command("replay")(commands_rejected.rejected_replay)
    app.add_typer(rejected, name="rejected")
    waiting = typer.Typer(help="La file d'envoi d'un Publisher, sur disque.", no_args_is_help=True)
    waiting.command("show")(outbox.outbox_show)
    waiting.command("retry")(outbox.outbox_retry)
    waiting.command("drop")(outbox.outbox_drop)
    app.add_typer(waiting, name="outbox")
    privacy = typer.Typer(help="Les droits sur les données personnelles.", no_args_is_help=True)
    privacy.command("find")(commands_privacy.find)
    privacy.command("purge")(commands_privacy.purge)
    privacy.command("page")(commands_privacy.page)
    app.add_typer(privacy, name="privacy")
    return app
