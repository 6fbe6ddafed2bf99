"""An engine's process, found again by later commands: recorded with its start time, never by its
number alone, which the system gives again to others."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from traverse_infra.errors import EngineError

_SAME_START = 2.0
"""Seconds: the start time is computed from the boot time, which clock corrections move a little."""


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """Where one engine of one folder is recorded, and the arguments that its command lines carry.

    The arguments, of which the first is the engine's own and others its launcher's, find the
    process when a runner was killed between start and record.
    """

    path: Path
    markers: tuple[str, ...]

    def find(self) -> psutil.Process | None:
        """The living process of this engine (or its launcher, while it starts), or None."""
        try:
            written = json.loads(self.path.read_text())
            process = psutil.Process(int(written["pid"]))
            if _alive(process) and abs(process.create_time() - written["started"]) < _SAME_START:
                return process
        except (OSError, ValueError, KeyError, TypeError, psutil.Error):
            pass  # no record, a torn one, or of a process that is gone
        found = self.search()
        if found:
            self._write(found[0])
        return found[0] if found else None

    def search(self) -> list[psutil.Process]:
        """All living processes of this engine by their arguments, the engine's own first."""
        found: list[tuple[int, psutil.Process]] = []
        for process in psutil.process_iter():
            try:
                arguments = process.cmdline()
                ranks = [rank for rank, each in enumerate(self.markers) if each in arguments]
                if ranks and _alive(process):
                    found.append((ranks[0], process))
            except (psutil.Error, OSError):
                continue
        return [process for _, process in sorted(found, key=lambda each: each[0])]

    def forget(self) -> None:
        """Forgets the process: it has ended."""
        self.path.unlink(missing_ok=True)

    def _write(self, process: psutil.Process) -> None:
        try:
            record = {"pid": process.pid, "started": process.create_time()}
        except psutil.NoSuchProcess:
            return
        partial = self.path.with_suffix(".partial")
        partial.write_text(json.dumps(record))
        partial.replace(self.path)


def _alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def stop(processes: Iterable[psutil.Process], *, patience: float = 45) -> None:
    """Asks each process to end, waits, and kills those that did not. EngineError when one stays.

    psutil compares the start time again before it sends a signal.
    """
    asked = list(processes)
    for process in asked:
        _signal(process, kill=False)
    _, alive = psutil.wait_procs(asked, timeout=patience)
    for process in alive:
        _signal(process, kill=True)
    _, alive = psutil.wait_procs(alive, timeout=10)
    if stubborn := [process for process in alive if process.is_running() and _alive(process)]:
        raise EngineError(f"Le processus {stubborn[0].pid} ne s’arrête pas, même tué.")


def _signal(process: psutil.Process, *, kill: bool) -> None:
    try:
        if kill:
            process.kill()
        else:
            process.terminate()
    except psutil.NoSuchProcess:
        return
    except psutil.AccessDenied as error:
        raise EngineError(
            f"Le processus {process.pid} appartient à un autre utilisateur : arrêtez-le avec le "
            "compte qui l’a démarré."
        ) from error
