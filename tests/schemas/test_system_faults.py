"""A file that the system refuses is told in French, by every command that takes one."""

import errno
import sqlite3
import sys
from pathlib import Path

import pytest

from traverse_infra import cli
from traverse_schemas.system_faults import fault


def test_what_the_system_says_is_said_in_french() -> None:
    assert fault(FileNotFoundError(errno.ENOENT, "No such file or directory")) == "il n'existe pas"
    assert fault(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x")) == "ce n'est pas du texte"
    assert fault(OSError("odd")) == "OSError"


def test_what_sqlite_says_of_a_full_disk_is_said_in_french(tmp_path: Path) -> None:
    base = sqlite3.connect(tmp_path / "base", isolation_level=None)
    base.execute("create table said (words text)")
    base.execute("pragma max_page_count = 2")
    with pytest.raises(sqlite3.OperationalError) as full:
        base.execute("insert into said values (zeroblob(100000))")
    base.close()
    assert fault(full.value) == "le disque est plein"


@pytest.mark.parametrize(
    "words",
    [
        ("publish", __file__, "--institution", "211300553", "--mapping", "FILE"),
        ("publish", __file__, "--gateway", "http://127.0.0.1:1", "--api-key-file", "FILE"),
        ("search", "voirie", "--api-key-file", "FILE"),
        ("rejected", "replay", "inbound-0@1", "--file", "FILE"),
        ("outbox", "show", "FILE"),
        ("privacy", "find", "x", "--file", "FILE"),
        ("train", "--data", "FILE"),
        ("institutions", "add", "211300553", "--name", "X", "--kind", "commune",
         "--public-key", "FILE"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_file_that_is_not_there_is_one_french_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    words: tuple[str, ...],
) -> None:
    """Its name is in it, no traceback, and nothing of the system's English."""
    missing = str(tmp_path / "absent.json")
    monkeypatch.setenv("TRAVERSE_HOME", str(tmp_path))
    monkeypatch.setattr(
        sys, "argv", ["traverse", *(missing if word == "FILE" else word for word in words)]
    )
    with pytest.raises(SystemExit) as ended:
        cli.main()
    printed = capsys.readouterr()
    said = f"{ended.value.code} {printed.out} {printed.err}"
    assert ended.value.code not in (0, 2)
    assert missing in said
    assert "No such file" not in said
