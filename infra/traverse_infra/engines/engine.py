"""What the two engines have in common: a folder, a process, a log, a readiness probe."""

import socket
import subprocess
from abc import ABC, abstractmethod
from pathlib import Path

import psutil

from traverse_infra.engines.install import Installation
from traverse_infra.engines.java import Java
from traverse_infra.engines.process import ProcessRecord
from traverse_infra.engines.resources import START_NEEDS, free_space
from traverse_infra.errors import EngineError, HeapError, NotEnoughDiskError, StartError

_TAIL = 64 * 1024


class Engine(ABC):
    """One engine of one folder. `launch` then `ready` until true; `failure` says why not."""

    name: str
    setting: str
    """The variable that says where it is."""
    heap_setting: str
    least_heap: int

    def __init__(self, folder: Path, port: int, inner_port: int, heap: str) -> None:
        self.folder = folder
        self.port = port
        self.inner_port = inner_port
        self.heap = heap
        self.marker = f"-Dtraverse.instance={folder}"
        self.record = ProcessRecord(folder / "process.json", (self.marker, *self.launcher_marks))
        self._child: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def address(self) -> str:
        """What clients are given."""

    @property
    def launcher_marks(self) -> tuple[str, ...]:
        """Arguments that only a launcher of this engine has, if it is started by one."""
        return ()

    @property
    @abstractmethod
    def logs(self) -> tuple[Path, ...]:
        """The log files, the one to name to people first."""

    @abstractmethod
    def prepare(self, installation: Installation, java: Java) -> None:
        """Writes configuration and folders; formats the storage when it is new."""

    @abstractmethod
    def launch(self, installation: Installation, java: Java) -> None:
        """Starts the process, detached from this one, and returns at once."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether the engine serves: asked with its own protocol, not a connection only."""

    def find(self) -> psutil.Process | None:
        """The living process, whoever started it."""
        return self.record.find() if self.folder.is_dir() else None

    def processes(self) -> list[psutil.Process]:
        """What must end for nothing to remain: the engine, and its launcher while it starts."""
        return self.record.search() if self.folder.is_dir() else []

    def ready(self) -> bool:
        """Whether it answers. Raises StartError when its process has ended meanwhile."""
        if self._ended():
            raise self.failure("s’est arrêté au démarrage")
        return self._listens() and self.answers()

    def _ended(self) -> bool:
        if self._child is None:  # somebody else started it
            return self.find() is None
        return self._child.poll() is not None

    def _listens(self) -> bool:
        """Spares the client libraries, and the user, their noise on a closed port."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False

    def failure(self, what: str) -> EngineError:
        """The error to raise: the disk or the heap if that is why, else the log's own word."""
        if (free := free_space(self.folder)) < START_NEEDS:
            return NotEnoughDiskError(self.folder, free, START_NEEDS)
        text = "\n".join(_tail(log) for log in self.logs)
        if any(sign in text for sign in _HEAP_SIGNS):
            return HeapError(
                f"{self.name} {what} : {self.heap_setting}={self.heap} ne convient pas à cette "
                f"machine. Changez {self.heap_setting} ; le détail est dans {self.logs[0]}."
            )
        reason = last_error(text)
        said = f" Dernière erreur : {reason}" if reason else ""
        return StartError(f"{self.name} {what} ; voyez {self.logs[0]}.{said}")


_HEAP_SIGNS = (
    "java.lang.OutOfMemoryError",
    "Could not reserve enough space",
    "insufficient memory for the Java",
    "Invalid maximum heap size",
    "Too small maximum heap",
    "Initial heap size set to a larger value",
)


def _tail(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def last_error(text: str) -> str | None:
    """The last line of a log that reports an error, shortened; None when none does."""
    for line in reversed(text.splitlines()):
        if any(sign in line for sign in ("ERROR", "FATAL", "Error:", "Exception:")):
            return line.strip()[:500]
    return None


def fresh_log(path: Path) -> Path:
    """Keeps the previous log beside, so that what a log says is of this start."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        path.replace(path.with_name(f"{path.name}.previous"))
    path.touch()
    return path
