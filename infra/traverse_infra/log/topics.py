"""Applies the declared topics to a broker: creates what is missing, plans what differs.

A difference of settings is a migration: it is reported, and applied only when asked for. A
different number of partitions is refused: keys and offsets would change their meaning.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import AlterConfigOp, ConfigResource, ConfigResourceType, NewTopic, OffsetSpec
from kafka.errors import BrokerResponseError, KafkaError, TopicAlreadyExistsError

from traverse_infra.errors import EngineAwayError, TopicError
from traverse_schemas.log.engine_access import EngineAccess, engine_access
from traverse_schemas.log.topics import OPPORTUNITIES, TOPICS, Topic

_PATIENCE = 8000
"""Milliseconds to find a broker: a person waits for the answer."""


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic as the broker has it. `config`: effective values; `own`: keys set on the topic."""

    topic_id: str
    partitions: int
    config: Mapping[str, str]
    own: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Change:
    """One setting of one topic to change; `after` None takes back to the broker's default."""

    topic: str
    setting: str
    before: str | None
    after: str | None

    def __str__(self) -> str:
        after = "valeur par défaut" if self.after is None else self.after
        return f"{self.topic} : {self.setting} passe de {self.before} à {after}"


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """What would make the broker's topics those that are declared."""

    create: tuple[Topic, ...] = ()
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class AppliedTopics:
    """What was done, what waits for a migration, and each declared topic's id (its generation)."""

    created: tuple[str, ...]
    changed: tuple[Change, ...]
    pending: tuple[Change, ...]
    ids: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Copies:
    """On how many brokers each topic lies, and how many of these must have a message before it
    counts as written; None: as the cluster has it."""

    replication: int | None = None
    min_insync: int | None = None

    def declared(self, topic: Topic) -> Topic:
        """The topic, with what is asked of its copies."""
        if self.min_insync is None:
            return topic
        config = {**topic.config, "min.insync.replicas": str(self.min_insync)}
        return replace(topic, config=config)

    def check(self, brokers: int, bootstrap: str) -> None:
        """Raises TopicError when so many brokers cannot hold them."""
        wanted, least = self.replication or 1, self.min_insync or 1
        if wanted > brokers:
            raise TopicError(
                f"Kafka ({bootstrap}) n’a que {brokers} serveur(s), et TRAVERSE_REPLICATION="
                f"{wanted} en demande {wanted} : ajoutez des serveurs, ou demandez moins de copies."
            )
        if least > wanted:
            raise TopicError(
                f"TRAVERSE_MIN_INSYNC_REPLICAS={least} dépasse TRAVERSE_REPLICATION={wanted} : "
                "rien ne pourrait être écrit ; demandez-en moins que de copies."
            )


def plan_topics(wanted: Iterable[Topic], actual: Mapping[str, TopicState]) -> TopicPlan:
    """Compares; reads and writes nothing. Raises TopicError for a changed number of partitions."""
    create: list[Topic] = []
    changes: list[Change] = []
    for topic in wanted:
        state = actual.get(topic.name)
        if state is None:
            create.append(topic)
            continue
        if state.partitions != topic.partitions:
            raise TopicError(
                f"Le topic {topic.name} a {state.partitions} partitions et devrait en avoir "
                f"{topic.partitions} : ce nombre ne change jamais, car l’ordre et les versions en "
                "dépendent. Reprenez la déclaration, ou reconstruisez un nouveau journal."
            )
        changes += [
            Change(topic.name, setting, state.config.get(setting), value)
            for setting, value in sorted(topic.config.items())
            if state.config.get(setting) != value
        ]
        changes += [
            Change(topic.name, setting, state.config.get(setting), None)
            for setting in sorted(state.own - topic.config.keys())
        ]
    return TopicPlan(tuple(create), tuple(changes))


def apply_topics(
    bootstrap: str,
    *,
    topics: tuple[Topic, ...] = TOPICS,
    migrate: bool = False,
    access: EngineAccess | None = None,
    copies: Copies | None = None,
) -> AppliedTopics:
    """Creates the missing topics and, with `migrate`, changes the settings that differ.

    `access`: who asks; by the environment when it is None. Applying twice changes nothing. Raises
    EngineAwayError when no broker answers, TopicError when one refuses, or the cluster has fewer
    brokers than `copies` says.
    """
    copies = copies or Copies()
    topics = tuple(copies.declared(topic) for topic in topics)
    with kafka_admin(bootstrap, access) as admin:
        if copies.replication is not None:
            copies.check(len(admin.describe_cluster()["brokers"]), bootstrap)
        plan = plan_topics(topics, read_topics(admin, topics))
        if plan.create:
            _create(admin, plan.create, copies.replication)
        if migrate and plan.changes:
            _alter(admin, plan.changes)
        ids = {name: state.topic_id for name, state in read_topics(admin, topics).items()}
    return AppliedTopics(
        created=tuple(topic.name for topic in plan.create),
        changed=plan.changes if migrate else (),
        pending=() if migrate else plan.changes,
        ids=ids,
    )


def topic_ids(bootstrap: str, *, topics: tuple[Topic, ...] = TOPICS) -> dict[str, str]:
    """The id (UUID) of each declared topic that exists. Raises EngineAwayError."""
    with kafka_admin(bootstrap) as admin:
        return {name: state.topic_id for name, state in read_topics(admin, topics).items()}


def topic_exists(bootstrap: str, name: str) -> bool:
    """Whether there is a topic of this name. Raises EngineAwayError."""
    return name in topic_ids(bootstrap, topics=(Topic(name, ""),))


def opportunities_generation(bootstrap: str) -> str:
    """The id (UUID) of `traverse.opportunities`: what an index of opportunities belongs to.

    Raises EngineAwayError, and TopicError when the topic does not exist yet.
    """
    wanted = tuple(topic for topic in TOPICS if topic.name == OPPORTUNITIES)
    try:
        return topic_ids(bootstrap, topics=wanted)[OPPORTUNITIES]
    except KeyError as error:
        raise _missing(OPPORTUNITIES) from error


def opportunities_begun(bootstrap: str, access: EngineAccess | None = None) -> bool:
    """Whether anything was ever written to `traverse.opportunities`: then its indices exist, or
    are lost. `access`: as for `apply_topics`. Raises EngineAwayError, TopicError."""
    ends = end_offsets(bootstrap, OPPORTUNITIES, access)
    if not ends:
        raise _missing(OPPORTUNITIES)
    return any(ends.values())


def end_offsets(bootstrap: str, topic: str, access: EngineAccess | None = None) -> dict[int, int]:
    """The offset after the last message of each partition; none where there is no such topic.
    `access`: as for `apply_topics`. Raises EngineAwayError, TopicError."""
    with kafka_admin(bootstrap, access) as admin:
        described = admin.describe_topics([topic])[0]
        if described["error_code"]:
            return {}
        where = [TopicPartition(topic, number) for number in range(len(described["partitions"]))]
        ends = admin.list_partition_offsets(dict.fromkeys(where, OffsetSpec.LATEST))
    return {each.partition: int(end.offset) for each, end in ends.items()}


def read_topics(admin: KafkaAdminClient, topics: Iterable[Topic]) -> dict[str, TopicState]:
    """The state of those of the topics that exist."""
    described = admin.describe_topics([topic.name for topic in topics])
    found = {each["name"]: each for each in described if not each["error_code"]}
    if not found:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in found]
    configs: dict[str, dict[str, dict[str, Any]]]
    configs = admin.describe_configs(resources, config_filter="all")["topic"]
    return {
        name: TopicState(
            topic_id=str(each["topic_id"]),
            partitions=len(each["partitions"]),
            config={key: config["value"] for key, config in configs[name].items()},
            own=frozenset(
                key
                for key, config in configs[name].items()
                if config["config_source"] == "DYNAMIC_TOPIC_CONFIG"
            ),
        )
        for name, each in found.items()
    }


def _missing(topic: str) -> TopicError:
    return TopicError(f"Le topic {topic} n’existe pas encore : créez-le avec `traverse up`.")


def _create(admin: KafkaAdminClient, topics: Iterable[Topic], replication: int | None) -> None:
    new = [
        # -1: as many copies as the broker's own default says, one here.
        NewTopic(topic.name, topic.partitions, replication or -1, topic_configs=dict(topic.config))
        for topic in topics
    ]
    with suppress(TopicAlreadyExistsError):  # somebody else is applying the same declaration
        admin.create_topics(new, wait_for_metadata=True)


def _alter(admin: KafkaAdminClient, changes: Iterable[Change]) -> None:
    by_topic: dict[str, dict[str, tuple[AlterConfigOp, str | None]]] = {}
    for change in changes:
        operation = AlterConfigOp.DELETE if change.after is None else AlterConfigOp.SET
        by_topic.setdefault(change.topic, {})[change.setting] = (operation, change.after)
    admin.alter_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name, ops) for name, ops in by_topic.items()]
    )


@contextmanager
def kafka_admin(bootstrap: str, access: EngineAccess | None = None) -> Iterator[KafkaAdminClient]:
    """An admin client, closed at the end; Kafka's errors become ours here."""
    try:
        admin = KafkaAdminClient(
            **(access or engine_access()).kafka(bootstrap),
            client_id="traverse-infra",
            bootstrap_timeout_ms=_PATIENCE,
        )
        try:
            yield admin
        finally:
            admin.close()
    except BrokerResponseError as error:
        raise TopicError(f"Kafka ({bootstrap}) refuse les topics : {error}") from error
    except KafkaError as error:
        raise EngineAwayError("Kafka", bootstrap, type(error).__name__) from error
