"""What the figures were measured on, and how much memory and processor each process took."""

import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import psutil

from traverse_infra.engines.java import find_java
from traverse_infra.settings import Settings

_LIBRARIES = ("faust-streaming", "aiokafka", "kafka-python", "elasticsearch", "orjson", "pydantic")


def machine(settings: Settings, elasticsearch: str) -> dict[str, object]:
    """Processor, memory, system and versions; `elasticsearch` is the server's version."""
    java = subprocess.run(
        [str(find_java(settings).java), "-version"], capture_output=True, text=True, check=True
    )
    return {
        **computer(),
        "java": (java.stderr or java.stdout).splitlines()[0],
        "elasticsearch": elasticsearch,
        "kafka_heap": settings.kafka_heap,
        "elasticsearch_heap": settings.elasticsearch_heap,
        "libraries": {name: version(name) for name in _LIBRARIES},
    }


def computer() -> dict[str, object]:
    """Processor, memory, kernel and Python."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def memory(processes: Mapping[str, psutil.Process]) -> dict[str, dict[str, float]]:
    """Resident and proportional set size of each process, in MB (2**20 octets)."""
    found = {}
    for name, process in processes.items():
        full = process.memory_full_info()
        found[name] = {"rss_mb": full.rss / 2**20}
        if hasattr(full, "pss"):  # Linux tells; elsewhere nobody does
            found[name]["pss_mb"] = full.pss / 2**20
    return found


def processor_seconds(processes: Mapping[str, psutil.Process]) -> dict[str, float]:
    """Processor time that each process has taken since its start."""
    return {name: sum(process.cpu_times()[:2]) for name, process in processes.items()}


def steps_of(work: psutil.Process) -> dict[str, psutil.Process]:
    """The processes of the steps, children of `traverse work`, by step."""
    found = {}
    for child in work.children():
        arguments = child.cmdline()
        if "--step" in arguments:
            found[arguments[arguments.index("--step") + 1]] = child
    return found


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()
