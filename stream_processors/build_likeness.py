"""Builds the likeness model that comes with the product, from the CPV's labels and our own lists.

    .venv/bin/python stream_processors/build_likeness.py

The same lists and the same version of SciPy give the same octets.
"""

from pathlib import Path

from traverse_stream_processors.likeness.corpus import base_passages
from traverse_stream_processors.likeness.train import train

TARGET = Path(__file__).parent / "traverse_stream_processors" / "likeness" / "data" / "base.npz"

if __name__ == "__main__":
    train((), base=list(base_passages())).save(TARGET)
