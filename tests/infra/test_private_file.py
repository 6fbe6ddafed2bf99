"""Files that hold a secret."""

from pathlib import Path

from traverse_infra.private_file import write_private


def test_only_its_owner_reads_a_secret_whatever_was_there(tmp_path: Path) -> None:
    """Over a file that others could read, and beside what a writer that was killed left."""
    file = tmp_path / "pages.key"
    file.write_text("old")
    file.chmod(0o644)
    (tmp_path / "pages.key.partial").write_text("ha")
    write_private(file, b"new")
    assert file.read_bytes() == b"new"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["pages.key"]
