"""The secure profile on real engines: what each account may do, and what is refused."""

import ssl
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from elastic_transport import ConnectionError as NoConnectionError
from elasticsearch import ApiError, AuthenticationException, AuthorizationException, Elasticsearch
from kafka import KafkaAdminClient, TopicPartition
from kafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from tests.infra.conftest import Secured
from tests.stream_processors.factory import CCI, call_data
from traverse_infra.access_rules import ACCOUNTS, kafka_rules
from traverse_infra.check.operation import lost_indices
from traverse_infra.engines.waiting import wait_until
from traverse_infra.log.acls import apply_acls
from traverse_infra.log.reading import GROUPS, waiting
from traverse_producers.errors import BrokerAwayError, BrokerRefusedError, PublishError
from traverse_producers.publisher import Publisher
from traverse_producers.transports.kafka import KafkaTransport
from traverse_schemas.documents.index_mapping import ALIASES, PUBLIC_ALIAS
from traverse_schemas.log.compacted_table import TableAwayError
from traverse_schemas.log.compacted_topic import KafkaTableLog
from traverse_schemas.log.engine_access import EngineAccess
from traverse_schemas.log.topics import INBOUND, INSTITUTIONS, TOPICS

pytestmark = pytest.mark.engines


def write(secured: Secured, account: str, topic: str) -> None:
    producer = secured.producer(account)
    try:
        # On `traverse.accepted` it is an event that nobody knows: the journey goes over it.
        producer.send(topic, value=b"x", key=b'["s","r","i"]', partition=0).get(20)
    finally:
        producer.close(timeout=5)


def read(secured: Secured, account: str, topic: str) -> int:
    """Reads the topic's first partition from its beginning; how many messages it has."""
    consumer = secured.consumer(account)
    try:
        where = TopicPartition(topic, 0)
        consumer.assign([where])
        consumer.seek_to_beginning(where)
        end: int = consumer.end_offsets([where])[where]
        # Asked once even when nothing is there: a refusal comes with the first answer.
        found = len(consumer.poll(timeout_ms=2000).get(where, ()))
        while consumer.position(where) < end:
            found += len(consumer.poll(timeout_ms=1000).get(where, ()))
        return found
    finally:
        consumer.close()


NAMES = [topic.name for topic in TOPICS]
EVENTS = [name for name in NAMES if name.startswith("traverse.events.")]


def test_a_publisher_may_write_inbound_and_nothing_else(secured: Secured) -> None:
    access = secured.access("publisher")
    with Publisher(CCI, transport=KafkaTransport(secured.kafka, access=access)) as said:
        assert said.publish("call", "SECURE", call_data()).result(60).topic == "traverse.inbound"
    for name in NAMES:
        if name != "traverse.inbound":
            with pytest.raises(TopicAuthorizationFailedError):
                write(secured, "publisher", name)


def test_a_publisher_may_read_nothing(secured: Secured) -> None:
    """Not even what it has published: others' events lie beside its own."""
    for name in ("traverse.inbound", "traverse.accepted", "traverse.events.call"):
        with pytest.raises(TopicAuthorizationFailedError):
            read(secured, "publisher", name)


def test_a_subscriber_may_read_the_public_topics_and_nothing_else(secured: Secured) -> None:
    for name in EVENTS:
        assert read(secured, "subscriber", name) == 0
    for name in NAMES:
        if name not in EVENTS:
            with pytest.raises(TopicAuthorizationFailedError):
                read(secured, "subscriber", name)


def test_a_subscriber_may_write_nowhere(secured: Secured) -> None:
    for name in ("traverse.inbound", "traverse.events.call"):
        with pytest.raises(TopicAuthorizationFailedError):
            write(secured, "subscriber", name)


def test_a_subscriber_joins_groups_of_its_own_name_alone(secured: Secured) -> None:
    consumer = secured.consumer("subscriber", group_id="subscriber-mine")
    consumer.subscribe(["traverse.events.call"])

    def joined() -> bool:
        consumer.poll(timeout_ms=200)
        return bool(consumer.assignment())

    assert wait_until(joined, timeout=60)
    consumer.close()
    stolen = secured.consumer("subscriber", group_id="traverse-index")
    stolen.subscribe(["traverse.events.call"])
    with pytest.raises(GroupAuthorizationFailedError):
        wait_until(lambda: stolen.poll(timeout_ms=500) and None, timeout=60)
    stolen.close()


def test_the_processors_change_no_registry_and_the_gateway_writes_inbound_only(
    secured: Secured,
) -> None:
    write(secured, "processors", "traverse.accepted")
    write(secured, "administration", "traverse.institutions")
    for account, name in (
        ("processors", "traverse.institutions"),
        ("gateway", "traverse.institutions"),
        ("gateway", "traverse.accepted"),
        ("administration", "traverse.accepted"),
        ("search", "traverse.inbound"),
    ):
        with pytest.raises(TopicAuthorizationFailedError):
            write(secured, account, name)


def test_nobody_else_gets_in(secured: Secured, tmp_path: Path) -> None:
    """Without TLS, without a name, or with a wrong password."""
    wrong = tmp_path / "password"
    wrong.write_text("wrong")
    publisher = secured.access("publisher")
    for access in (
        EngineAccess(),
        EngineAccess(kafka_security="SSL", kafka_ca=secured.secrets.ca),
        publisher.model_copy(update={"kafka_password_file": wrong}),
        publisher.model_copy(update={"kafka_ca": None}),
    ):
        with pytest.raises((BrokerAwayError, BrokerRefusedError)):
            KafkaTransport(secured.kafka, timeout=3, access=access)


def test_no_account_but_the_operator_administers(secured: Secured) -> None:
    admin = KafkaAdminClient(**secured.access("processors").kafka(secured.kafka))
    try:
        with pytest.raises(KafkaError):
            admin.delete_topics(["traverse.accepted"])
    finally:
        admin.close()
    assert "traverse.accepted" in NAMES
    assert read(secured, "operator", "traverse.accepted") >= 0


def test_permissions_that_are_not_declared_are_taken_away(
    secured: Secured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Applied after a rule has gone from the code, it goes from Kafka too."""
    operator = secured.access("operator")
    more = [*kafka_rules(), kafka_rules()[0]._replace(name="traverse.accepted")]
    with monkeypatch.context() as patched:
        patched.setattr("traverse_infra.log.acls.kafka_rules", lambda: more)
        assert len(apply_acls(secured.kafka, access=operator)) == 1
    assert apply_acls(secured.kafka, access=operator) == ()
    with pytest.raises(TopicAuthorizationFailedError):
        write(secured, "publisher", "traverse.accepted")


BUYERS_ALIAS = ALIASES["buyers"]
DOCUMENT: dict[str, Any] = {"require_alias": True, "document": {"title": "Voirie"}}


def test_the_indexer_may_only_write(secured: Secured) -> None:
    with secured.search("processors") as client:
        for alias in ALIASES.values():
            client.index(index=alias, id="s-1", **DOCUMENT)
            with pytest.raises(AuthorizationException):
                client.search(index=alias)
            with pytest.raises(AuthorizationException):
                client.get(index=alias, id="s-1")
        with pytest.raises(AuthorizationException):
            client.indices.delete(index=next(iter(client.indices.get_alias(name=PUBLIC_ALIAS))))
        with pytest.raises(AuthorizationException):
            client.security.get_user()


def test_the_search_service_may_only_read_and_only_the_public_index(secured: Secured) -> None:
    with secured.search("search") as client:
        client.search(index=PUBLIC_ALIAS)
        client.open_point_in_time(index=PUBLIC_ALIAS, keep_alive="1s")
        for refused in (
            lambda: client.search(index=BUYERS_ALIAS),
            lambda: client.get(index=BUYERS_ALIAS, id="s-1"),
            lambda: client.msearch(searches=[{"index": BUYERS_ALIAS}, {}])["responses"][0]["hits"],
            lambda: client.index(index=PUBLIC_ALIAS, id="s-2", **DOCUMENT),
            lambda: client.delete(index=PUBLIC_ALIAS, id="s-1"),
        ):
            with pytest.raises((AuthorizationException, KeyError)):
                refused()
        assert all(
            name.startswith(PUBLIC_ALIAS) for name in client.indices.get(index="traverse-*").body
        )


def test_for_members_all_indices_may_be_read_and_none_written(secured: Secured) -> None:
    with secured.search("search-members") as client:
        client.search(index=",".join(ALIASES.values()))
        with pytest.raises(AuthorizationException):
            client.index(index=BUYERS_ALIAS, id="s-2", **DOCUMENT)


def test_who_says_no_name_or_a_wrong_one_reads_nothing(secured: Secured) -> None:
    """Anonymous requests end at the door, for the indices of members and for the public one."""
    search = secured.access("search")
    nameless = search.model_copy(update={"elasticsearch_user": ""})
    with Elasticsearch(**nameless.elasticsearch(secured.elasticsearch)) as client:
        for alias in ALIASES.values():
            with pytest.raises(AuthenticationException):
                client.search(index=alias)
    publisher = secured.access("publisher")
    with (
        Elasticsearch(**publisher.elasticsearch(secured.elasticsearch)) as client,
        pytest.raises(AuthenticationException),
    ):
        client.search(index=PUBLIC_ALIAS)
    clear = secured.elasticsearch.replace("https", "http")
    with (
        Elasticsearch(clear, max_retries=0) as client,
        pytest.raises((NoConnectionError, ApiError)),
    ):
        client.search(index=PUBLIC_ALIAS)
    context = ssl.create_default_context()  # of the system: it does not know our authority
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(secured.elasticsearch, verify=context)


def test_no_password_is_on_a_command_line_or_in_an_environment(secured: Secured) -> None:
    passwords = [secured.secrets.password(account).encode() for account in ACCOUNTS]
    seen = b""
    for process in Path("/proc").iterdir():
        for name in ("cmdline", "environ"):
            try:
                seen += (process / name).read_bytes()
            except OSError:  # no process, or gone, or not ours
                continue
    assert not [password for password in passwords if password in seen]
    modes = {file.stat().st_mode & 0o077 for file in secured.secrets.folder.iterdir()}
    assert modes == {0}


def test_the_publishers_account_missing_is_one_sentence(secured: Secured) -> None:
    with pytest.raises(PublishError, match="compte de l'institution"):
        KafkaTransport(secured.kafka, access=secured.access("subscriber"))


def test_the_checker_sees_how_far_the_steps_are_and_reads_nothing_that_they_read(
    secured: Secured,
) -> None:
    access = secured.access("checker")
    found = waiting(secured.kafka, access)
    assert {(one.group, one.topic) for one in found} == {
        (group, topic) for group, topics in GROUPS.items() for topic in topics
    }
    assert lost_indices(secured.kafka, secured.elasticsearch, access) == []
    consumer = secured.consumer("checker")
    consumer.assign([TopicPartition(INBOUND, 0)])
    with pytest.raises(TopicAuthorizationFailedError):
        consumer.poll(timeout_ms=20_000)
    consumer.close()


def test_an_account_that_may_not_is_told_so_and_of_the_one_that_may(
    secured: Secured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a topic that it may not see Kafka says what it says of one that is not there."""
    for account, topic in (("publisher", INSTITUTIONS), ("search", "test.nothing")):
        for name, value in secured.secrets.environment(account).items():
            monkeypatch.setenv(name, value)
        with closing(KafkaTableLog(secured.kafka, topic)) as log:
            with pytest.raises(TableAwayError) as told:
                log.open()
            assert f"« {account} »" in str(told.value)
            assert "operator.env" in str(told.value)
