"""Disk, memory and heap: are they enough, before starting and to explain a failure."""

import re
import shutil
from pathlib import Path

import psutil

from traverse_infra.errors import HeapError, NotEnoughDiskError

START_NEEDS = 2**30
"""Octets free to start: above Elasticsearch's flood stage, below which it refuses every write."""
INSTALL_NEEDS = 2**30 + 2**29
"""Octets free to install: archives in Maven's repository, and what they hold."""

_UNITS = {"k": 2**10, "m": 2**20, "g": 2**30}


def free_space(folder: Path) -> int:
    """Octets that an ordinary user may still write there; the folder may not exist yet."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def check_disk(folder: Path, needed: int) -> None:
    """Raises NotEnoughDiskError when the folder's disk has less than `needed` octets free."""
    free = free_space(folder)
    if free < needed:
        raise NotEnoughDiskError(folder, free, needed)


def heap_size(text: str, setting: str) -> int:
    """Octets of a Java heap like `512m` or `1g`; HeapError when it is not written so."""
    match = re.fullmatch(r"(\d+)([kmg])", text.strip().lower())
    if not match:
        raise HeapError(
            f"{setting}={text} n’est pas une taille de mémoire : écrivez par exemple 512m ou 1g."
        )
    return int(match[1]) * _UNITS[match[2]]


def available_memory() -> int:
    """Octets that new processes may take, within the limit of the container if there is one."""
    available = int(psutil.virtual_memory().available)
    limit, used = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
    try:
        return min(available, int(limit.read_text()) - int(used.read_text()))
    except (OSError, ValueError):  # no control group, or "max"
        return available


def check_heap(text: str, setting: str, *, least: int, available: int) -> None:
    """Raises HeapError when the heap is under `least` octets or does not fit in `available`."""
    size = heap_size(text, setting)
    if size < least:
        raise HeapError(
            f"{setting}={text} est trop petit : il faut au moins {least // 2**20}m pour démarrer."
        )
    if size > available:
        raise HeapError(
            f"{setting}={text} dépasse la mémoire disponible ({available // 2**20}m) : "
            f"baissez {setting}, ou libérez de la mémoire."
        )
