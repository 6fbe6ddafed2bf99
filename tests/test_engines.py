"""How many workers test on engines at a time."""

import psutil
import pytest

from tests import engines


@pytest.mark.parametrize(
    ("gibibytes", "cores", "workers"), [(21, 2, 3), (14, 2, 2), (3, 2, 1), (21, 1, 2), (200, 64, 4)]
)
def test_as_many_test_on_engines_as_cores_and_memory_bear(
    gibibytes: int, cores: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "available_memory", lambda: gibibytes << 30)
    monkeypatch.setattr(psutil, "cpu_count", lambda: cores)
    assert engines.pytest_xdist_auto_num_workers() == workers
