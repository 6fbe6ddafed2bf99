"""`traverse up`, `traverse down` and `traverse status`, as functions for the command line.

What goes wrong is raised as a TraverseError, which the composition root prints as one sentence.
"""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from traverse_infra.errors import IndexLostError, InfraError
from traverse_infra.settings import Settings
from traverse_schemas.read_settings import read_settings

if TYPE_CHECKING:
    from traverse_infra.engines.runner import EngineStatus
    from traverse_infra.log.topics import AppliedTopics, Copies

_STATES = {"running": "en marche", "starting": "en cours de démarrage", "stopped": "arrêté"}


def up(
    migrate: Annotated[
        bool, typer.Option("--migrate", help="Applique aussi les réglages de topics qui diffèrent.")
    ] = False,
    secure: Annotated[
        bool,
        typer.Option(
            "--secure", help="Avec TLS, comptes et droits, dans un dossier et des données à part."
        ),
    ] = False,
) -> None:
    """Démarre Kafka et Elasticsearch, crée les topics et les index qui manquent."""
    from traverse_infra.engines.runner import Engines
    from traverse_infra.equip import equip as equip_local

    settings = load_settings()
    if secure:
        settings = settings.model_copy(update={"secure": True})
    engines = Engines(settings)
    started = engines.up(typer.echo)
    typer.echo("Les moteurs sont prêts." if started else "Les moteurs étaient déjà en marche.")
    equipped = equip_local(engines, migrate=migrate, copies=_copies(settings))
    _tell_topics(equipped.topics)
    if equipped.environments:
        typer.echo(
            f"Droits ajoutés : {len(equipped.rules)}. Un programme prend un compte par ses "
            "variables, par exemple : set -a; . "
            f"{equipped.environments['processors']}; traverse work"
        )
    typer.echo(f"Kafka : {engines.kafka} · Elasticsearch : {engines.elasticsearch}")


def equip(
    migrate: Annotated[
        bool, typer.Option("--migrate", help="Applique aussi les réglages de topics qui diffèrent.")
    ] = False,
) -> None:
    """Crée sur vos propres Kafka et Elasticsearch les topics et les index qui manquent.

    Sans effet la seconde fois. Les comptes et les droits y restent à donner.
    """
    from traverse_infra.equip import equip_others

    settings = load_settings()
    equipped = equip_others(
        settings.kafka, settings.elasticsearch, migrate=migrate, copies=_copies(settings)
    )
    _tell_topics(equipped.topics)
    created = len(equipped.topics.created)
    typer.echo(f"{len(equipped.topics.ids)} topics en place, dont {created} créé(s).")
    for alias, index in equipped.indices.items():
        typer.echo(f"Alias {alias} : {index}.")


def down() -> None:
    """Arrête les moteurs de ce dossier, et eux seuls. Les données restent."""
    from traverse_infra.engines.runner import Engines

    settings = load_settings()
    stopped = [
        Engines(settings.model_copy(update={"secure": secure})).down() for secure in (False, True)
    ]
    typer.echo("Les moteurs sont arrêtés." if any(stopped) else "Aucun moteur n’était en marche.")


def status(
    as_json: Annotated[bool, typer.Option("--json", help="En JSON, pour les programmes.")] = False,
) -> None:
    """Montre l’état des moteurs, de l'index, et ce qui attend les traitements par partition.

    Code de sortie 0 si tout répond et que l'index est là, 3 sinon.
    """
    from traverse_infra.check.operation import behind, lost_indices
    from traverse_infra.engines.runner import Engines
    from traverse_schemas.clock import SystemClock

    settings = load_settings()
    engines = Engines(settings)
    states = engines.status() if settings.local else ()
    if settings.local and not settings.secure and all(state.pid is None for state in states):
        # Those of the secure profile, when it is they that run.
        secured = Engines(settings.model_copy(update={"secure": True}))
        if any(state.pid is not None for state in secured.status()):
            engines, states = secured, secured.status()
    told: dict[str, object] = {
        "engines": [asdict(state) for state in states],
        "lost": None,
        "waiting": None,
    }
    sound = all(state.state == "running" for state in states)
    lines = [describe(state) for state in states]
    if sound:
        kafka, elasticsearch, access = settings.kafka, settings.elasticsearch, None
        if settings.local:
            kafka, elasticsearch = engines.kafka, engines.elasticsearch
            access = engines.secrets.access() if engines.secrets else None
        try:
            told["lost"] = lost = lost_indices(kafka, elasticsearch, access)
            sound = not lost
            lines += [str(IndexLostError(alias)) for alias in lost] or ["Index : présents."]
            late = behind(kafka, SystemClock().now(), access)
            told["waiting"] = [one._asdict() for one in late]
            lines += [str(one) for one in late] or ["Rien n'attend les traitements."]
        except InfraError as error:
            sound = False
            lines.append(str(error))
    typer.echo(json.dumps(told, indent=2) if as_json else "\n".join(lines))
    if not sound:
        raise typer.Exit(3)


def describe(state: "EngineStatus") -> str:
    """One line for people."""
    line = f"{state.name} : {_STATES[state.state]}, {state.address}"
    if state.pid is None:
        return line
    return f"{line} (processus {state.pid}, {state.memory_mb} Mo, journal {state.log})"


def load_settings() -> Settings:
    """The settings of the environment. Raises InvalidSettingError, which names the variable."""
    return read_settings(Settings)


def _copies(settings: Settings) -> "Copies":
    from traverse_infra.log.topics import Copies

    return Copies(settings.replication, settings.min_insync_replicas)


def _tell_topics(applied: "AppliedTopics") -> None:
    if applied.created:
        typer.echo(f"Topics créés : {', '.join(applied.created)}.")
    for change in applied.changed:
        typer.echo(f"Topic modifié : {change}.")
    for change in applied.pending:
        typer.echo(f"À migrer : {change} (appliquez avec --migrate).", err=True)
