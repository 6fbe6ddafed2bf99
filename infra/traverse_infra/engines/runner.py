"""Starts, finds again and stops the local engines of one home."""

import fcntl
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from traverse_infra.engines.elasticsearch_engine import (
    ElasticsearchEngine,
    aside,
    claim,
    place,
    service_account,
    within_reach,
)
from traverse_infra.engines.engine import Engine
from traverse_infra.engines.install import fingerprint, install
from traverse_infra.engines.java import Java, find_java
from traverse_infra.engines.kafka_engine import KafkaEngine
from traverse_infra.engines.ports import free_ports, is_loopback, is_taken
from traverse_infra.engines.process import stop
from traverse_infra.engines.resources import (
    START_NEEDS,
    available_memory,
    check_disk,
    check_heap,
    heap_size,
)
from traverse_infra.engines.secure import Secrets
from traverse_infra.engines.waiting import wait_until
from traverse_infra.errors import EngineError, HomeInUseError, NotLocalError, PortTakenError
from traverse_infra.settings import Settings
from traverse_schemas.system_faults import fault


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """How one engine is. `state`: `running` (it answers), `starting` (not yet) or `stopped`."""

    name: str
    state: str
    address: str
    pid: int | None
    memory_mb: int | None
    log: str


@dataclass(frozen=True, slots=True)
class _Places:
    """What must be the same at the next start: ports that were chosen, Elasticsearch's folder."""

    kafka_port: int = 0
    controller_port: int = 0
    elasticsearch_port: int = 0
    transport_port: int = 0
    elasticsearch_folder: str = ""


def _quiet(_sentence: str) -> None:
    pass


class Engines:
    """The local Kafka and Elasticsearch of `settings.home`.

    The processes outlive whoever started them, and any later `Engines` of the same home finds
    them. Homes with other ports run side by side. Every method raises EngineError, with a sentence.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # Apart from those of the open profile, data included: what was readable stays so.
        self._home = settings.home.absolute() / ("secure" if settings.secure else "")
        self.secrets = Secrets(self._home / "secrets") if settings.secure else None
        """Certificates and accounts, in the secure profile."""
        self._places_file = self._home / "engines.json"

    @property
    def kafka(self) -> str:
        """Kafka's address, `host:port`. With port 0 in the settings: known after `up`."""
        return self._engines(self._places())[0].address

    @property
    def elasticsearch(self) -> str:
        """Elasticsearch's address, a URL. With port 0 in the settings: known after `up`."""
        return self._engines(self._places())[1].address

    def up(self, say: Callable[[str], None] = _quiet) -> bool:
        """Installs and starts what is not there, and returns when both engines answer.

        True when something was started, False when everything was up already. `say` receives a
        sentence before each long wait. What this call started and did not become ready is stopped.
        """
        self._check_local()
        with self._lock():
            if self.secrets is not None:
                self.secrets.ensure()
            engines = self._engines(self._places())
            missing = {engine.name for engine in engines if engine.find() is None}
            if missing:
                engines = self._engines(self._choose(missing))
            ours = [engine for engine in engines if engine.name in missing]
            self._check_ports(engines, ours)
            try:
                if ours:
                    self._start(ours, say)
                for engine in engines:
                    self._await(engine)
                    if engine not in ours and not _is_current(engine):
                        say(
                            f"{engine.name} tourne depuis une installation plus ancienne : "
                            "`traverse down` puis `traverse up` prendront la nouvelle."
                        )
            except BaseException:
                stop(process for engine in ours for process in engine.processes())
                raise
        return bool(missing)

    def down(self) -> bool:
        """Stops the engines of this home, and only them. True when one was running."""
        if not self._home.is_dir():
            return False
        with self._lock():
            engines = self._engines(self._places())
            found = [process for engine in engines for process in engine.processes()]
            stop(found)
            for engine in engines:
                engine.record.forget()
        return bool(found)

    def erase(self) -> None:
        """Stops the engines and deletes their data, for good. What is not theirs stays."""
        self.down()
        folder = Path(self._places().elasticsearch_folder or self._home / "elasticsearch")
        if folder.parent != self._home:
            shutil.rmtree(folder.parent, ignore_errors=True)  # `place` made it, for us alone
        for name in ("elasticsearch", "kafka", "secrets"):
            shutil.rmtree(self._home / name, ignore_errors=True)
        for name in (self._places_file.name, "lock"):
            (self._home / name).unlink(missing_ok=True)

    def status(self) -> tuple[EngineStatus, EngineStatus]:
        """How Kafka and Elasticsearch are now; changes nothing."""
        kafka, elasticsearch = self._engines(self._places())
        return _status(kafka), _status(elasticsearch)

    def _check_machine(self, missing: Sequence[Engine]) -> Java:
        """Java, memory and disk, before anything is touched."""
        java = find_java(self._settings)
        available = available_memory()
        for engine in missing:
            check_heap(
                engine.heap, engine.heap_setting, least=engine.least_heap, available=available
            )
            available -= heap_size(engine.heap, engine.heap_setting)
        check_disk(self._home, START_NEEDS)
        return java

    def _check_ports(self, engines: Sequence[Engine], ours: Sequence[Engine]) -> None:
        """The ports of those to start are free; those that run are where the settings say."""
        places = self._places()
        for engine, actual in zip(
            engines, (places.kafka_port, places.elasticsearch_port), strict=True
        ):
            if engine in ours:
                if is_taken(engine.port):
                    raise PortTakenError(engine.name, engine.port, engine.setting)
            elif actual and actual != engine.port:
                raise EngineError(
                    f"{engine.name} de ce dossier tourne déjà sur le port {actual}, or "
                    f"{engine.setting} demande {engine.port} : faites d’abord `traverse down`."
                )

    def _start(self, ours: Sequence[Engine], say: Callable[[str], None]) -> None:
        """Installs if need be and launches all, so that they get ready side by side."""
        java = self._check_machine(ours)
        installation = install(self._settings.engines_folder, java, say)
        say(f"Démarrage de {' et '.join(engine.name for engine in ours)}…")
        # The one that takes longest first; Kafka's storage is made meanwhile.
        for engine in reversed(ours):
            if engine.folder.parent == aside(self._home):
                claim(engine.folder.parent)
            engine.folder.mkdir(parents=True, exist_ok=True)
            found = installation
            if isinstance(engine, ElasticsearchEngine):
                found = within_reach(installation, engine.folder.parent, service_account())
            engine.prepare(found, java)
            engine.launch(found, java)

    def _await(self, engine: Engine) -> None:
        timeout = self._settings.start_timeout
        if not wait_until(engine.ready, timeout=timeout):
            raise engine.failure(f"n’est pas prêt après {timeout:.0f} s")
        engine.find()  # records the process, if its launcher did not

    def _check_local(self) -> None:
        for engine, (host, _), setting in (
            ("Kafka", self._settings.kafka_address, KafkaEngine.setting),
            ("Elasticsearch", self._settings.elasticsearch_address, ElasticsearchEngine.setting),
        ):
            if not is_loopback(host):
                raise NotLocalError(engine, host, setting)

    def _places(self) -> _Places:
        try:
            return _Places(**json.loads(self._places_file.read_text()))
        except (OSError, ValueError, TypeError):
            return _Places()

    def _choose(self, starting: set[str]) -> _Places:
        """Ports for the engines about to start: those of the settings, else the remembered ones
        while they are free, else free ones."""
        before, fresh = self._places(), iter(free_ports(4))

        def keep(engine: str, remembered: int, wanted: int = 0) -> int:
            if engine not in starting:
                return remembered or wanted
            if wanted:
                return wanted
            return remembered if remembered and not is_taken(remembered) else next(fresh)

        places = _Places(
            kafka_port=keep("Kafka", before.kafka_port, self._settings.kafka_address[1]),
            controller_port=keep("Kafka", before.controller_port),
            elasticsearch_port=keep(
                "Elasticsearch",
                before.elasticsearch_port,
                self._settings.elasticsearch_address[1],
            ),
            transport_port=keep("Elasticsearch", before.transport_port),
            elasticsearch_folder=before.elasticsearch_folder
            or str(place(self._home, service_account())),
        )
        partial = self._places_file.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(places), indent=2))
        partial.replace(self._places_file)
        return places

    def _engines(self, places: _Places) -> tuple[KafkaEngine, ElasticsearchEngine]:
        settings = self._settings
        return (
            KafkaEngine(
                self._home / "kafka",
                settings.kafka_address[1] or places.kafka_port,
                places.controller_port,
                settings.kafka_heap,
                self.secrets,
            ),
            ElasticsearchEngine(
                Path(places.elasticsearch_folder or self._home / "elasticsearch"),
                settings.elasticsearch_address[1] or places.elasticsearch_port,
                places.transport_port,
                settings.elasticsearch_heap,
                self.secrets,
            ),
        )

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Held while starting and stopping: two runners never work on one data folder."""
        try:
            self._home.mkdir(parents=True, exist_ok=True)
            lock = (self._home / "lock").open("w")
        except OSError as error:
            raise EngineError(
                f"Le dossier {self._home} n’est pas utilisable ({fault(error)}) : choisissez-en "
                "un autre avec TRAVERSE_HOME."
            ) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise HomeInUseError(self._home) from error
            yield


def _is_current(engine: Engine) -> bool:
    """Whether the running engine is of the installation that these sources describe."""
    process = engine.find()
    try:
        return process is None or fingerprint() in " ".join(process.cmdline())
    except psutil.Error:
        return True  # nothing to say of it


def _status(engine: Engine) -> EngineStatus:
    process = engine.find()
    memory = None
    if process:
        try:
            memory = process.memory_info().rss // 2**20
        except psutil.Error:
            process = None
    try:
        state = "stopped" if process is None else "running" if engine.ready() else "starting"
    except EngineError:  # it ended just now
        state = "stopped"
    return EngineStatus(
        name=engine.name,
        state=state,
        address=engine.address,
        pid=process.pid if process else None,
        memory_mb=memory,
        log=str(engine.logs[0]),
    )
