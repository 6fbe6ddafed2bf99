"""`traverse train`: learns the likeness of texts from the records."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated

import typer

from traverse_infra.errors import InfraError
from traverse_schemas.system_faults import fault


def train(
    from_topic: Annotated[
        bool,
        typer.Option("--from-topic", help="Des fiches du journal (par défaut, sans --data)."),
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DOSSIER",
            help="De fichiers réels : un dossier qui a decp, decp-v2, ted ou fonds-vert.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Où écrire le modèle ; par défaut, là où « traverse work » le lit "
            "(likeness.npz dans TRAVERSE_HOME)."
        ),
    ] = None,
) -> None:
    """Apprend la parenté des mots, des fiches publiques du journal ou de fichiers réels.

    Le modèle est une entrée du rapprochement : « traverse work » le lit à son démarrage.
    """
    from itertools import chain

    from traverse_infra.commands.engines import load_settings
    from traverse_infra.training import public_contents, states_of_files, states_of_log
    from traverse_schemas.read_settings import read_settings
    from traverse_stream_processors.likeness.corpus import base_passages, passages_of
    from traverse_stream_processors.likeness.train import train as learn
    from traverse_stream_processors.settings import ProcessorSettings

    if data is not None and not data.is_dir():
        raise InfraError(
            f"{data} n'est pas un dossier : donnez celui qui a decp, decp-v2, ted ou fonds-vert."
        )
    target = out or read_settings(ProcessorSettings).likeness_file
    _require_writable(target)
    states = chain(
        states_of_files(data) if data else (),
        states_of_log(load_settings().kafka) if from_topic or not data else (),
    )
    texts = [list(passages_of(content)) for content in public_contents(states)]
    typer.echo(f"{len(texts)} fiches publiques lues ; le modèle s'apprend…", err=True)
    model = learn(texts, base=list(base_passages()))
    with _written(target):
        model.save(target)
    size = target.stat().st_size / 1_000_000
    typer.echo(
        f"Modèle {model.version} : {len(model.terms)} mots, {size:.1f} Mo, écrit dans {target}."
    )
    typer.echo("Relancez « traverse work » pour qu'il serve.")


def _require_writable(target: Path) -> None:
    """Said before anything is read: learning takes minutes."""
    with _written(target):
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, "")
        if not target.parent.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=target.parent).close()


@contextmanager
def _written(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InfraError(
            f"Le modèle ne s'écrit pas dans {target} ({fault(error)}) : donnez un autre fichier "
            "par --out, ou à ce compte le droit d'écrire là."
        ) from error
