"""`traverse receipt`: what became of one event."""

import json
from typing import Annotated

import typer

from traverse_producers.errors import PublishError


class UnknownEventError(PublishError):
    """No message is about this event."""

    def __init__(self, source: str, event_id: str) -> None:
        super().__init__(
            f"Rien n'est connu de l'événement {event_id[:255]} de {source[:100]} : vérifiez la "
            "source et l'identifiant ; il est peut-être encore en route (réessayez dans quelques "
            "secondes), n'est jamais arrivé, ou date de plus de 90 jours."
        )


def receipt(
    source: Annotated[str, typer.Argument(help="La source, comme urn:siren:211300405.")],
    event_id: Annotated[str, typer.Argument(metavar="ID", help="L'identifiant de l'événement.")],
    as_json: Annotated[bool, typer.Option("--json", help="La réponse de l'API.")] = False,
) -> None:
    """Montre ce qu'est devenu un événement : ses étapes, leurs heures (Paris), sa fin."""
    from traverse_producers.receipts import trace
    from traverse_producers.receipts.follow import Follower
    from traverse_producers.settings import PublishSettings

    settings = PublishSettings()
    follower = Follower(settings.kafka, settings.home)
    follower.catch_up()
    store = follower.store()
    try:
        found = trace.joined(source, event_id, store.said_of(source, event_id))
    finally:
        store.close()
    if found is None:
        raise UnknownEventError(source, event_id)
    if as_json:
        typer.echo(json.dumps(trace.as_json(found), ensure_ascii=False, indent=2))
    else:
        typer.echo("\n".join(trace.as_lines(found)))
