"""What a demonstration plays: the bundled set, or real files."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from traverse_infra.demo.feeds import feeds_in, read_feed
from traverse_infra.demo.people import PEOPLE, Person
from traverse_infra.demo.play import octets_of
from traverse_producers.importers.contract import Dropped

# In the real files of the demonstration, this is when most calls are open at once.
_FILES_AS_OF = "2021-04-30T09:00:00+02:00"
_FILES_SEARCHES: tuple[dict[str, Any], ...] = (
    {"q": "rénovation énergétique école", "size": 5},
    {"q": "voirie", "territory": "dep:13", "size": 5},
    {"q": "restauration scolaire", "kind": "call", "size": 5},
)


@dataclass(slots=True)
class Script:
    """A demonstration. `events` gives the octets once; `dropped` fills while it is read.

    `searches` are the parameters of `GET /v1/opportunities`; `people` may sign in to the pages.
    """

    title: str
    as_of: str
    events: Callable[[], Iterator[bytes]]
    searches: tuple[dict[str, Any], ...]
    institutions: list[dict[str, Any]] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    people: tuple[Person, ...] = ()


def bundled_script() -> Script:
    """The set that comes with the product, of our own writing."""
    from traverse_infra.demo.bundled import load

    bundled = load()
    return Script(
        title="Un territoire de démonstration, en Provence",
        as_of=bundled.as_of,
        events=lambda: iter(bundled.events),
        searches=bundled.searches,
        institutions=bundled.institutions,
        people=PEOPLE,
    )


def files_script(folder: Path) -> Script:
    """The real files of a folder. Raises NothingToImportError."""
    feeds = feeds_in(folder)
    script = Script(
        title=f"Les fichiers réels de {folder}",
        as_of=_FILES_AS_OF,
        events=lambda: iter(()),
        searches=_FILES_SEARCHES,
        institutions=[
            {
                "siren": "181300013",
                "name": "CCI Aix-Marseille-Provence (relais d'open data)",
                "kind": "chamber",
            }
        ],
    )

    def events() -> Iterator[bytes]:
        for feed in feeds:
            for row in read_feed(feed):
                if isinstance(row, Dropped):
                    script.dropped.append(row)
                else:
                    yield from octets_of([row])

    script.events = events
    return script
