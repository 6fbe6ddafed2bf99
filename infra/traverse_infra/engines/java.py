"""Finds the JDK and Maven, and says in one sentence which of them is missing."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from traverse_infra.errors import MissingToolError
from traverse_infra.settings import Settings

OLDEST = 17


@dataclass(frozen=True, slots=True)
class Java:
    """A Java that is recent enough: its home, its version, and options for all it runs."""

    home: Path
    version: int
    options: tuple[str, ...] = ()

    @property
    def java(self) -> Path:
        return self.home / "bin" / "java"

    @property
    def has_compiler(self) -> bool:
        return (self.home / "bin" / "javac").exists()


def find_java(settings: Settings) -> Java:
    """The Java of `java_home`, or of the path. Raises MissingToolError (none, or too old)."""
    if settings.java_home:
        program = settings.java_home / "bin" / "java"
        if not program.exists():
            raise MissingToolError(
                f"JAVA_HOME (ou TRAVERSE_JAVA_HOME) désigne {settings.java_home}, "
                "où il n’y a pas de Java."
            )
    else:
        found = shutil.which("java")
        if not found:
            raise MissingToolError("Java est introuvable sur cette machine.")
        program = Path(found)
    said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stderr
    version = java_version(said)
    if version is None or version < OLDEST:
        raise MissingToolError(f"Java {version or '?'} est trop ancien ({program}).")
    return Java(program.resolve().parent.parent, version, tuple(settings.java_options.split()))


def java_version(said: str) -> int | None:
    """The feature number in what `java -version` prints: 17 for 17.0.15, 8 for 1.8.0."""
    match = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(match[1]) if match else None


def find_maven() -> Path:
    """Maven's program. Raises MissingToolError."""
    found = shutil.which("mvn")
    if not found:
        raise MissingToolError("Maven (mvn) est introuvable sur cette machine.")
    return Path(found)
