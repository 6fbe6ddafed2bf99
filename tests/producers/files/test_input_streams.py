"""What the command line names becomes streams; what cannot be read becomes one sentence."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from traverse_producers.errors import UnreadableInputError
from traverse_producers.files.input_streams import expand, open_input


def test_a_folder_stands_for_its_files_in_order(tmp_path: Path) -> None:
    """Hidden files and folders inside are left out; addresses and files stay as they are."""
    for name in ("b.json", "a.json", ".cache"):
        (tmp_path / name).write_text("{}")
    (tmp_path / "inner").mkdir()
    table = tmp_path / "inner" / "x.csv"
    table.touch()
    address = "https://example.org/x.json"
    assert expand([str(tmp_path), str(table), address]) == [
        str(tmp_path / "a.json"),
        str(tmp_path / "b.json"),
        str(table),
        address,
    ]


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    """Publishing nothing is not a success."""
    with pytest.raises(UnreadableInputError, match="aucun fichier"):
        expand([str(tmp_path)])


def test_a_pipe_is_left_for_who_reads_it(tmp_path: Path) -> None:
    """As `<(...)` of a shell gives one: it is there, and opening it twice would lose what it
    says."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert expand([str(pipe)]) == [str(pipe)]


def test_a_file_that_cannot_be_opened_is_one_sentence(tmp_path: Path) -> None:
    """Absent, or a folder in its place."""
    with pytest.raises(UnreadableInputError, match="n'existe pas"), open_input("/nowhere/x"):
        pass
    with pytest.raises(UnreadableInputError, match="ne peut pas"), open_input(str(tmp_path)):
        pass


def test_a_dash_is_the_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no file of that name, and stays open for who else reads it."""
    file = tmp_path / "x.csv"
    file.write_bytes(b"reference;type\n")
    with file.open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        with open_input("-") as stream:
            assert stream.readline() == b"reference;type\n"
        assert not stdin.closed
        os.fstat(stdin.fileno())  # raises when it is closed
    assert expand(["-"]) == ["-"]


def test_a_standard_input_that_is_closed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under a scheduler that gives none."""
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(UnreadableInputError, match="entrée standard"), open_input("-"):
        pass


def test_an_address_is_read_as_a_stream() -> None:
    """As large as it may be, chunk by chunk, like a file."""
    body = b"0123456789" * 50_000

    def chunks() -> Iterator[bytes]:
        for start in range(0, len(body), 7000):
            yield body[start : start + 7000]

    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=chunks()))
    with open_input("https://example.org/x", transport) as stream:
        assert stream.readline(10) == b"0123456789"
        assert b"0123456789" + stream.read() == body


@pytest.mark.parametrize(
    ("address", "said"),
    [("https://example.org/404", "répond 404"), ("https://example.org/cut", "télécharge")],
)
def test_an_address_that_fails_is_one_sentence(address: str, said: str) -> None:
    """Before the body or in the middle of it."""

    def broken() -> Iterator[bytes]:
        yield b"begun"
        raise httpx.ReadError("cut")

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/404":
            return httpx.Response(404)
        return httpx.Response(200, content=broken())

    with (
        pytest.raises(UnreadableInputError, match=said),
        open_input(address, httpx.MockTransport(answer)) as stream,
    ):
        stream.read()
