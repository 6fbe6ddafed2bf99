"""`traverse rejected`, `reindex` and `reset`: what the operator does with the log."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from traverse_infra.errors import InfraError

if TYPE_CHECKING:
    from traverse_infra.rejections import Rejection


class AtWorkError(InfraError):
    """Another rebuild is at work."""


class UnknownRejectionError(InfraError):
    """No rejection has this place."""


def rejected_list(
    source: Annotated[str, typer.Option(help="Seulement cette source (urn:siren:…).")] = "",
    reason: Annotated[str, typer.Option(help="Seulement ce motif (invalid_data, …).")] = "",
    most: Annotated[int, typer.Option("--most", min=1, help="Nombre de lignes.")] = 50,
) -> None:
    """Montre les événements refusés, les plus récents d'abord."""
    from rich.console import Console

    from traverse_infra.commands_engines import load_settings
    from traverse_infra.rejections import read_rejections, rejections_table

    found = [
        one
        for one in read_rejections(load_settings().kafka)
        if (not source or one.source == source) and (not reason or one.reason == reason)
    ]
    if not found:
        typer.echo("Aucun événement refusé.")
        return
    Console().print(rejections_table(found[:most]))
    if len(found) > most:
        typer.echo(f"{most} sur {len(found)} ; --most pour en voir plus.")


def rejected_show(
    place: Annotated[str, typer.Argument(help="Sa place, comme traverse.inbound/2@41.")],
) -> None:
    """Montre un événement refusé : le motif, puis les octets reçus."""
    one = _find(place)
    typer.echo(f"Motif : {one.reason}\nOù : {one.pointer or '(tout)'}\n{one.sentence}\n")
    typer.echo((one.octets or b"").decode(errors="backslashreplace"))


def rejected_replay(
    place: Annotated[str, typer.Argument(help="Sa place, comme traverse.inbound/2@41.")],
    file: Annotated[
        Path | None, typer.Option(help="Fichier de l'événement corrigé ; par défaut tel quel.")
    ] = None,
) -> None:
    """Remet un événement refusé sur traverse.inbound, corrigé si un fichier est donné."""
    from traverse_infra.commands_engines import load_settings
    from traverse_infra.demo.play import publish
    from traverse_producers.receipts.replay import replayed
    from traverse_producers.settings import PublishSettings
    from traverse_producers.signing_keys import KeyFolder, siren_of

    one = _find(place)
    octets = replayed(one.octets or b"", file.read_bytes() if file else None, one.reason)
    settings = load_settings()

    def sign(said: bytes, source: str) -> bytes:
        if said == one.octets and one.signature:
            return one.signature  # the institution's own word goes on as it was given
        return KeyFolder(settings.keys).signer(siren_of(source)).sign(said)

    required = PublishSettings().signatures == "required"
    sent = publish(settings.kafka, [octets], sign=sign if required else None)
    typer.echo(f"Remis sur le journal : {sent[0].place}.")


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
    from traverse_infra.commands_engines import load_settings
    from traverse_infra.reindex.rebuild import rebuild

    settings = load_settings()
    with _alone(settings.home / "reindex.lock"):
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
    from traverse_infra.reset import reset_state
    from traverse_stream_processors.settings import ProcessorSettings

    if not state:
        raise typer.BadParameter("dites ce qui est à refaire : --state.")
    if not yes:
        typer.confirm(
            "Les topics dérivés et les index vont être effacés et refaits ; la recherche sera "
            "incomplète en attendant. Continuer ?",
            abort=True,
        )
    settings = ProcessorSettings()
    with _alone(settings.home / "reindex.lock"):
        for line in reset_state(settings, force=force):
            typer.echo(line)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One at a time from this home; the lock goes with the process however that ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AtWorkError(
                "Une reconstruction est déjà en cours depuis ce dossier : attendez sa fin, ou "
                "arrêtez-la (elle reprendra où elle en était)."
            ) from error
        yield


def _find(place: str) -> "Rejection":
    from traverse_infra.commands_engines import load_settings
    from traverse_infra.rejections import read_rejections

    for one in read_rejections(load_settings().kafka):
        if one.place == place:
            return one
    raise UnknownRejectionError(
        f"Aucun événement refusé n'a la place {place} : « traverse rejected list » les montre."
    )
