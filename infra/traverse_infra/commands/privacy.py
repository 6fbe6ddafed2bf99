"""`traverse privacy …`: where a person's data is, its erasure, the data officer's page."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from traverse_infra.privacy.local_files import LocalFile

_Files = Annotated[
    list[Path] | None,
    typer.Option(
        "--file",
        "--outbox",
        help="Un fichier de plus : file d'envoi, position d'import, liste d'envois (ceux du "
        "dossier TRAVERSE_HOME le sont d'office).",
    ),
]


def find(
    term: Annotated[str, typer.Argument(metavar="TERME", help="Un nom, un courriel, un numéro.")],
    file: _Files = None,
) -> None:
    """Cherche où se trouvent les données d'une personne : topics, index, nos fichiers."""
    from traverse_infra.commands.engines import load_settings
    from traverse_infra.privacy.find import find as find_all

    settings = load_settings()
    files = _files(settings.home, file)
    count = 0
    for one in find_all(term, settings.kafka, settings.elasticsearch, files):
        count += 1
        record = f"{one.source} {one.subject}".strip() or "(dossier illisible)"
        when = f", {one.at:%d/%m/%Y %H:%M}" if one.at else ""
        state = "" if one.current else ", remplacé : attend le compactage"
        typer.echo(_shown(f"{one.place} {one.where} : {record}{when}{state}"))
    typer.echo(f"{count} endroit(s)." if count else "Rien n'a été trouvé.")


def purge(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="La source du dossier, urn:siren:…")
    ],
    subject: Annotated[str, typer.Argument(metavar="REFERENCE", help="Sa référence (subject).")],
    yes: Annotated[bool, typer.Option("--yes", help="Sans demander confirmation.")] = False,
    file: _Files = None,
) -> None:
    """Efface un dossier partout, pour toujours : rien de plus ancien n'est accepté de nouveau."""
    from traverse_infra.commands.engines import load_settings
    from traverse_infra.members import eraser, open_registry, signed
    from traverse_infra.privacy.purge import UnknownRecordError
    from traverse_infra.privacy.purge import purge as purge_record
    from traverse_producers.confirming import confirmed
    from traverse_producers.signing_keys import siren_of
    from traverse_producers.transports.kafka import KafkaTransport
    from traverse_schemas.clock import SystemClock
    from traverse_schemas.log.identity import utc_text

    if not yes and not confirmed(
        f"Effacer le dossier {subject} de {source}, sans retour possible ?"
    ):
        raise typer.Abort
    settings = load_settings()
    files = _files(settings.home, file)
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
    except UnknownRecordError:
        # Nothing of it has reached the log; what waits here would.
        if not _clear(files, source, subject, utc_text(SystemClock().now())):
            raise
        return
    finally:
        transport.close(10)
    _clear(files, source, subject, until)
    typer.echo(
        f"Effacé : tout ce qui a été dit du dossier {subject} jusqu'au {until}. « traverse check "
        "--purged » le prouve, et dit quand la dernière copie aura quitté les disques."
    )


def _clear(files: "list[LocalFile]", source: str, subject: str, until: str) -> int:
    from traverse_infra.privacy.local_files import erase

    count = erase(files, source, subject, until)
    if count:
        typer.echo(f"{count} événement(s) retiré(s) de nos files d'envoi.")
    return count


def page() -> None:
    """Écrit la page du délégué à la protection des données (docs/retention.md)."""
    from traverse_infra.privacy.retention import page as whole_page

    typer.echo(whole_page(), nl=False)


def _files(home: Path, more: list[Path] | None) -> "list[LocalFile]":
    """Those of the home folder, and those that were named."""
    from traverse_infra.privacy.local_files import file_of, files_under

    return [*files_under(home), *(file_of(path) for path in more or ())]


def _shown(text: str) -> str:
    """What a stranger wrote, as a terminal may have it."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text[:500])
