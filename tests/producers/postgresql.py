"""A PostgreSQL of the test's own: Debian's programs, on a temporary folder, without a port."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import pytest

from traverse_infra.engines.waiting import wait_until

_MISSING = (
    "PostgreSQL is missing, and the recipe for databases is tested on a real one; on Debian: "
    "apt-get install -y postgresql"
)


def programs() -> Path:
    """The newest PostgreSQL's programs. Without any: fails in CI, leaves the test out elsewhere."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: int(each.parent.name)
    )
    if found and (found[-1] / "postgres").exists():
        return found[-1]
    if os.environ.get("CI"):
        pytest.fail(_MISSING)
    pytest.skip(_MISSING)


def account() -> str | None:
    """PostgreSQL refuses to run as root: the account that it runs under then."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return "nobody"


@contextmanager
def postgresql() -> Iterator[str]:
    """Its connection string, while it runs."""
    bin_, user = programs(), account()
    folder = Path(mkdtemp(prefix="traverse-pg-"))
    try:
        if user is not None:
            shutil.chown(folder, user)
        data = folder / "data"
        subprocess.run(
            [bin_ / "initdb", "-D", data, "-U", "test", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True,
            capture_output=True,
            user=user,
            cwd="/",
        )
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [bin_ / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses="],
                stdout=log,
                stderr=log,
                user=user,
                cwd="/",
            )
        try:
            asked: list[str | Path] = [bin_ / "pg_isready", "-q", "-h", folder, "-U", "test"]
            assert wait_until(
                lambda: subprocess.run(asked, check=False).returncode == 0, timeout=120
            ), (folder / "log").read_text()
            yield f"host={folder} user=test dbname=postgres"
        finally:
            server.terminate()  # "smart": waits for clients
            server.send_signal(2)  # "fast": ends their sessions
            server.wait(60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
