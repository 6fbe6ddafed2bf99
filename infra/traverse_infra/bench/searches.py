"""How long a search takes over HTTP with all facets, beside Elasticsearch's own `took`.

The service says in its `Server-Timing` header how long Elasticsearch took, in whole milliseconds,
how long it waited for the answer, and how long the whole took. What is "added" is the client's time
less what Elasticsearch took: HTTP both ways, building the query, the rest of Elasticsearch's
answer, reading and writing JSON. The service's "own" share is the whole less the wait: reading the
parameters, building the query, forming the answer. "http" is the client's time less the whole: the
server below the service, and the client. That is the standard library's, kept open: one with more
comfort costs a millisecond of its own a request.
"""

import re
import time
from http.client import HTTPConnection
from itertools import cycle, islice
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import orjson

from traverse_infra.bench.figures import percentile
from traverse_infra.errors import InfraError

SEARCHES: tuple[dict[str, Any], ...] = (
    {"q": "rénovation énergétique école"},
    {"q": "voirie"},
    {"q": "restauration scolaire", "kind": "call"},
    {"q": "maîtrise d'œuvre", "territory": "reg:93"},
    {"q": "travaux assainissement", "territory": "dep:13"},
    {"q": '"marché de travaux"', "sort": "published"},
    {"theme": "energie"},
    {"q": "fourniture informatique", "status": "awarded"},
    {"q": "nettoyage locaux", "cpv": "90"},
    {"q": "éclairage public"},
    {"kind": "call", "sort": "published"},
    {"q": "transport -scolaire", "size": 50},
)
_PART = re.compile(r"\b(engine|wait|total);dur=([\d.]+)")


class SearchFailedError(InfraError):
    """The service answered a search of the benchmark with an error."""


def search_figures(address: str, rounds: int, warm: int) -> dict[str, float]:
    """`rounds` times all searches, one after the other on one connection, after `warm` times."""
    total: list[float] = []
    took: list[float] = []
    own: list[float] = []
    http: list[float] = []
    hits = 0
    connection = HTTPConnection(urlsplit(address).netloc, timeout=30)
    try:
        for index, parameters in enumerate(
            islice(cycle(SEARCHES), len(SEARCHES) * (warm + rounds))
        ):
            path = f"/v1/opportunities?{urlencode(parameters)}"
            start = time.perf_counter()
            connection.request("GET", path)
            answer = connection.getresponse()
            octets = answer.read()
            elapsed = (time.perf_counter() - start) * 1000
            if answer.status != 200:
                raise SearchFailedError(
                    f"La recherche {parameters} du banc d'essai échoue : "
                    f"{octets[:200].decode(errors='replace')}"
                )
            if index >= len(SEARCHES) * warm:
                total.append(elapsed)
                timing = timing_of(answer.headers.get("server-timing", ""))
                took.append(timing.engine)
                own.append(timing.own)
                http.append(elapsed - timing.total)
                hits += orjson.loads(octets)["total"]["value"]
    finally:
        connection.close()
    added = [each - engine for each, engine in zip(total, took, strict=True)]
    parts = {"": total, "took_": took, "added_": added, "own_": own, "http_": http}
    return {
        **{
            f"{name}p{share}_ms": percentile(milliseconds, share / 100)
            for name, milliseconds in parts.items()
            for share in (50, 95)
        },
        "searches": len(total),
        "mean_hits": hits / len(total),
    }


class Timing(NamedTuple):
    """Milliseconds: what Elasticsearch took, how long the service waited for it, and the whole."""

    engine: float
    wait: float
    total: float

    @property
    def own(self) -> float:
        """What the service itself took."""
        return self.total - self.wait


def timing_of(header: str) -> Timing:
    """What a `Server-Timing` header says. Raises SearchFailedError without one."""
    parts = {name: float(milliseconds) for name, milliseconds in _PART.findall(header)}
    if parts.keys() != {"engine", "wait", "total"}:
        raise SearchFailedError(
            "Le service de recherche ne dit pas le temps d'Elasticsearch (en-tête Server-Timing) : "
            "mettez-le à jour."
        )
    return Timing(**parts)
