"""How `traverse work` ends what it started."""

import signal
import subprocess

import pytest

from traverse_infra.commands import work as commands_work


def test_a_step_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that waits for an engine that is away, or is frozen; the other ends by itself."""
    monkeypatch.setattr(commands_work, "_GRACE", 0.5)
    deaf = subprocess.Popen(
        ["sh", "-c", "trap '' TERM; echo; exec sleep 600"], stdout=subprocess.PIPE
    )
    polite = subprocess.Popen(["sleep", "600"])
    assert deaf.stdout is not None
    deaf.stdout.readline()
    commands_work._end([deaf, polite])
    assert (deaf.returncode, polite.returncode) == (-signal.SIGKILL, -signal.SIGTERM)
    deaf.stdout.close()
