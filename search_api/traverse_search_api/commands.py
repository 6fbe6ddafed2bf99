"""`traverse search` and `traverse serve search`, for the command line to put in its tree."""

from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from traverse_schemas.read_settings import read_settings
from traverse_search_api.command_errors import (
    RefusedSearchError,
    ServiceNotRunningError,
    UnreadableKeyError,
)
from traverse_search_api.settings import SearchSettings

Texts = list[str] | None


def search(
    query: Annotated[str, typer.Argument(metavar="RECHERCHE", help="Ce qu'on cherche.")] = "",
    *,
    kind: Annotated[Texts, typer.Option(help="project, call ou need (répétable).")] = None,
    territory: Annotated[
        Texts,
        typer.Option(help="com:INSEE, cp:POSTAL, epci:SIREN, dep:NN, reg:NN ou fr (répétable)."),
    ] = None,
    status: Annotated[Texts, typer.Option(help="open, closing_soon, awarded… (répétable).")] = None,
    theme: Annotated[Texts, typer.Option(help="Thème (répétable).")] = None,
    cpv: Annotated[Texts, typer.Option(help="Code CPV, 2 à 8 chiffres (répétable).")] = None,
    institution: Annotated[Texts, typer.Option(help="SIREN ou nom (répétable).")] = None,
    sort: Annotated[
        str, typer.Option(help="relevance, published, deadline, amount ou distance.")
    ] = "relevance",
    size: Annotated[int, typer.Option(min=1, max=100, help="Nombre de résultats.")] = 20,
    as_of: Annotated[
        str, typer.Option(metavar="DATE", help="Date d'où l'on juge ouvert et clos.")
    ] = "",
    api_key_file: Annotated[
        Path | None,
        typer.Option(
            help="Fichier de la clé d'API de l'institution : cherche aussi ce qui lui est réservé."
        ),
    ] = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="La réponse de l'API, en JSON.")
    ] = False,
) -> None:
    """Cherche parmi les publications de toutes les institutions."""
    answer = ask(
        read_settings(SearchSettings).search,
        {
            "q": query, "kind": kind, "territory": territory, "status": status, "theme": theme,
            "cpv": cpv, "institution": institution, "sort": sort, "size": size, "as_of": as_of,
        },
        api_key=_key_in(api_key_file) if api_key_file else "",
    )  # fmt: skip
    if json_output:
        typer.echo(answer.text)
        return
    from rich.console import Console

    from traverse_search_api.answers.table import results_table

    console = Console()
    console.print(results_table(answer.json(), width=console.width))
    # The same search for people: its records open there.
    typer.echo(f"Dans un navigateur : {answer.request.url.copy_with(path='/')}")


def ask(
    address: str,
    parameters: dict[str, Any],
    transport: httpx.BaseTransport | None = None,
    *,
    api_key: str = "",
) -> httpx.Response:
    """The service's answer to a search; empty parameters are left out. With an `api_key`, as its
    institution.

    Raises ServiceNotRunningError when nothing answers at `address`, RefusedSearchError with the
    service's own sentence when it refuses.
    """
    given = {name: value for name, value in parameters.items() if value}
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    try:
        with httpx.Client(base_url=address, timeout=30, transport=transport) as client:
            answer = client.get("/v1/opportunities", params=given, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ServiceNotRunningError(address) from error
    if answer.is_success:
        return answer
    if "problem+json" in answer.headers.get("content-type", ""):
        raise RefusedSearchError(str(answer.json()["detail"]))
    # Something answers there, but it is not this service.
    raise ServiceNotRunningError(address)


def _key_in(file: Path) -> str:
    try:
        key = file.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise UnreadableKeyError(file) from error
    if not key.isprintable() or not key:
        raise UnreadableKeyError(file)
    return key


def serve_search(
    host: Annotated[
        str | None, typer.Option(help="Interface (TRAVERSE_SEARCH_HOST par défaut).")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port (TRAVERSE_SEARCH_PORT par défaut).")
    ] = None,
) -> None:
    """Lance le service de recherche."""
    from traverse_schemas.collector import spare_what_stays
    from traverse_search_api.accounts.staff import open_staff
    from traverse_search_api.app import create_app
    from traverse_search_api.server import listen, server_of

    settings = read_settings(SearchSettings)
    server = server_of(create_app(settings, staff=open_staff(settings)), settings)
    # Whole collections stopped all answers and streams for a second, now and then.
    spare_what_stays()
    chosen = host or settings.search_host, port or settings.search_port
    with listen(*chosen) as listener:
        typer.echo(f"La recherche répond à http://{chosen[0]}:{chosen[1]} (Ctrl+C pour arrêter).")
        server.run(sockets=[listener])
