"""Topics and indices on the real engines."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from elasticsearch import Elasticsearch
from kafka import KafkaAdminClient
from typer.testing import CliRunner

from tests.engines import RunningEngines
from tests.journey.harness import all_indices, all_topics
from traverse_infra import indices
from traverse_infra.commands.tree import build
from traverse_infra.errors import EngineAwayError, IndexLostError, IndexMismatchError, TopicError
from traverse_infra.log.topics import Change, Copies, apply_topics, opportunities_generation
from traverse_schemas.documents.index_mapping import PUBLIC_ALIAS
from traverse_schemas.log.topics import OPPORTUNITIES, TOPICS, Topic

pytestmark = pytest.mark.engines


@pytest.fixture
def topic(engines: RunningEngines) -> Iterator[Topic]:
    """A topic of the test's own; it goes at the end."""
    name = f"test.{uuid4().hex[:8]}"
    yield Topic(name, "of a test", partitions=2, config={"retention.ms": "100000"})
    admin = KafkaAdminClient(bootstrap_servers=engines.kafka)
    admin.delete_topics([name], raise_errors=False)
    admin.close()


@pytest.fixture
def client(engines: RunningEngines) -> Iterator[Elasticsearch]:
    with Elasticsearch(engines.elasticsearch, request_timeout=30) as client:
        yield client


@pytest.fixture
def alias(client: Elasticsearch) -> Iterator[str]:
    """An alias of the test's own, of the declared ones' family; its indices go at the end."""
    alias = f"{PUBLIC_ALIAS}-test{uuid4().hex[:8]}"
    yield alias
    for name in client.indices.get(index=f"{alias}*").body:
        client.indices.delete(index=name)


def test_applying_the_declared_topics_twice_changes_nothing(engines: RunningEngines) -> None:
    apply_topics(engines.kafka)
    again = apply_topics(engines.kafka)
    assert (again.created, again.changed, again.pending) == ((), (), ())
    assert set(again.ids) == {topic.name for topic in TOPICS}
    assert UUID(again.ids[OPPORTUNITIES])
    assert opportunities_generation(engines.kafka) == again.ids[OPPORTUNITIES]


def test_a_changed_setting_waits_for_a_migration(engines: RunningEngines, topic: Topic) -> None:
    assert apply_topics(engines.kafka, topics=(topic,)).created == (topic.name,)
    changed = Topic(topic.name, topic.purpose, 2, {"cleanup.policy": "compact"})
    expected = (
        Change(topic.name, "cleanup.policy", "delete", "compact"),
        Change(topic.name, "retention.ms", "100000", None),
    )
    assert apply_topics(engines.kafka, topics=(changed,)).pending == expected
    migrated = apply_topics(engines.kafka, topics=(changed,), migrate=True)
    assert (migrated.changed, migrated.pending) == (expected, ())
    assert apply_topics(engines.kafka, topics=(changed,)).pending == ()


def test_a_changed_number_of_partitions_is_refused(engines: RunningEngines, topic: Topic) -> None:
    apply_topics(engines.kafka, topics=(topic,))
    with pytest.raises(TopicError, match="2 partitions"):
        apply_topics(engines.kafka, topics=(Topic(topic.name, "", 3, topic.config),), migrate=True)


def test_a_setting_that_kafka_does_not_know_is_a_sentence(engines: RunningEngines) -> None:
    with pytest.raises(TopicError, match="refuse"):
        apply_topics(engines.kafka, topics=(Topic("test.bad", "", 1, {"no.such": "1"}),))


def test_preparing_an_index_twice_changes_nothing(client: Elasticsearch, alias: str) -> None:
    topic_id = str(uuid4())
    name = indices.prepare_index(client, alias, topic_id, begun=False)
    assert name == f"{alias}-{indices.current_generation(topic_id).short}"
    assert indices.prepare_index(client, alias, topic_id, begun=False) == name
    made = client.indices.get(index=alias).body[name]
    assert made["mappings"]["_meta"]["topic_id"] == topic_id
    assert made["mappings"]["dynamic"] == "strict"  # from the template
    assert list(made["aliases"]) == [alias]


def test_an_index_of_another_generation_is_an_error(client: Elasticsearch, alias: str) -> None:
    indices.prepare_index(client, alias, str(uuid4()), begun=False)
    with pytest.raises(IndexMismatchError, match="traverse reindex"):
        indices.prepare_index(client, alias, str(uuid4()), begun=False)


def test_a_rebuild_goes_to_a_fresh_index_then_the_alias_moves(
    client: Elasticsearch, alias: str
) -> None:
    old, new = str(uuid4()), str(uuid4())
    before = indices.prepare_index(client, alias, old, begun=False)
    fresh = indices.fresh_index(client, alias, new)
    assert list(client.indices.get_alias(name=alias).body) == [before]
    assert indices.swap_aliases(client, {alias: fresh}) == (before,)
    assert indices.swap_aliases(client, {alias: fresh}) == ()
    assert indices.prepare_index(client, alias, new, begun=False) == fresh
    indices.delete_index(client, before)
    indices.delete_index(client, before)
    again = indices.fresh_index(client, alias, new)
    assert again == f"{fresh}-2"


def test_engines_that_are_away_are_a_sentence() -> None:
    with (
        Elasticsearch("http://127.0.0.1:1", max_retries=0) as client,
        pytest.raises(EngineAwayError, match="traverse up"),
    ):
        indices.prepare_index(client, "a", "b", begun=False)
    with pytest.raises(EngineAwayError, match="traverse up"):
        apply_topics("127.0.0.1:1")


def test_an_index_that_is_gone_is_not_made_anew_empty(client: Elasticsearch, alias: str) -> None:
    name = indices.prepare_index(client, alias, topic_id := str(uuid4()), begun=False)
    indices.delete_index(client, name)
    with pytest.raises(IndexLostError, match="traverse reindex"):
        indices.prepare_index(client, alias, topic_id, begun=True)
    assert not client.indices.exists(index=alias)


def test_a_cluster_with_too_few_brokers_is_refused_before_anything_is_made(
    engines: RunningEngines, topic: Topic
) -> None:
    with pytest.raises(TopicError, match="1 serveur"):
        apply_topics(engines.kafka, topics=(topic,), copies=Copies(3, 2))
    made = apply_topics(engines.kafka, topics=(topic,), copies=Copies(1, 1))
    assert made.created == (topic.name,)
    again = apply_topics(engines.kafka, topics=(topic,), copies=Copies(1, 1))
    assert (again.created, again.pending) == ((), ())


def test_equipping_engines_of_others_says_what_it_did_and_twice_is_once(
    engines: RunningEngines, client: Elasticsearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = all_topics(engines.kafka)
    all_indices(client, ids[OPPORTUNITIES])
    monkeypatch.setenv("TRAVERSE_KAFKA", engines.kafka)
    monkeypatch.setenv("TRAVERSE_ELASTICSEARCH", engines.elasticsearch)
    for _ in range(2):
        done = CliRunner().invoke(build(), ["equip"])
        assert done.exit_code == 0, done.output
        assert f"{len(TOPICS)} topics en place, dont 0 créé(s)." in done.output
        assert f"Alias {PUBLIC_ALIAS} : {PUBLIC_ALIAS}-" in done.output
    settings = client.indices.get_settings(index=PUBLIC_ALIAS, flat_settings=True).body
    (index,) = settings.values()
    assert index["settings"]["index.auto_expand_replicas"] == "0-1"
