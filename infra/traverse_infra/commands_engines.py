"""`traverse up`, `traverse down` and `traverse status`, as functions for the command line.

What goes wrong is raised as a TraverseError, which the composition root prints as one sentence.
"""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError

from traverse_infra.errors import InfraError
from traverse_infra.settings import Settings
from traverse_schemas.topics import OPPORTUNITIES

if TYPE_CHECKING:
    from traverse_infra.engines.runner import EngineStatus
    from traverse_infra.topics import AppliedTopics

_STATES = {"running": "en marche", "starting": "en cours de démarrage", "stopped": "arrêté"}


def up(
    migrate: Annotated[
        bool, typer.Option("--migrate", help="Applique aussi les réglages de topics qui diffèrent.")
    ] = False,
) -> None:
    """Démarre Kafka et Elasticsearch, crée les topics et les index qui manquent."""
    from elasticsearch import Elasticsearch

    from traverse_infra.engines.runner import Engines
    from traverse_infra.indices import prepare_indices
    from traverse_infra.topics import apply_topics

    settings = load_settings()
    engines = Engines(settings)
    started = engines.up(typer.echo)
    typer.echo("Les moteurs sont prêts." if started else "Les moteurs étaient déjà en marche.")
    applied = apply_topics(engines.kafka, migrate=migrate)
    _tell_topics(applied)
    with Elasticsearch(engines.elasticsearch) as client:
        prepare_indices(client, applied.ids[OPPORTUNITIES])
    typer.echo(f"Kafka : {engines.kafka} · Elasticsearch : {engines.elasticsearch}")


def down() -> None:
    """Arrête les moteurs de ce dossier, et eux seuls. Les données restent."""
    from traverse_infra.engines.runner import Engines

    stopped = Engines(load_settings()).down()
    typer.echo("Les moteurs sont arrêtés." if stopped else "Aucun moteur n’était en marche.")


def status(
    as_json: Annotated[bool, typer.Option("--json", help="En JSON, pour les programmes.")] = False,
) -> None:
    """Montre l’état des moteurs. Code de sortie 0 s’ils répondent tous, 3 sinon."""
    from traverse_infra.engines.runner import Engines

    states = Engines(load_settings()).status()
    if as_json:
        typer.echo(json.dumps({"engines": [asdict(state) for state in states]}, indent=2))
    else:
        for state in states:
            typer.echo(describe(state))
    if any(state.state != "running" for state in states):
        raise typer.Exit(3)


def describe(state: "EngineStatus") -> str:
    """One line for people."""
    line = f"{state.name} : {_STATES[state.state]}, {state.address}"
    if state.pid is None:
        return line
    return f"{line} (processus {state.pid}, {state.memory_mb} Mo, journal {state.log})"


def load_settings() -> Settings:
    """The settings of the environment; InfraError with the variable to mend when one is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = error.errors()[0]
        name = str(wrong["loc"][0]).upper() if wrong["loc"] else "?"
        variable = name if name.startswith("TRAVERSE_") else f"TRAVERSE_{name}"
        raise InfraError(
            f"{variable}={wrong.get('input')} n’est pas une valeur permise : {wrong['msg']}."
        ) from error


def _tell_topics(applied: "AppliedTopics") -> None:
    if applied.created:
        typer.echo(f"Topics créés : {', '.join(applied.created)}.")
    for change in applied.changed:
        typer.echo(f"Topic modifié : {change}.")
    for change in applied.pending:
        typer.echo(f"À migrer : {change} (appliquez avec `traverse up --migrate`).", err=True)
