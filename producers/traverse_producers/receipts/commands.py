"""`traverse receipt`: what became of one event."""

import json
from typing import Annotated

import typer


def receipt(
    source: Annotated[str, typer.Argument(help="La source, comme urn:siren:211300405.")],
    event_id: Annotated[str, typer.Argument(metavar="ID", help="L'identifiant de l'événement.")],
    as_json: Annotated[bool, typer.Option("--json", help="La réponse de l'API.")] = False,
) -> None:
    """Montre ce qu'est devenu un événement : ses étapes, leurs heures (Paris), sa fin."""
    from traverse_producers.receipts import trace
    from traverse_producers.receipts.desk import NoTraceError
    from traverse_producers.receipts.follow import Follower
    from traverse_producers.settings import PublishSettings
    from traverse_schemas.read_settings import read_settings

    settings = read_settings(PublishSettings)
    follower = Follower(settings.kafka, settings.home)
    follower.catch_up()
    with follower.open_store() as store:
        found = trace.joined(source, event_id, store.said_of(source, event_id))
    if found is None:
        raise NoTraceError(source, event_id)
    if as_json:
        typer.echo(json.dumps(trace.as_json(found), ensure_ascii=False, indent=2))
    else:
        typer.echo("\n".join(trace.as_lines(found)))
