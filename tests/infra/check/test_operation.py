"""What Prometheus is told of the index and of each partition."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry

from traverse_infra.check.operation import OperationMetrics, Stillness
from traverse_infra.errors import EngineAwayError
from traverse_infra.log.reading import Waiting
from traverse_schemas.documents.index_mapping import ALIASES, PUBLIC_ALIAS
from traverse_schemas.log.topics import INBOUND


def at(partition: int, start: int, count: int) -> Waiting:
    return Waiting("traverse-validate", INBOUND, partition, start, count)


def test_a_partition_that_stands_still_is_told_from_one_with_nothing_to_read() -> None:
    moments = iter((100.0, 160.0, 220.0))
    still = Stillness(lambda: next(moments))
    looks = [
        [at(0, 5, 3), at(1, 9, 0), at(2, 5, 3)],
        [at(0, 5, 4), at(1, 9, 0), at(2, 8, 9)],
        [at(0, 5, 9), at(1, 9, 1), at(2, 9, 9)],
    ]
    found = [list(still.look(each).values()) for each in looks]
    assert found == [[0, 0, 0], [60, 0, 0], [120, 0, 0]]


def test_a_lost_index_and_what_waits_are_told_and_engines_away_are_absent() -> None:
    registry = CollectorRegistry()
    away = False

    def behind() -> Iterable[Waiting]:
        if away:
            raise EngineAwayError("Kafka", "127.0.0.1:1")
        return [at(3, 5, 7)]

    registry.register(OperationMetrics(lambda: [PUBLIC_ALIAS], behind, lambda: 0.0))
    lost = [
        registry.get_sample_value("traverse_index_lost", {"alias": alias})
        for alias in ALIASES.values()
    ]
    assert lost == [float(alias == PUBLIC_ALIAS) for alias in ALIASES.values()]
    place = {"step": "traverse-validate", "topic": INBOUND, "partition": "3"}
    assert registry.get_sample_value("traverse_waiting_messages", place) == 7
    away = True
    assert registry.get_sample_value("traverse_waiting_messages", place) is None
    assert registry.get_sample_value("traverse_index_lost", {"alias": PUBLIC_ALIAS}) == 1
