"""The real files beside the project (`../shared/data`), for tests marked `realdata`.

They are not part of the project. Where the folder is absent these tests are left out, and the
summary says so; in CI (`CI=true`) they fail instead: there, real data must be there.
"""

import os
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data"
_LEFT_OUT = pytest.StashKey[int]()
_OUTPUT = "shared_data_left_out"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data; the test fails when it is absent."""
    if not FOLDER.is_dir():
        pytest.fail(f"Le dossier {FOLDER} n'est pas là : déposez-y les données réelles.")
    return FOLDER


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests on real data where there is none, unless in CI."""
    if FOLDER.is_dir() or os.environ.get("CI") == "true":
        return
    left_out = [item for item in items if item.get_closest_marker("realdata")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    config.stash[_LEFT_OUT] = len(left_out)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist tells the main process how many it left out."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_OUTPUT] = session.config.stash.get(_LEFT_OUT, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """The main process of pytest-xdist keeps what its workers told (each collects all tests)."""
    config: pytest.Config = node.config  # type: ignore[attr-defined]
    told = getattr(node, "workeroutput", {}).get(_OUTPUT, 0)
    config.stash[_LEFT_OUT] = max(told, config.stash.get(_LEFT_OUT, 0))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out."""
    left_out = terminalreporter.config.stash.get(_LEFT_OUT, 0)
    if left_out:
        terminalreporter.write_line(
            f"{left_out} tests sur ../shared/data laissés de côté : le dossier n'est pas là"
        )
