"""`traverse outbox`: what waits and what was refused, and what is done about it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from traverse_infra.commands.tree import build
from traverse_producers.errors import InvalidOptionError
from traverse_producers.outbox.durable_queue import DurableQueue, Message


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """One event waits, two were refused; the second has a reference that would clear a screen."""
    file = tmp_path / "outbox"
    with DurableQueue(file) as queue:
        queue.put(
            [Message("urn R-1", b"1"), Message("urn R\x1b[2J", b"2"), Message("urn R-3", b"3")]
        )
        first, second, _ = queue.after(0, most=9, octets=999)
        queue.settle([], [(first, "Trop grand."), (second, "Illisible.")])
    return file


def run(*words: object) -> str:
    done = CliRunner().invoke(build(), ["outbox", *map(str, words)])
    if done.exception is not None:
        raise done.exception
    return done.output


def test_show_tells_what_waits_and_why_the_others_were_refused(path: Path) -> None:
    first, second, third = run("show", path).splitlines()
    assert first == "1 événement(s) en attente, 2 refusé(s), 0 Kio."
    assert second.endswith("urn R-1  Trop grand.")
    assert third.endswith("urn R\ufffd[2J  Illisible.")


def test_show_speaks_json(path: Path) -> None:
    told = json.loads(run("show", path, "--json"))
    assert (told["waiting"], told["parked"]) == (1, 2)
    assert told["refused"][0]["why"] == "Trop grand."


def test_retry_and_drop_decide(path: Path) -> None:
    run("retry", path, 1)
    run("drop", path, 2)
    assert run("show", path).splitlines() == ["2 événement(s) en attente, 0 refusé(s), 0 Kio."]


def test_a_wrong_number_or_file_is_one_sentence(path: Path) -> None:
    with pytest.raises(InvalidOptionError, match="numéro 9"):
        run("retry", path, 9)
    with pytest.raises(InvalidOptionError, match="pas de fichier"):
        run("show", path.with_name("none"))
    assert not path.with_name("none").exists()
