"""The plugin that leaves out, or demands, the tests on real data."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

TESTS = """
import pytest

@pytest.mark.realdata
def test_real(shared_data):
    assert shared_data.is_dir()

def test_other():
    pass
"""


@pytest.fixture
def run_without_data(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project of two tests, one of which needs data that is absent."""
    plugin = (Path(__file__).parent / "shared_data.py").read_text(encoding="utf-8")
    pytester.syspathinsert()
    pytester.makepyfile(shared_data_copy=plugin, test_it=TESTS)
    pytester.makeini("[pytest]\nmarkers = realdata: needs data\n")
    monkeypatch.delenv("CI", raising=False)
    return pytester


def test_left_out_and_said(run_without_data: pytest.Pytester) -> None:
    """Outside CI the tests are deselected, not skipped, and the summary counts them."""
    result = run_without_data.runpytest("-p", "shared_data_copy")
    result.assert_outcomes(passed=1, deselected=1)
    result.stdout.fnmatch_lines(["1 tests sur ../shared/data laissés de côté : *"])


def test_demanded_in_ci(run_without_data: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """In CI the same tests fail."""
    monkeypatch.setenv("CI", "true")
    run_without_data.runpytest("-p", "shared_data_copy").assert_outcomes(passed=1, errors=1)
