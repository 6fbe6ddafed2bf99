"""What several tests of the stream processors read from the real files."""

from pathlib import Path

import pytest

from traverse_infra.training import states_of_files
from traverse_schemas.log.record_state import RecordState


@pytest.fixture(scope="session")
def contracts_states(
    shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[RecordState]:
    """The states of the records of the DECP files; read once for all."""
    folder = tmp_path_factory.mktemp("decp-only")
    (folder / "decp").symlink_to(shared_data / "decp")
    return list(states_of_files(folder))
