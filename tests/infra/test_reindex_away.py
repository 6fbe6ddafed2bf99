"""`traverse reindex` names the engine that is away: Elasticsearch, where Kafka answers."""

import pytest

from traverse_infra.errors import EngineAwayError
from traverse_infra.reindex.rebuild import rebuild


def test_an_elasticsearch_that_is_away_is_named_and_kafka_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("traverse_infra.reindex.rebuild.opportunities_generation", lambda _: "id")
    with pytest.raises(EngineAwayError, match=r"^Elasticsearch ne répond pas"):
        list(rebuild("kafka.example:9092", "http://127.0.0.1:1"))
