"""The local Elasticsearch: the official build with our plugin, one node, on the loopback only."""

import json
import os
import pwd
import shutil
import subprocess
from hashlib import blake2b
from pathlib import Path

from elasticsearch import ApiError, Elasticsearch, TransportError

from traverse_infra.access_rules import elasticsearch_roles, elasticsearch_users
from traverse_infra.engines.engine import Engine, fresh_log
from traverse_infra.engines.install import Installation
from traverse_infra.engines.java import Java
from traverse_infra.engines.secure import Secrets
from traverse_infra.errors import EngineError
from traverse_schemas.log.engine_access import EngineAccess

# The collector that Elasticsearch counts on: it refuses requests by how full the heap is, garbage
# included, and with others nobody collects while all is refused. And the whole heap is not touched
# at once (Elasticsearch does by default: 1 GB of heap is 1 GB resident from the first second, and
# the start takes longer).
_JVM_OPTIONS = """\
-XX:+UseG1GC
-XX:-AlwaysPreTouch
-XX:+ExitOnOutOfMemoryError
-Djava.io.tmpdir=${ES_TMPDIR}
-Dorg.apache.lucene.store.MMapDirectory.sharedArenaMaxPermits=1
"""


class ElasticsearchEngine(Engine):
    """Elasticsearch with configuration, data and logs in `folder`."""

    name = "Elasticsearch"
    setting = "TRAVERSE_ELASTICSEARCH"
    heap_setting = "TRAVERSE_ELASTICSEARCH_HEAP"
    least_heap = 384 * 2**20

    def __init__(
        self, folder: Path, port: int, inner_port: int, heap: str, secrets: Secrets | None = None
    ) -> None:
        """With `secrets`: TLS, users and roles; else whoever reaches the loopback may do all."""
        super().__init__(folder, port, inner_port, heap)
        self._secrets = secrets

    @property
    def address(self) -> str:
        return f"{'http' if self._secrets is None else 'https'}://127.0.0.1:{self.port}"

    @property
    def launcher_marks(self) -> tuple[str, ...]:
        return (str(self._pid_file),)

    @property
    def logs(self) -> tuple[Path, ...]:
        return (self.folder / "logs" / "traverse.log", self.folder / "logs" / "start.log")

    @property
    def _pid_file(self) -> Path:
        return self.folder / "tmp" / "elasticsearch.pid"

    def prepare(self, installation: Installation, java: Java) -> None:
        account = service_account()
        config, data = self.folder / "config", self.folder / "data"
        for each in (config, config / "jvm.options.d", data, self._pid_file.parent):
            each.mkdir(parents=True, exist_ok=True)
        self._pid_file.unlink(missing_ok=True)
        fresh_log(self.logs[0])
        fresh_log(self.logs[1])
        original = installation.elasticsearch / "config" / "log4j2.properties"
        shutil.copyfile(original, config / "log4j2.properties")
        (config / "jvm.options").write_text(_JVM_OPTIONS)
        (config / "elasticsearch.yml").write_text(
            elasticsearch_yml(
                self.folder, self.port, self.inner_port, secure=self._secrets is not None
            )
        )
        if self._secrets is not None:
            _secure(config, self._secrets)
        if account:
            self.folder.chmod(0o755)
            _give(account, config, data, self._pid_file.parent, self.folder / "logs")
            for needed in (self.folder, installation.elasticsearch, java.home):
                if not reachable(needed, account):
                    raise EngineError(
                        f"Elasticsearch, qui refuse de tourner en root, tourne sous le compte "
                        f"{account.pw_name}, qui ne peut pas lire {needed} : rendez ce dossier "
                        "lisible par tous, ou changez TRAVERSE_HOME ou TRAVERSE_JAVA_HOME."
                    )

    def launch(self, installation: Installation, java: Java) -> None:
        account = service_account()
        program = installation.elasticsearch / "bin" / "elasticsearch"
        # -d: the launcher ends, with the reason if there is one, once the server serves or dies.
        with self.logs[1].open("ab") as log:
            self._child = subprocess.Popen(
                [program, "-d", "-p", self._pid_file],
                env={
                    "PATH": os.defpath,
                    "HOME": str(self.folder),
                    "ES_JAVA_HOME": str(java.home),
                    "ES_PATH_CONF": str(self.folder / "config"),
                    "ES_TMPDIR": str(self._pid_file.parent),
                    "ES_JAVA_OPTS": " ".join(
                        (f"-Xms{self.heap}", f"-Xmx{self.heap}", *java.options, self.marker)
                    ),
                },
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                extra_groups=[] if account else None,
            )

    def _ended(self) -> bool:
        if self._child is not None and (code := self._child.poll()) != 0:
            return code is not None
        return self.find() is None

    def answers(self) -> bool:
        access = EngineAccess() if self._secrets is None else self._secrets.access()
        client = Elasticsearch(
            **access.elasticsearch(self.address), request_timeout=5, max_retries=0
        )
        try:
            health = client.cluster.health(wait_for_status="yellow", timeout="1s")
            return health["status"] in {"yellow", "green"} and not health["timed_out"]
        except (ApiError, TransportError):
            return False
        finally:
            client.close()


def _secure(config: Path, secrets: Secrets) -> None:
    """Elasticsearch's own files of users and roles, and the certificate: it reads no other folder
    than its configuration."""
    users = elasticsearch_users()
    files = {
        "engines.pem": secrets.certificate.read_text(),
        "engines.key": secrets.key.read_text(),
        # A role a line: Elasticsearch cuts this file at lines that begin with a name.
        "roles.yml": "".join(
            f"{name}: {json.dumps(role)}\n" for name, role in elasticsearch_roles().items()
        ),
        "users": "".join(f"{name}:{secrets.elasticsearch_hash(name)}\n" for name in users),
        "users_roles": "".join(f"{role}:{name}\n" for name, role in users.items()),
    }
    for name, text in files.items():
        (config / name).touch(mode=0o600)
        (config / name).write_text(text)


_SECURED: dict[str, object] = {
    "xpack.security.enabled": True,
    "xpack.security.http.ssl.enabled": True,
    "xpack.security.http.ssl.certificate": "engines.pem",
    "xpack.security.http.ssl.key": "engines.key",
    "xpack.security.autoconfiguration.enabled": False,
    "xpack.security.enrollment.enabled": False,
}


def elasticsearch_yml(folder: Path, port: int, transport_port: int, *, secure: bool = False) -> str:
    """The node's configuration (JSON, which is YAML too: paths need no quoting rules)."""
    settings: dict[str, object] = {
        "cluster.name": "traverse",
        "node.name": "traverse",
        "path.data": str(folder / "data"),
        "path.logs": str(folder / "logs"),
        "network.host": "127.0.0.1",
        "http.port": port,
        "transport.port": transport_port,
        "discovery.type": "single-node",
        "xpack.security.enabled": False,
        "xpack.ml.enabled": False,
        "xpack.watcher.enabled": False,
        # An index exists because it was declared, and goes because it was named.
        "action.auto_create_index": False,
        "action.destructive_requires_name": True,
        # By default a disk 95 % full makes every index read-only, silently, even with 50 GB left.
        # Absolute sizes instead; `up` asks for more free space than the flood stage.
        "cluster.routing.allocation.disk.watermark.low": "900mb",
        "cluster.routing.allocation.disk.watermark.high": "700mb",
        "cluster.routing.allocation.disk.watermark.flood_stage": "500mb",
    }
    if secure:
        settings |= _SECURED
    return json.dumps(settings, indent=2) + "\n"


def service_account() -> pwd.struct_passwd | None:
    """The unprivileged account that runs Elasticsearch when we are root; None when we are not."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("nobody")
    except KeyError as error:
        raise EngineError(
            "Elasticsearch refuse de tourner en root et le compte « nobody » n’existe pas : "
            "lancez traverse avec un compte ordinaire."
        ) from error


def aside(home: Path) -> Path:
    """Where Elasticsearch's files of a home lie when its account cannot reach the home.

    Under /var/tmp, which outlives a reboot.
    """
    return Path("/var/tmp") / f"traverse-{blake2b(str(home).encode(), digest_size=6).hexdigest()}"  # noqa: S108


def place(home: Path, account: pwd.struct_passwd | None) -> Path:
    """The folder of Elasticsearch: in the home, or aside when its account cannot reach the home
    (a home under /root, mode 700, is the usual case). Creates nothing."""
    reached = account is None or reachable(home, account)
    return (home if reached else aside(home)) / "elasticsearch"


def claim(folder: Path) -> None:
    """Makes a folder aside ours. EngineError when somebody else has it: /var/tmp is everybody's."""
    folder.mkdir(mode=0o755, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise EngineError(f"{folder} existe et n’est pas à nous : supprimez-le, puis recommencez.")
    folder.chmod(0o755)


def within_reach(
    installation: Installation, folder: Path, account: pwd.struct_passwd | None
) -> Installation:
    """The installation, or a copy of Elasticsearch's part in `folder` when it is out of reach."""
    if account is None or reachable(installation.elasticsearch, account):
        return installation
    copy = folder / "elasticsearch-build" / installation.folder.name
    if not copy.is_dir():
        partial = copy.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(installation.elasticsearch, partial / "elasticsearch")
        partial.rename(copy)
        for each in (copy.parent, copy):
            each.chmod(0o755)
    return Installation(copy)


def reachable(folder: Path, account: pwd.struct_passwd) -> bool:
    """Whether the account can enter and read the folder, tried for good by that account."""
    tried = subprocess.run(
        ["/bin/sh", "-c", 'cd "$1" && test -r .', "sh", folder],
        cwd="/",
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=[],
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return tried.returncode == 0


def _give(account: pwd.struct_passwd, *folders: Path) -> None:
    for top in folders:
        for path in (top, *top.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
