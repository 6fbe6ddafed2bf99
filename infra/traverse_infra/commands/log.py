"""`traverse reindex` and `reset`: what the operator does with the log."""

from typing import Annotated

import typer

from traverse_infra.errors import InfraError
from traverse_infra.one_at_a_time import alone
from traverse_producers.confirming import confirmed
from traverse_schemas.read_settings import read_settings

_TAKEN = (
    "Une reconstruction est déjà en cours depuis ce dossier : attendez sa fin, ou arrêtez-la (elle "
    "reprendra où elle en était)."
)


def reindex(
    anew: Annotated[
        bool,
        typer.Option(
            "--anew", help="Recommence du début, au lieu de reprendre une reconstruction arrêtée."
        ),
    ] = False,
) -> None:
    """Reconstruit les index depuis le journal, puis bascule les alias sans interruption.

    Arrêtée n'importe quand, elle reprend où elle en était au prochain appel.
    """
    from traverse_infra.commands.engines import load_settings
    from traverse_infra.reindex.rebuild import rebuild

    settings = load_settings()
    with alone(settings.home / "reindex.lock", _TAKEN):
        for line in rebuild(settings.kafka, settings.elasticsearch, anew=anew):
            typer.echo(line)


def reset(
    state: Annotated[
        bool, typer.Option("--state", help="Tout ce qui est dérivé des événements acceptés.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Sans demander confirmation.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Même si des messages attendent d'être indexés.")
    ] = False,
) -> None:
    """Efface l'état dérivé (dossiers, liens, vue, index) et le refait des événements acceptés.

    Les traitements doivent être arrêtés ; « traverse work » relie et indexe ensuite.
    """
    from traverse_infra.log.reset import reset_state
    from traverse_stream_processors.settings import ProcessorSettings

    if not state:
        raise InfraError("Dites ce qui est à refaire : « traverse reset --state ».")
    if not yes and not confirmed(
        "Les topics dérivés et les index vont être effacés et refaits ; la recherche sera "
        "incomplète en attendant. Continuer ?"
    ):
        raise typer.Abort
    settings = read_settings(ProcessorSettings)
    with alone(settings.home / "reindex.lock", _TAKEN):
        for line in reset_state(settings, force=force):
            typer.echo(line)
