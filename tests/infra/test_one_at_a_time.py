"""One process at a time, and a home that cannot be written."""

from pathlib import Path

import pytest

from traverse_infra.errors import InfraError
from traverse_infra.one_at_a_time import AtWorkError, alone


def test_the_second_is_told_and_the_next_one_after_the_first_is_let_in(tmp_path: Path) -> None:
    path = tmp_path / "home" / "one.lock"
    with alone(path, "Pris."), pytest.raises(AtWorkError, match="Pris"), alone(path, "Pris."):
        pytest.fail("both are in")
    with alone(path, "Pris."):
        assert path.exists()


def test_a_home_that_cannot_be_written_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with (
        pytest.raises(
            InfraError,
            match=r"home/one\.lock ne s'écrit pas .*tient lieu de dossier.*TRAVERSE_HOME",
        ),
        alone(tmp_path / "home" / "one.lock", "Pris."),
    ):
        pytest.fail("there is no such folder")
