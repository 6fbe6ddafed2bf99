"""Opens what the command line names: files, folders, addresses and `-` (the standard input), as
streams of octets."""

import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import httpx

from traverse_producers.errors import UnreadableInputError
from traverse_schemas.system_faults import fault

STANDARD_INPUT = "-"
_CHUNK = 64 * 1024
TIMEOUT = httpx.Timeout(30, connect=10)  # seconds without an answer, or without the next octets


def expand(inputs: Sequence[str]) -> list[str]:
    """The files and addresses that are meant: a folder stands for its files, in order of name.

    Hidden files and folders inside a folder are left out. A file that is not there, or may not be
    read, is told here, before anybody connects to anything. Raises UnreadableInputError.
    """
    found: list[str] = []
    for each in inputs:
        if each == STANDARD_INPUT or is_address(each):
            found.append(each)
            continue
        with mapped(each):
            files = _files(Path(each))
            for file in files:
                _require_readable(file)
        if not files:
            raise UnreadableInputError(f"Le dossier {each} ne contient aucun fichier.")
        found += map(str, files)
    return found


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.is_file())
    return [file for file in files if not file.name.startswith(".")]


def _require_readable(path: Path) -> None:
    if path.is_file():
        path.open("rb").close()
    else:
        path.stat()  # a pipe is opened once, by who reads it


def is_address(text: str) -> bool:
    """Whether the text is an address of the web rather than a path."""
    return text.startswith(("https://", "http://"))


@contextmanager
def open_input(where: str, transport: httpx.BaseTransport | None = None) -> Iterator[BinaryIO]:
    """The octets of a file, an address or the standard input, as a buffered stream. Raises
    UnreadableInputError, also while the stream is read."""
    if where == STANDARD_INPUT:
        with mapped("Le flux d'entrée"), _standard_input() as stream:
            yield stream
        return
    if not is_address(where):
        with mapped(where), Path(where).open("rb") as stream:
            yield stream
        return
    with (
        mapped(where),
        httpx.Client(timeout=TIMEOUT, follow_redirects=True, transport=transport) as client,
        client.stream("GET", where) as answer,
    ):
        if not answer.is_success:
            raise UnreadableInputError(
                f"L'adresse {where} répond {answer.status_code} : vérifiez-la dans un navigateur."
            )
        check_coding(answer, where)
        yield io.BufferedReader(_Answer(answer, where), _CHUNK)


def check_coding(answer: httpx.Response, where: str) -> None:
    """Raises UnreadableInputError for a body that is packed several times over: each time may make
    a thousand octets of one, and what comes of a few is held in memory."""
    if len(answer.headers.get_list("content-encoding", split_commas=True)) > 1:
        raise UnreadableInputError(
            f"L'adresse {where} donne un contenu compressé plusieurs fois (Content-Encoding) : "
            "demandez qu'il le soit une fois au plus, ou téléchargez-le puis donnez son chemin."
        )


def _standard_input() -> BinaryIO:
    """The standard input's octets; closing them leaves the standard input open."""
    if sys.stdin is None:  # a program without a console may have none
        raise UnreadableInputError("L'entrée standard est fermée : donnez un fichier.")
    return open(sys.stdin.fileno(), "rb", closefd=False)


class _Answer(io.RawIOBase):
    """The body of an HTTP answer as a raw stream; the network's errors become ours."""

    def __init__(self, answer: httpx.Response, where: str) -> None:
        self._chunks = answer.iter_bytes(_CHUNK)
        self._where = where
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._rest:
            with mapped(self._where):
                chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


@contextmanager
def mapped(where: str) -> Iterator[None]:
    """Errors of the disk and of the network as one sentence."""
    try:
        yield
    except FileNotFoundError as error:
        raise UnreadableInputError(f"Le fichier {where} n'existe pas.") from error
    except OSError as error:
        raise UnreadableInputError(f"{where} ne peut pas être lu ({fault(error)}).") from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise UnreadableInputError(
            f"L'adresse {where} ne répond pas comme il faut ({type(error).__name__}) : "
            "vérifiez-la, ou téléchargez le fichier puis donnez son chemin."
        ) from error
