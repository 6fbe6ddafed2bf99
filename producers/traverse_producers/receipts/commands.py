"""`traverse receipt`: what became of one event.

The operator reads the log. An institution asks the gateway, with its API key.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from traverse_producers.receipts.trace import Trace
    from traverse_producers.settings import PublishSettings


def receipt(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="La source, comme urn:siren:211300405.")
    ],
    event_id: Annotated[str, typer.Argument(metavar="ID", help="L'identifiant de l'événement.")],
    as_json: Annotated[bool, typer.Option("--json", help="La réponse de l'API.")] = False,
    gateway: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="Adresse de la passerelle (TRAVERSE_GATEWAY), pour une institution. Sans elle, le "
            "journal est lu, ce que seul l'exploitant peut.",
        ),
    ] = "",
    api_key_file: Annotated[
        Path | None,
        typer.Option(
            "--api-key-file",
            metavar="FICHIER",
            help="Le fichier de la clé d'API pour la passerelle (TRAVERSE_API_KEY_FILE).",
        ),
    ] = None,
) -> None:
    """Montre ce qu'est devenu un événement : ses étapes, leurs heures (Paris), sa fin."""
    from traverse_producers.commands import api_key_in
    from traverse_producers.gateway_calls import GatewayCalls
    from traverse_producers.receipts import trace
    from traverse_producers.settings import PublishSettings
    from traverse_schemas.read_settings import read_settings

    settings = read_settings(PublishSettings)
    address = gateway or settings.gateway
    if address:
        key = api_key_in(api_key_file or settings.api_key_file)
        with GatewayCalls(address, key, timeout=settings.publish_timeout) as calls:
            said = calls.get("/v1/receipts", {"source": source, "id": event_id})
    else:
        said = trace.as_json(_of_the_log(settings, source, event_id))
    if as_json:
        typer.echo(json.dumps(said, ensure_ascii=False, indent=2))
        return
    for line in trace.as_lines(trace.from_json(said)):
        typer.echo(line)
    if said.get("warning"):
        typer.echo(said["warning"])


def _of_the_log(settings: "PublishSettings", source: str, event_id: str) -> "Trace":
    from traverse_producers.receipts import trace
    from traverse_producers.receipts.desk import NoTraceError
    from traverse_producers.receipts.follow import Follower

    follower = Follower(settings.kafka, settings.home)
    follower.catch_up()
    with follower.open_store() as store:
        found = trace.joined(source, event_id, store.said_of(source, event_id))
    if found is None:
        raise NoTraceError(source, event_id)
    return found
