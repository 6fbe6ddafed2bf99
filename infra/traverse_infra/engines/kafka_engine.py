"""The local Kafka: one node, broker and controller in one (KRaft), on the loopback only."""

import base64
import subprocess
import uuid
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from traverse_infra.access_rules import ACCOUNTS, OPERATOR
from traverse_infra.engines.engine import Engine, fresh_log
from traverse_infra.engines.install import Installation
from traverse_infra.engines.java import Java
from traverse_infra.engines.secure import BROKER, Secrets
from traverse_infra.errors import StartError
from traverse_schemas.log.engine_access import EngineAccess

# Parallel collection needs less processor than G1 on few cores; a broker keeps little on its heap.
_JVM = ("-XX:+UseParallelGC", "-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true")
_LOGGING = (
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
    "-Dorg.slf4j.simpleLogger.showShortLogName=true",
)


class KafkaEngine(Engine):
    """Kafka with its storage in `folder/data`."""

    name = "Kafka"
    setting = "TRAVERSE_KAFKA"
    heap_setting = "TRAVERSE_KAFKA_HEAP"
    least_heap = 256 * 2**20  # the log cleaner alone takes 128 MB

    def __init__(
        self, folder: Path, port: int, inner_port: int, heap: str, secrets: Secrets | None = None
    ) -> None:
        """With `secrets`: TLS, users and ACLs; else whoever reaches the loopback may do all."""
        super().__init__(folder, port, inner_port, heap)
        self._secrets = secrets

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def logs(self) -> tuple[Path, ...]:
        return (self.folder / "kafka.log",)

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    def prepare(self, installation: Installation, java: Java) -> None:
        data = self.folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        properties = server_properties(data, self.port, self.inner_port, self._secrets)
        self._properties.touch(mode=0o600)  # it may hold a password
        self._properties.write_text(properties)
        if not (data / "meta.properties").exists():
            self._format(installation, java)

    def _format(self, installation: Installation, java: Java) -> None:
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        command: list[str | Path] = [
            *(java.java, "-XX:TieredStopAtLevel=1", "-cp", installation.kafka_classpath),
            # In one word: one id in 64 begins with a hyphen and would be taken for an option.
            *("kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}"),
            *("-c", self._properties),
        ]
        if self._secrets is not None:
            for account in ACCOUNTS:
                command += ["--add-scram", self._secrets.scram(account)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise StartError(
                f"Le stockage de Kafka n’a pas pu être préparé dans {self.folder} : "
                f"{said[-1] if said else 'sans explication'}"
            )

    def launch(self, installation: Installation, java: Java) -> None:
        command: list[str | Path] = [
            *(java.java, f"-Xmx{self.heap}", *_JVM, *_LOGGING, self.marker),
            *java.options,
            *("-cp", installation.kafka_classpath, "kafka.Kafka", self._properties),
        ]
        with fresh_log(self.logs[0]).open("ab") as log:
            self._child = subprocess.Popen(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.record.find()  # by its argument: writes number and start time

    def answers(self) -> bool:
        access = EngineAccess() if self._secrets is None else self._secrets.access()
        try:
            admin = KafkaAdminClient(
                **access.kafka(self.address),
                client_id="traverse-infra",
                request_timeout_ms=3000,
            )
            try:
                admin.list_topics()
            finally:
                admin.close()
        except KafkaError:
            return False
        return True


def server_properties(
    data: Path, port: int, controller_port: int, secrets: Secrets | None = None
) -> str:
    """The broker's configuration."""
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": str(data),
        # A misspelt topic is an error, not a new topic.
        "auto.create.topics.enable": "false",
        # The ceiling of every topic; each topic has its own lower limit.
        "message.max.bytes": str(16 * 2**20),
        # Only one node: nothing to replicate to.
        "default.replication.factor": "1",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        # 50 partitions by default, each with files to open at start.
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.num.partitions": "4",
        # A lone consumer group need not wait 3 s for members to come.
        "group.initial.rebalance.delay.ms": "0",
    }
    if secrets is not None:
        settings |= _secured(secrets, port, controller_port)
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def _secured(secrets: Secrets, port: int, controller_port: int) -> dict[str, str]:
    """TLS everywhere, SCRAM for clients, the certificate for the controller, and ACLs."""
    keystore = secrets.folder / "kafka.pem"  # Kafka wants the key and the certificate in one file
    keystore.touch(mode=0o600)
    keystore.write_bytes(secrets.key.read_bytes() + secrets.certificate.read_bytes())
    return {
        "listeners": f"SASL_SSL://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"SASL_SSL://127.0.0.1:{port}",
        "listener.security.protocol.map": "SASL_SSL:SASL_SSL,CONTROLLER:SSL",
        "inter.broker.listener.name": "SASL_SSL",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required "
            f'username="{OPERATOR}" password="{secrets.password(OPERATOR)}";'
        ),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(keystore),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(secrets.ca),
        "listener.name.controller.ssl.client.auth": "required",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": f"User:{OPERATOR};User:CN={BROKER}",
    }
