"""Engines of the secure profile for the tests of this folder, started once."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from elasticsearch import Elasticsearch
from kafka import KafkaConsumer, KafkaProducer

from tests.engines import engine_settings
from traverse_infra.access_rules import ACCOUNTS, kafka_rules
from traverse_infra.engines.runner import Engines
from traverse_infra.engines.secure import Secrets
from traverse_infra.equip import equip
from traverse_schemas.log.engine_access import EngineAccess


class Secured(NamedTuple):
    """Engines of the secure profile, running."""

    kafka: str
    elasticsearch: str
    secrets: Secrets

    def access(self, account: str) -> EngineAccess:
        return self.secrets.access(account)

    def producer(self, account: str) -> KafkaProducer:
        # Not idempotent: the first refusal is then that of the topic itself.
        return KafkaProducer(
            **self.access(account).kafka(self.kafka), enable_idempotence=False, max_block_ms=20_000
        )

    def consumer(self, account: str, **more: Any) -> KafkaConsumer:
        return KafkaConsumer(
            **self.access(account).kafka(self.kafka), auto_offset_reset="earliest", **more
        )

    def search(self, account: str) -> Elasticsearch:
        return Elasticsearch(**self.access(account).elasticsearch(self.elasticsearch))

    def environment(self, account: str, home: Path) -> dict[str, str]:
        return {
            **os.environ,
            "TRAVERSE_HOME": str(home),
            "TRAVERSE_KAFKA": self.kafka,
            "TRAVERSE_ELASTICSEARCH": self.elasticsearch,
            **self.secrets.environment(account),
        }


@pytest.fixture(scope="package")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    settings = engine_settings(
        tmp_path_factory.mktemp("secured"), secure=True, elasticsearch_heap="768m"
    )
    engines = Engines(settings)
    try:
        engines.up()
        assert engines.secrets is not None
        equipped = equip(engines)
        assert set(equipped.environments) == set(ACCOUNTS)
        assert set(equipped.rules) == set(kafka_rules())
        assert equip(engines).rules == ()
        yield Secured(engines.kafka, engines.elasticsearch, engines.secrets)
    finally:
        engines.erase()
