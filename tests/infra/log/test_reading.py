"""How far the steps have come is asked again of a broker that cannot say yet."""

from types import SimpleNamespace
from typing import Any

import pytest
from kafka import TopicPartition
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    GroupAuthorizationFailedError,
    KafkaError,
    NotCoordinatorError,
)

from traverse_infra.errors import EngineAwayError, TopicError
from traverse_infra.log.reading import GROUPS, Waiting, lags, waiting


class Admin:
    """A broker with one partition a topic, ten messages in each; `answers` on the groups in turn,
    then that all is done."""

    def __init__(self, answers: list[type[KafkaError]], *, unknown: bool = False) -> None:
        self.answers = answers
        self.unknown = unknown

    def list_group_offsets(self, groups: dict[str, None]) -> dict[str, Any]:
        if self.answers:
            raise self.answers.pop(0)
        done = SimpleNamespace(offset=10)
        return {
            group: {TopicPartition(topic, 0): done for topic in GROUPS[group]} for group in groups
        }

    def describe_topics(self, topics: list[str]) -> list[dict[str, Any]]:
        code, partitions = (3, []) if self.unknown else (0, [{"partition_index": 0}])
        return [{"name": name, "error_code": code, "partitions": partitions} for name in topics]

    def list_partition_offsets(self, asked: dict[TopicPartition, Any]) -> dict[TopicPartition, Any]:
        return {
            where: SimpleNamespace(offset=10 if spec.name == "LATEST" else 0)
            for where, spec in asked.items()
        }

    def close(self) -> None:
        """Nothing is held."""


def found(answers: list[type[KafkaError]], monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    monkeypatch.setattr("traverse_infra.log.reading.KafkaAdminClient", lambda **_: Admin(answers))
    return lags("unused:9092")


@pytest.mark.parametrize("passing", [CoordinatorLoadInProgressError, NotCoordinatorError])
def test_a_broker_that_still_loads_its_groups_is_asked_again(
    passing: type[KafkaError], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [passing, passing]
    assert found(answers, monkeypatch) == dict.fromkeys(GROUPS, 0)
    assert not answers


def test_a_broker_that_never_had_a_group_has_all_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found([CoordinatorNotAvailableError], monkeypatch) == {
        group: 10 * len(topics) for group, topics in GROUPS.items()
    }


def test_what_no_waiting_mends_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TopicError, match=r"GroupAuthorizationFailedError.*TRAVERSE_KAFKA_USER"):
        found([GroupAuthorizationFailedError], monkeypatch)


def test_topics_that_a_broker_does_not_know_are_no_end_of_the_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "traverse_infra.log.reading.KafkaAdminClient", lambda **_: Admin([], unknown=True)
    )
    with pytest.raises(EngineAwayError, match="UnknownTopicOrPartition"):
        lags("unused:9092")


def test_how_far_a_step_is_behind_is_told_by_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "traverse_infra.log.reading.KafkaAdminClient",
        lambda **_: Admin([CoordinatorNotAvailableError]),
    )
    assert waiting("unused:9092") == [
        Waiting(group, topic, 0, 0, 10) for group, topics in GROUPS.items() for topic in topics
    ]
