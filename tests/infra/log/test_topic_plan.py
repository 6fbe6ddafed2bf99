"""What applying topics would do, without a broker."""

import pytest

from traverse_infra.errors import TopicError
from traverse_infra.log.topics import Change, Copies, TopicPlan, TopicState, plan_topics
from traverse_schemas.log.topics import LARGEST_BATCH, TOPICS, Topic

_TOPIC = Topic("t", "a topic", partitions=4, config={"retention.ms": "10"})


def _state(partitions: int = 4, **config: str) -> TopicState:
    values = {key.replace("_", "."): value for key, value in config.items()}
    return TopicState("id", partitions, values, frozenset(values))


def test_what_is_missing_is_created() -> None:
    assert plan_topics([_TOPIC], {}) == TopicPlan(create=(_TOPIC,))


def test_what_is_as_declared_stays() -> None:
    assert plan_topics([_TOPIC], {"t": _state(retention_ms="10")}) == TopicPlan()


def test_a_default_that_equals_the_declaration_is_no_change() -> None:
    state = TopicState("id", 4, {"retention.ms": "10", "segment.ms": "5"})
    assert plan_topics([_TOPIC], {"t": state}) == TopicPlan()


def test_a_setting_that_differs_is_a_change() -> None:
    plan = plan_topics([_TOPIC], {"t": _state(retention_ms="20")})
    assert plan.changes == (Change("t", "retention.ms", "20", "10"),)
    assert str(plan.changes[0]) == "t : retention.ms passe de 20 à 10"


def test_a_setting_that_nobody_declared_goes_back_to_the_default() -> None:
    plan = plan_topics([_TOPIC], {"t": _state(retention_ms="10", segment_ms="1")})
    assert plan.changes == (Change("t", "segment.ms", "1", None),)


def test_another_number_of_partitions_is_refused() -> None:
    with pytest.raises(TopicError, match="a 3 partitions et devrait en avoir 4"):
        plan_topics([_TOPIC], {"t": _state(3, retention_ms="10")})


def test_the_declared_topics_once_created_need_nothing() -> None:
    actual = {
        topic.name: TopicState("id", topic.partitions, topic.config, frozenset(topic.config))
        for topic in TOPICS
    }
    assert plan_topics(TOPICS, actual) == TopicPlan()


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_every_topic_takes_the_batches_that_are_written(topic: Topic) -> None:
    """The broker's limit counts a batch, not a message: small messages too come in large ones."""
    assert int(topic.config["max.message.bytes"]) >= LARGEST_BATCH


def test_more_copies_than_brokers_are_refused_and_said() -> None:
    with pytest.raises(TopicError, match="TRAVERSE_REPLICATION=3"):
        Copies(3, 2).check(2, "kafka:9092")
    with pytest.raises(TopicError, match="TRAVERSE_MIN_INSYNC_REPLICAS=3"):
        Copies(2, 3).check(3, "kafka:9092")
    Copies(3, 2).check(3, "kafka:9092")


def test_copies_that_are_not_asked_for_stay_the_clusters_own() -> None:
    topic = Topic("t", "", 1, {"retention.ms": "1"})
    assert Copies().declared(topic) == topic
    assert Copies(3, 2).declared(topic).config == {"retention.ms": "1", "min.insync.replicas": "2"}
