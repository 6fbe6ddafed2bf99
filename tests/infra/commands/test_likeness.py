"""`traverse train` says what it cannot write before it reads anything."""

import errno
import itertools
from pathlib import Path
from typing import Any

import pytest

from traverse_infra.commands.likeness import train
from traverse_infra.errors import InfraError
from traverse_stream_processors.likeness.model import Model


def target(folder: Path, name: str) -> Path:
    (folder / "file").write_text("not a folder")
    return folder / name


@pytest.mark.parametrize(
    ("name", "why"), [("", "c'est un dossier"), ("file/model.npz", "tient lieu de dossier")]
)
def test_a_model_that_cannot_be_written_is_told_before_anything_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, why: str
) -> None:
    monkeypatch.setattr(
        "traverse_infra.training.states_of_log", lambda *_: pytest.fail("the log is read")
    )
    with pytest.raises(InfraError, match=f"{why}.*--out"):
        train(out=target(tmp_path, name))
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_a_disk_that_fills_while_the_model_is_learnt_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "")

    monkeypatch.setattr("traverse_infra.training.states_of_log", lambda *_: itertools.chain())
    monkeypatch.setattr(Model, "save", full)
    monkeypatch.setattr(
        "traverse_stream_processors.likeness.train.train",
        lambda *_, **__: Model.__new__(Model),
    )
    with pytest.raises(InfraError, match="le disque est plein"):
        train(out=tmp_path / "model.npz")
