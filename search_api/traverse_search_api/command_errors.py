"""The errors of the command line; `str(error)` is the French sentence that is printed.

SearchError
├── ServiceNotRunningError  nothing answers at TRAVERSE_SEARCH
├── RefusedSearchError      the service's own sentence
├── UnreadableKeyError      no API key in the file
└── AddressUnavailableError the address is another program's
"""

from pathlib import Path

from traverse_search_api.errors import SearchError


class ServiceNotRunningError(SearchError):
    """Nothing answers where the search service should be."""

    def __init__(self, address: str) -> None:
        super().__init__(
            f"Le service de recherche ne répond pas à l’adresse {address} : lancez-le avec "
            "`traverse serve search`, ou essayez `traverse demo`."
        )


class RefusedSearchError(SearchError):
    """The service refused the search; the sentence is its own."""


class UnreadableKeyError(SearchError):
    """The file that should hold an API key does not."""

    def __init__(self, file: Path) -> None:
        super().__init__(
            f"Le fichier {file} ne contient pas de clé d’API lisible : donnez celui où elle a été "
            "copiée, seule sur sa ligne."
        )


class AddressUnavailableError(SearchError):
    """The service cannot listen at its address."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"Le service de recherche ne peut pas écouter à {host}:{port} : l’adresse n’est pas de "
            "cette machine ou un autre programme l’occupe ; choisissez TRAVERSE_SEARCH_PORT ou "
            "--port."
        )
