"""What the engines said, when a session fails: a pytest plugin that `make engines` loads.

The engines of a session and their logs are erased at its end (`tests/engines.py`); in CI nobody
could look at them afterwards, so their last lines are printed before.
"""

import os
from pathlib import Path

import pytest

from tests.engines import engine_settings, homes
from traverse_infra.engines.runner import Engines

_LINES = 40


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Prints the end of each engine's log after a failed session that had engines."""
    session = config.rootpath / ".traverse" / "test" / str(os.getpid())
    if exitstatus not in {pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERNAL_ERROR}:
        return
    for home in homes(session):
        for name, lines in log_tails(home):
            terminalreporter.write_sep("-", f"the last lines of {name}")
            for line in lines:
                terminalreporter.write_line(line)


def log_tails(home: Path) -> list[tuple[str, list[str]]]:
    """The log files of the engines of a home, each with its last lines; [] without engines."""
    if not (home / "engines.json").exists():
        return []
    logs = [Path(state.log) for state in Engines(engine_settings(home)).status()]
    return [
        (str(log), log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LINES:])
        for log in logs
        if log.exists()
    ]
