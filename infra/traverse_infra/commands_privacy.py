"""`traverse privacy …`: where a person's data is, its erasure, the data officer's page."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

_OUTBOX = 0x54525651  # the application_id of a durable queue of ours


def find(
    term: Annotated[str, typer.Argument(help="Un nom, un courriel, un numéro.")],
    outbox: Annotated[
        list[Path] | None, typer.Option(help="Une file d'envoi de plus à chercher.")
    ] = None,
) -> None:
    """Cherche où se trouvent les données d'une personne : topics, index, files d'envoi."""
    from traverse_infra.commands_engines import load_settings
    from traverse_infra.privacy.find import find as find_all

    settings = load_settings()
    queues = [*_queues(settings.home), *(outbox or ())]
    count = 0
    for one in find_all(term, settings.kafka, settings.elasticsearch, queues):
        count += 1
        record = f"{one.source} {one.subject}".strip() or "(dossier illisible)"
        when = f", {one.at:%d/%m/%Y %H:%M}" if one.at else ""
        state = "" if one.current else ", remplacé : attend le compactage"
        typer.echo(_shown(f"{one.place} {one.where} : {record}{when}{state}"))
    typer.echo(f"{count} endroit(s)." if count else "Rien n'a été trouvé.")


def purge(
    source: Annotated[str, typer.Argument(help="La source du dossier, urn:siren:…")],
    subject: Annotated[str, typer.Argument(metavar="REFERENCE", help="Sa référence (subject).")],
    yes: Annotated[bool, typer.Option("--yes", help="Sans demander confirmation.")] = False,
) -> None:
    """Efface un dossier partout, pour toujours : rien de plus ancien n'est accepté de nouveau."""
    from traverse_infra.commands_engines import load_settings
    from traverse_infra.members import eraser, open_registry, signed
    from traverse_infra.privacy.purge import purge as purge_record
    from traverse_producers.kafka_transport import KafkaTransport
    from traverse_producers.signing_keys import siren_of
    from traverse_schemas.clock import SystemClock

    if not yes:
        typer.confirm(
            f"Effacer le dossier {subject} de {source}, sans retour possible ?", abort=True
        )
    settings = load_settings()
    with open_registry(settings.kafka) as table:
        signer = eraser(table, settings.keys, siren_of(source))
    transport = KafkaTransport(settings.kafka)
    try:
        until = purge_record(
            settings.kafka,
            settings.elasticsearch,
            source,
            subject,
            send=lambda key, octets, headers: (
                transport.send(key, octets, signed(octets, headers, signer)).result(60) and None
            ),
            clock=SystemClock(),
        )
    finally:
        transport.close(10)
    typer.echo(
        f"Effacé : tout ce qui a été dit du dossier {subject} jusqu'au {until}. « traverse check "
        "--purged » le prouve, et dit quand la dernière copie aura quitté les disques."
    )


def page() -> None:
    """Écrit la page du délégué à la protection des données (docs/retention.md)."""
    from traverse_infra.privacy.retention import page as whole_page

    typer.echo(whole_page(), nl=False)


def _queues(home: Path) -> Iterator[Path]:
    """The durable queues under the home folder: SQLite files that say so themselves."""
    for path in sorted(home.rglob("*")) if home.exists() else ():
        if path.is_file() and path.stat().st_size >= 72:
            with path.open("rb") as file:
                head = file.read(72)
            if head.startswith(b"SQLite format 3\x00") and head[68:72] == _OUTBOX.to_bytes(4):
                yield path


def _shown(text: str) -> str:
    """What a stranger wrote, as a terminal may have it."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text[:500])
