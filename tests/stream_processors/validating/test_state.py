"""The local state is a cache: it may be lost, never half written, never of other topics."""

from pathlib import Path

import pytest

from tests.full_disk import full_disk
from traverse_schemas.log.topics import ACCEPTED, RECORDS
from traverse_stream_processors.errors import StateUnavailableError
from traverse_stream_processors.validating.state import Known, StateBrokenError, ValidateState


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


def known(name: bytes) -> Known:
    return Known(name, 1, b"hash", 7, name.decode(), True)


def filled(folder: Path, generation: str = "g1") -> ValidateState:
    state = ValidateState(folder, generation)
    state.save(
        records=[("clé", 1, b"{}")],
        accepted=[known(b"id")],
        progress=[(RECORDS, 1, 7), (ACCEPTED, 1, 9)],
    )
    return state


def test_what_was_saved_is_there_after_a_restart(folder: Path) -> None:
    filled(folder).close()
    state = ValidateState(folder, "g1")
    assert state.records(["clé", "autre"]) == {"clé": b"{}"}
    assert state.accepted([b"id", b"autre"]) == {b"id": b"hash"}
    assert (state.progress(RECORDS, 1), state.progress(ACCEPTED, 1)) == (7, 9)
    state.close()


def test_another_generation_of_the_topics_begins_with_nothing(folder: Path) -> None:
    filled(folder, "g1").close()
    state = ValidateState(folder, "g2")
    assert state.records(["clé"]) == {}
    assert state.progress(RECORDS, 1) == 0
    state.close()


def test_a_save_is_all_or_nothing(folder: Path) -> None:
    """What fails in the middle leaves nothing behind, progress least of all."""
    state = filled(folder)
    wrong = [known(b"neuf")._replace(hash=None)]  # type: ignore[arg-type]
    with pytest.raises(StateBrokenError):
        state.save(
            records=[("neuve", 1, b"{}")],
            accepted=wrong,
            progress=[(RECORDS, 1, 100)],
        )
    assert state.records(["neuve"]) == {}
    assert state.progress(RECORDS, 1) == 7
    state.close()


def test_a_partition_is_forgotten_alone(folder: Path) -> None:
    state = filled(folder)
    state.save(records=[("autre", 2, b"[]")], progress=[(RECORDS, 2, 3)])
    state.forget(1)
    assert state.records(["clé", "autre"]) == {"autre": b"[]"}
    assert state.accepted([b"id"]) == {}
    assert (state.progress(RECORDS, 1), state.progress(RECORDS, 2)) == (0, 3)
    state.close()


def test_more_keys_than_a_statement_takes_are_looked_up(folder: Path) -> None:
    state = ValidateState(folder, "g1")
    keys = [f"clé {number}" for number in range(2500)]
    state.save(records=[(key, 0, b"{}") for key in keys])
    assert len(state.records(keys)) == 2500
    state.close()


def test_two_processes_have_a_file_each_and_a_free_one_is_taken_again(folder: Path) -> None:
    first = filled(folder)
    second = ValidateState(folder, "g1")
    assert second.records(["clé"]) == {}
    first.close()
    third = ValidateState(folder, "g1")
    assert third.records(["clé"]) == {"clé": b"{}"}
    second.close()
    third.close()


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateUnavailableError, match="TRAVERSE_HOME"):
        ValidateState(tmp_path / "file" / "state", "g1")


@pytest.mark.parametrize("octets", [b"", b"pas du SQLite" * 500])
def test_a_file_that_is_no_database_is_begun_again(folder: Path, octets: bytes) -> None:
    filled(folder).close()
    (folder / "validate-0.sqlite").write_bytes(octets)
    state = ValidateState(folder, "g1")
    assert state.progress(RECORDS, 1) == 0
    state.close()


def test_the_journal_of_a_database_that_is_gone_is_not_replayed(folder: Path) -> None:
    """A process that is killed leaves its journal; with its database deleted it means nothing."""
    state = filled(folder)
    journal = (folder / "validate-0.sqlite-wal").read_bytes()
    state.close()
    (folder / "validate-0.sqlite").unlink()
    (folder / "validate-0.sqlite-wal").write_bytes(journal)
    again = ValidateState(folder, "g1")
    assert again.progress(RECORDS, 1) == 0
    assert again.records(["clé"]) == {}
    again.close()


def test_damage_found_at_work_is_told_and_renewed(folder: Path) -> None:
    state = ValidateState(folder, "g1")
    state.save(records=[(f"clé {number}", 0, b"x" * 500) for number in range(4000)])
    state.close()
    database = folder / "validate-0.sqlite"
    octets = bytearray(database.read_bytes())
    half = len(octets) // 2
    octets[half:] = b"\x5a" * (len(octets) - half)
    database.write_bytes(octets)
    state = ValidateState(folder, "g1")
    with pytest.raises(StateBrokenError):
        state.records([f"clé {number}" for number in range(4000)])
    state.renew()
    assert state.records(["clé 1"]) == {}
    state.save(progress=[(RECORDS, 0, 1)])
    assert state.progress(RECORDS, 0) == 1
    state.close()


def test_a_full_disk_is_told_as_such_and_takes_nothing_away(folder: Path) -> None:
    """Nothing is noted that is not on the disk; the same state goes on once there is room."""
    state = filled(folder)
    many = [(f"neuve {number}", 1, b"x" * 500) for number in range(4000)]
    for _ in range(2):
        with full_disk(), pytest.raises(StateUnavailableError, match="libérez de la place"):
            state.save(records=many, progress=[(RECORDS, 1, 100)])
        assert state.progress(RECORDS, 1) == 7
        assert state.records(["neuve 1"]) == {}
    state.save(records=many, progress=[(RECORDS, 1, 100)])
    assert state.progress(RECORDS, 1) == 100
    state.close()


def test_a_state_that_a_full_disk_does_not_take_says_how_to_mend_it(folder: Path) -> None:
    """When it is made, and when it is made anew."""
    with full_disk(), pytest.raises(StateUnavailableError, match=r"plein.*libérez de la place"):
        ValidateState(folder, "g1")
    state = filled(folder)
    with full_disk(), pytest.raises(StateUnavailableError, match=r"plein.*libérez de la place"):
        state.renew()
    state.renew()
    state.save(progress=[(RECORDS, 1, 8)])
    assert state.progress(RECORDS, 1) == 8
    state.close()
