"""`traverse search` and `traverse serve search`, for the command line to put in its tree."""

from typing import Annotated, Any

import httpx
import typer

from traverse_search_api.errors import SearchError, ServiceNotRunningError
from traverse_search_api.settings import SearchSettings

Texts = list[str] | None


class RefusedSearchError(SearchError):
    """The service refused the search; the sentence is its own."""


def search(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="Ce qu'on cherche.")] = "",
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
    as_of: Annotated[str, typer.Option(help="Date d'où l'on juge ouvert et clos.")] = "",
    json_output: Annotated[
        bool, typer.Option("--json", help="La réponse de l'API, en JSON.")
    ] = False,
) -> None:
    """Cherche parmi les publications de toutes les institutions."""
    answer = ask(
        SearchSettings().search,
        {
            "q": query, "kind": kind, "territory": territory, "status": status, "theme": theme,
            "cpv": cpv, "institution": institution, "sort": sort, "size": size, "as_of": as_of,
        },
    )  # fmt: skip
    if json_output:
        typer.echo(answer.text)
        return
    from rich.console import Console

    from traverse_search_api.table import results_table

    console = Console()
    console.print(results_table(answer.json(), width=console.width))


def ask(
    address: str,
    parameters: dict[str, Any],
    transport: httpx.BaseTransport | None = None,
) -> httpx.Response:
    """The service's answer to a search; empty parameters are left out.

    Raises ServiceNotRunningError when nothing answers at `address`, RefusedSearchError with the
    service's own sentence when it refuses.
    """
    given = {name: value for name, value in parameters.items() if value}
    try:
        with httpx.Client(base_url=address, timeout=30, transport=transport) as client:
            answer = client.get("/v1/opportunities", params=given)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ServiceNotRunningError(address) from error
    if answer.is_success:
        return answer
    if "problem+json" in answer.headers.get("content-type", ""):
        raise RefusedSearchError(str(answer.json()["detail"]))
    # Something answers there, but it is not this service.
    raise ServiceNotRunningError(address)


def serve_search(
    host: Annotated[
        str | None, typer.Option(help="Interface (TRAVERSE_SEARCH_HOST par défaut).")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port (TRAVERSE_SEARCH_PORT par défaut).")
    ] = None,
) -> None:
    """Lance le service de recherche."""
    import uvicorn

    from traverse_search_api.app import create_app

    settings = SearchSettings()
    uvicorn.run(
        create_app(settings),
        host=host or settings.search_host,
        port=port or settings.search_port,
        access_log=False,
        log_level="warning",
    )
