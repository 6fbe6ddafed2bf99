"""Programs of others over the same documents: quixstreams with its own Elasticsearch sink.

They are no dependency of Traverse: each gets a virtual environment of its own in the benchmark's
home, made when asked for.
"""

import os
import subprocess
import venv
from collections.abc import Callable
from pathlib import Path

import orjson

from traverse_infra.bench.home import Home
from traverse_infra.bench.throughput import BATCH_SIZE, DOCUMENTS, Turn, process_turn

QUIX_INDEX = "bench-quixstreams"
_REQUIREMENTS = ("quixstreams[elasticsearch]==3.28.1", "elasticsearch>=8.19,<9")


def prepare_quixstreams(home: Home, say: Callable[[str], None]) -> str | None:
    """The Python that has quixstreams; None, with a sentence, when it cannot be installed."""
    say("Installation de quixstreams dans un environnement à part…")
    folder = home.folder / "quixstreams"
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    done = subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", "--no-input", *_REQUIREMENTS],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["sans explication"])[-1]
        say(f"quixstreams ne s'installe pas ({reason}) : la comparaison se fait sans lui.")
        return None
    home.make_index(QUIX_INDEX)
    return str(python)


def quixstreams_turn(home: Home, python: str, documents: int) -> Turn:
    """quixstreams over the documents that the pass-through has read before."""
    config = {
        "kafka": home.kafka,
        "elasticsearch": home.elasticsearch,
        "topic": DOCUMENTS,
        "index": QUIX_INDEX,
        "folder": str(home.folder / "quixstreams-state"),
        "batch_size": BATCH_SIZE,
    }
    script = Path(__file__).with_name("quixstreams_sink.py")
    command = (python, str(script), orjson.dumps(config).decode())
    return process_turn(home, "quixstreams", command, QUIX_INDEX, documents)
