"""How the view stands, asked of the engines the moment somebody wants to know: Prometheus, or a
person with `traverse status`."""

import logging
from collections.abc import Iterator

from elasticsearch import Elasticsearch
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from traverse_infra.errors import InfraError
from traverse_infra.indices import missing_aliases
from traverse_infra.topics import opportunities_begun
from traverse_schemas.engine_access import EngineAccess, engine_access
from traverse_schemas.index_mapping import ALIASES

_LOG = logging.getLogger("traverse.check")

_PATIENCE = 5.0
"""Seconds for Elasticsearch to answer: Prometheus waits ten for all."""


def lost_indices(
    bootstrap: str, elasticsearch: str, access: EngineAccess | None = None
) -> list[str]:
    """The aliases without an index though the log has what it should hold; none on new engines.

    `access`: who asks; by the environment when it is None. Raises EngineAwayError, InfraError.
    """
    # First: an index is there before anything is written.
    begun = opportunities_begun(bootstrap, access)
    words = (access or engine_access()).elasticsearch(elasticsearch)
    with Elasticsearch(**words, request_timeout=_PATIENCE, max_retries=0) as client:
        missing = missing_aliases(client)
    return missing if begun else []


class Standing(Collector):
    """Asks at each reading of the metrics. What cannot be asked is left out, and said in the log:
    an alarm on absence sees it."""

    def __init__(self, bootstrap: str, elasticsearch: str) -> None:
        self._bootstrap = bootstrap
        self._elasticsearch = elasticsearch

    def collect(self) -> Iterator[Metric]:
        """Prometheus' own call."""
        try:
            yield self._lost()
        except InfraError as error:
            _LOG.warning("L'état de l'index n'est pas connu : %s", error)

    def _lost(self) -> Metric:
        lost = lost_indices(self._bootstrap, self._elasticsearch)
        metric = GaugeMetricFamily(
            "traverse_index_lost",
            "1 where an alias has no index though the log was written: run traverse reindex.",
            labels=["alias"],
        )
        for alias in ALIASES.values():
            metric.add_metric([alias], float(alias in lost))
        return metric
