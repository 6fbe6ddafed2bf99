"""`traverse publish` and `traverse import`, for the command line to put in its tree.

What goes wrong as a whole is raised as a TraverseError, which the composition root prints as one
sentence; what is wrong with a row is in the report, and the exit code is then 1.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from traverse_producers.confirming import confirmed
from traverse_producers.errors import InvalidOptionError, UndeliveredError
from traverse_producers.files.publishing import Confirmed, Progress, publish_rows
from traverse_producers.files.report import Report
from traverse_producers.files.rows import Row
from traverse_producers.sender import Sender
from traverse_producers.settings import PublishSettings
from traverse_producers.transports.contract import Transport
from traverse_schemas.clock import SystemClock, clock_from
from traverse_schemas.read_settings import read_settings
from traverse_schemas.signing.sources import Source, parse_source
from traverse_schemas.system_faults import fault

if TYPE_CHECKING:
    from traverse_producers.polling.poll import Feed

_LEAVE_TAKING = 5  # seconds that events under way still get when the command is interrupted
_Gateway = Annotated[
    str, typer.Option(metavar="URL", help="Passe par cette passerelle, au lieu de Kafka.")
]
_KeyFile = Annotated[
    Path | None,
    typer.Option("--api-key-file", metavar="FICHIER", help="Le fichier de la clé d'API."),
]
_Carrying = Callable[[PublishSettings], tuple[Transport, bool]]
_AsJson = Annotated[bool, typer.Option("--json", help="Le rapport en JSON.")]


def publish(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FICHIER",
            help="Événements en JSON, NDJSON ou tableau JSON ; dossiers en CSV ou XLSX. "
            "Fichiers, dossiers, adresses https, ou - pour l'entrée standard.",
        ),
    ] = None,
    *,
    institution: Annotated[
        str, typer.Option(metavar="SIREN", help="Qui publie : SIREN, ou SIREN:systeme.")
    ] = "",
    columns: Annotated[
        bool, typer.Option("--columns", help="Montre les colonnes possibles d'un tableau.")
    ] = False,
    mapping: Annotated[
        Path | None,
        typer.Option(
            metavar="FICHIER", help="Ce que sont les colonnes d'un tableau (fichier TOML)."
        ),
    ] = None,
    sent: Annotated[
        Path | None,
        typer.Option(
            metavar="FICHIER", help="Écrit en CSV la source et l'identifiant de chaque événement."
        ),
    ] = None,
    gateway: _Gateway = "",
    api_key_file: _KeyFile = None,
    json_output: _AsJson = False,
) -> None:
    """Publie des événements ou des dossiers depuis des fichiers.

    Chacun est signé avec la clé de son institution (TRAVERSE_HOME/keys/SIREN.pem) ; par la
    passerelle, sans cette clé, c'est elle qui signe pour qui le lui a confié.
    """
    if columns:
        _show_columns()
        return
    if not files:
        raise InvalidOptionError("Donnez au moins un fichier : traverse publish FILE...")
    from traverse_producers.files.input_streams import expand, open_input
    from traverse_producers.files.read import read_files
    from traverse_producers.files.sent_list import sent_list
    from traverse_producers.tables.commands import corrections_of, mapping_of
    from traverse_producers.tables.rows import Voice

    speaker = _speaker("--institution", institution) if institution else None
    voice = None
    if speaker is not None:
        voice = Voice(speaker.urn, SystemClock().now)
    siren = speaker.siren if speaker else None
    known = mapping_of(mapping)
    rows = read_files(expand(files), open_input, institution=siren, voice=voice, mapping=known)
    carrying = partial(_transport, gateway, api_key_file)
    with nullcontext(lambda _: None) if sent is None else sent_list(sent) as confirmed:
        report = _publish(rows, "Publication", carrying, confirmed)
    for line in corrections_of(report, known):
        typer.echo(line, err=json_output)
    _finish(report, json_output)


def import_(
    format_: Annotated[
        str, typer.Argument(metavar="FORMAT", help="boamp, decp, eforms, fonds-vert, ocds ou ted.")
    ],
    files: Annotated[
        list[str],
        typer.Argument(metavar="FICHIER_OU_URL", help="Fichiers, dossiers, adresses, ou -."),
    ],
    *,
    as_: Annotated[
        str,
        typer.Option(
            "--as", metavar="SIREN:SYSTEME", help="La source qui relaie, comme 181300013:decp."
        ),
    ] = "",
    as_of: Annotated[
        str, typer.Option(metavar="DATE", help="La date des lignes qui n'en portent pas.")
    ] = "",
    position: Annotated[
        Path | None,
        typer.Option(
            metavar="FICHIER",
            help="Où l'on en était : ne publie que ce qui a changé depuis la dernière fois.",
        ),
    ] = None,
    complete: Annotated[
        bool,
        typer.Option(
            "--complete",
            help="La liste est entière : ce qui en a disparu est retiré (avec --position).",
        ),
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Retire même plus de 5 % de la liste, sans demander.")
    ] = False,
    gateway: _Gateway = "",
    api_key_file: _KeyFile = None,
    json_output: _AsJson = False,
) -> None:
    """Importe des données ouvertes et les publie au nom de celui qui les relaie."""
    from traverse_producers.files.importing import import_rows
    from traverse_producers.files.input_streams import expand, open_input
    from traverse_producers.importers.contract import ImportContext
    from traverse_producers.importers.registry import IMPORTERS
    from traverse_producers.polling.poll import Feed

    importer = IMPORTERS.get(format_)
    if importer is None:
        raise InvalidOptionError(
            f"Le format « {format_[:40]} » n'existe pas : {', '.join(sorted(IMPORTERS))}."
        )
    if not as_:
        raise InvalidOptionError(
            "Dites qui relaie ces données : ajoutez --as SIREN:systeme, comme --as 181300013:decp."
        )
    context = ImportContext(_speaker("--as", as_).urn, _moment(as_of))
    carrying = partial(_transport, gateway, api_key_file)
    if position is not None:
        feeds = [Feed(format_, importer, file, context) for file in expand(files)]
        _poll(feeds, position, carrying, complete=complete, yes=yes, json_output=json_output)
        return
    if complete or yes:
        raise InvalidOptionError("--complete et --yes vont avec --position FILE : ajoutez-le.")
    rows = import_rows(importer, expand(files), open_input, context)
    _finish(_publish(rows, "Import", carrying), json_output)


def _publish(
    rows: Iterable[Row],
    title: str,
    carrying: _Carrying,
    confirmed: Confirmed = lambda _: None,
) -> Report:
    with _sending(title, carrying) as (sender, progress):
        return publish_rows(rows, sender, progress, confirmed)


def _poll(
    feeds: "list[Feed]",
    path: Path,
    carrying: _Carrying,
    *,
    complete: bool,
    yes: bool,
    json_output: bool,
) -> None:
    """Poll each listing; exit code 1 when a row was refused, 3 when somebody has to confirm."""
    from traverse_producers.files.input_streams import open_input
    from traverse_producers.polling.poll import poll
    from traverse_producers.polling.position import Position

    def ask(missing: int, active: int) -> bool:
        return yes or (
            sys.stdin is not None
            and sys.stdin.isatty()
            and confirmed(
                f"{missing} dossiers sur {active} ont disparu de la liste : les retirer ?"
            )
        )

    report, said, asked = Report(), [], False
    with Position(path) as position, _sending("Import", carrying) as (sender, progress):
        for feed in feeds:
            outcome = poll(
                feed, position, sender, SystemClock().now,
                open_file=open_input, complete=complete, ask=ask, progress=progress,
            )  # fmt: skip
            report.add(outcome.report)
            asked = asked or outcome.asked
            if outcome.unchanged:
                said.append(f"{feed.address} : inchangé depuis la dernière fois.")
            if outcome.withdrawn:
                said.append(f"{feed.address} : {outcome.withdrawn} dossier(s) retiré(s).")
            if outcome.kept:
                said.append(f"{feed.address} : {outcome.kept}")
    for line in said:
        typer.echo(line, err=json_output)
    _finish(report, json_output)
    if asked:
        raise typer.Exit(3)


@contextmanager
def _sending(title: str, carrying: _Carrying) -> Iterator[tuple[Sender, Progress]]:
    from traverse_producers.signing_keys import HeldKeys, KeyFolder, Keys

    settings = read_settings(PublishSettings)
    transport, direct = carrying(settings)
    keys: Keys | None = None
    if settings.signatures == "required":
        # By the gateway, that one signs for who delegated to it, and has no key here.
        keys = KeyFolder(settings.keys) if direct else HeldKeys(settings.keys)
    sender = Sender(transport, timeout=settings.publish_timeout, keys=keys)
    try:
        with _progress_bar(title) as progress:
            yield sender, progress
    finally:
        with suppress(UndeliveredError):  # the report has it
            sender.close(timeout=_LEAVE_TAKING)


def _transport(
    gateway: str, api_key_file: Path | None, settings: PublishSettings
) -> tuple[Transport, bool]:
    """By the gateway where one is named, else to Kafka; and whether it is direct."""
    address = gateway or settings.gateway
    if address:
        from traverse_producers.transports.http import HttpTransport

        key = api_key_in(api_key_file or settings.api_key_file)
        return HttpTransport(address, key, timeout=settings.publish_timeout), False
    from traverse_producers.transports.kafka import KafkaTransport

    return KafkaTransport(settings.kafka, timeout=settings.publish_timeout), True


def api_key_in(file: Path | None) -> str:
    """The API key: in a file, for a command line is seen by every account of the machine."""
    if file is None:
        raise InvalidOptionError(
            "La passerelle demande une clé d'API : donnez le fichier qui la contient, avec "
            "--api-key-file ou TRAVERSE_API_KEY_FILE."
        )
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InvalidOptionError(
            f"Le fichier de la clé d'API {file} ne peut pas être lu ({fault(error)})."
        ) from None


@contextmanager
def _progress_bar(title: str) -> Iterator[Progress]:
    """Counts on the error output, when that is a terminal: the report stays clean."""
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    texts = TextColumn("{task.description} : {task.completed:.0f} lignes")
    with Bar(
        SpinnerColumn(),
        texts,
        TimeElapsedColumn(),
        console=console,
        disable=not sys.stderr.isatty(),
    ) as bar:
        task = bar.add_task(title, total=None)
        yield lambda: bar.advance(task)


def _finish(report: Report, json_output: bool) -> None:
    """Print the report; exit code 1 when a row was refused or an event is not delivered."""
    if json_output:
        typer.echo(json.dumps(report.as_json(), ensure_ascii=False, indent=2))
    else:
        for line in report.lines():
            typer.echo(line)
    if not report.ok:
        raise typer.Exit(1)


def _speaker(option: str, text: str) -> Source:
    """`SIREN`, `SIREN:system` or the whole urn, as a source."""
    try:
        return parse_source(text if text.startswith("urn:") else f"urn:siren:{text}")
    except ValueError as error:
        raise InvalidOptionError(f"{option} : {error}") from None


def _moment(text: str) -> datetime | None:
    return clock_from(text).now() if text else None


def _show_columns() -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from traverse_producers.tables.columns import COLUMNS

    table = Table("Colonne", "Ou bien", "Exemple", box=box.SIMPLE_HEAD)
    for column in COLUMNS:
        table.add_row(column.name, ", ".join(column.aliases), column.example)
    Console().print(table)
