"""Installs the engines with one run of Maven, once for each state of pom.xml and plugin.

An installation is a folder named by the hash of what it was built from. It is built beside and
renamed when whole: if the folder is there, it is complete, and it never changes under a running
engine.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from traverse_infra.engines.java import Java, find_maven
from traverse_infra.engines.resources import INSTALL_NEEDS, check_disk
from traverse_infra.errors import InstallError, MissingToolError

_SOURCES = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Installation:
    """Where Kafka's jars and Elasticsearch are."""

    folder: Path

    @property
    def kafka_classpath(self) -> str:
        return str(self.folder / "kafka" / "libs" / "*")

    @property
    def elasticsearch(self) -> Path:
        return self.folder / "elasticsearch"


def fingerprint(sources: Path = _SOURCES) -> str:
    """12 letters and digits that change with pom.xml or a file of the plugin."""
    digest = blake2b(digest_size=6)
    plugin = sorted(path for path in (sources / "plugin").rglob("*") if path.is_file())
    for file in (sources / "pom.xml", *plugin):
        digest.update(str(file.relative_to(sources)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def installed(engines: Path) -> Installation | None:
    """The installation for these sources, if it is there."""
    folder = engines / fingerprint()
    return Installation(folder) if folder.is_dir() else None


def install(engines: Path, java: Java, say: Callable[[str], None]) -> Installation:
    """Installs under `engines` when missing, and returns the installation.

    Waits when another process is installing in the same folder. Raises MissingToolError,
    NotEnoughDiskError, or InstallError with Maven's own last error.
    """
    if found := installed(engines):
        return found
    maven = find_maven()
    if not java.has_compiler:
        raise MissingToolError(f"Il n’y a pas de compilateur (javac) dans {java.home}.")
    check_disk(engines, INSTALL_NEEDS)
    engines.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(engines / "lock"):
        if found := installed(engines):
            return found
        say("Installation des moteurs avec Maven (quelques minutes la première fois)…")
        partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=engines))
        try:
            _run_maven(maven, java, partial)
            shutil.rmtree(partial / "build", ignore_errors=True)
            _readable_by_all(partial)
            partial.rename(engines / fingerprint())
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return Installation(engines / fingerprint())


def _run_maven(maven: Path, java: Java, into: Path) -> None:
    command: list[str | Path] = [
        maven,
        "-q",
        "-B",
        "-f",
        _SOURCES / "pom.xml",
        f"-Dtraverse.home={into}",
        "package",
    ]
    done = subprocess.run(
        command,
        env={**os.environ, "JAVA_HOME": str(java.home)},  # the rest is Maven's own business
        cwd=into,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        errors = [line for line in done.stdout.splitlines() if line.startswith("[ERROR]")]
        first = errors[0].removeprefix("[ERROR]").strip() if errors else done.stderr.strip()
        raise InstallError(
            f"Maven n’a pas pu installer les moteurs : {first or 'sans explication'} "
            "(vérifiez l’accès au réseau, puis recommencez)."
        )


def _readable_by_all(folder: Path) -> None:
    """Elasticsearch may run as another user, whatever the umask of who installs."""
    for path in (folder, *folder.rglob("*")):
        mode = path.stat().st_mode
        path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
