"""Runs services of ours as child processes, for the demo: the processors and the search service."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import httpx

from traverse_infra.engines.waiting import wait_until
from traverse_infra.errors import InfraError


class ServiceError(InfraError):
    """A service of ours stopped, or never answered."""


class Services:
    """Child processes that end with this one. Output goes to a log file each."""

    def __init__(self, logs: Path, environment: Mapping[str, str]) -> None:
        self._logs = logs
        self._environment = {**os.environ, **environment}
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *arguments: str) -> None:
        """Run `traverse ARGUMENTS`."""
        self.run(name, (sys.executable, "-m", "traverse_infra.cli", *arguments))

    def run(self, name: str, command: Sequence[str]) -> None:
        """Run a program of another name."""
        self._logs.mkdir(parents=True, exist_ok=True)
        with (self._logs / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
            )

    def check(self) -> None:
        """Raises ServiceError, with the last line of its log, when one has stopped."""
        for name, process in self._running.items():
            code = process.poll()
            if code is not None:
                log = self._logs / f"{name}.log"
                raise ServiceError(
                    f"Le service {name} s'est arrêté (code {code}) : {_last_line(log)} "
                    f"Le journal est dans {log}."
                )

    def pid(self, name: str) -> int:
        """The process id of a service that was started."""
        return self._running[name].pid

    def await_answer(self, url: str, timeout: float) -> None:
        """Wait until a service answers 200 at `url`. Raises ServiceError."""

        def answers() -> bool:
            self.check()
            try:
                return httpx.get(url, timeout=2).status_code == httpx.codes.OK
            except httpx.HTTPError:
                return False

        if not wait_until(answers, timeout=timeout):
            raise ServiceError(
                f"Rien ne répond à {url} après {timeout:.0f} s : voyez les journaux dans "
                f"{self._logs}."
            )

    def stop(self) -> None:
        """Ask each to end, then wait for it."""
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _last_line(log: Path) -> str:
    lines: Sequence[str] = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line for line in reversed(lines) if line.strip()), "(journal vide).")
