"""The pages for who publishes by a URL and for developers: to the first receipt, for real."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.journey.harness import Journey, until
from traverse_infra.engines.ports import free_ports
from traverse_infra.services import Services

pytestmark = pytest.mark.engines

PAGES = Path(__file__).parents[2] / "docs" / "publish"


def blocks(page: str, language: str) -> list[str]:
    """The commands of a page, in its order."""
    text = (PAGES / page).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


class Shell:
    """Runs the commands of a page as a reader would; `environment` grows as the reader learns."""

    def __init__(self, journey: Journey, home: Path, port: int) -> None:
        self.environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "TRAVERSE_KAFKA": journey.kafka,
            "TRAVERSE_HOME": str(home),
            "TRAVERSE_SIGNATURES": "required",
            "GATEWAY": f"http://127.0.0.1:{port}",
        }

    def run(self, command: str) -> Any:
        """The answer as JSON."""
        done = subprocess.run(
            ["bash", "-c", command],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def shell(flowing: Journey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A reader, and the gateway as the operator's part of the page starts it."""
    home = tmp_path_factory.mktemp("publishing")
    port = next(iter(free_ports(1)))
    reader = Shell(flowing, home, port)
    first, serve, *_ = blocks("url.md", "sh")
    reader.run(first)
    setting, *command = serve.split()
    assert command == ["traverse", "serve", "gateway"]
    variable, _, siren = setting.partition("=")
    settings = {
        variable: siren,
        "TRAVERSE_GATEWAY_PORT": str(port),
        "TRAVERSE_GATEWAY_KAFKA_TIMEOUT": "30",
    }
    with Services(home / "logs", {**reader.environment, **settings}) as services:
        services.start("gateway", *command[1:])
        services.await_answer(f"http://127.0.0.1:{port}/readyz", 90)
        yield reader


def until_searchable(shell: Shell, command: str) -> None:
    def searchable() -> bool:
        try:
            return bool(shell.run(command)["end"] == "searchable")
        except AssertionError:  # 404: no step has said anything of it yet
            return False

    until(searchable, "the receipt to say searchable")


def test_a_tool_that_calls_a_url_gets_to_its_first_receipt(shell: Shell) -> None:
    """And puts again, closes and withdraws, as the page says."""
    _, _, enrol, form, plain, receipt, close, withdraw = blocks("url.md", "sh")
    shell.environment["API_KEY"] = shell.run(enrol)["api_key"]

    def known() -> bool:
        """The gateway follows the registry: a moment later it knows the key."""
        address, key = shell.environment["GATEWAY"], shell.environment["API_KEY"]
        answer = httpx.get(f"{address}/v1/rejections", headers={"authorization": f"Bearer {key}"})
        return answer.status_code == 200

    until(known, "the gateway to know the key")
    put = shell.run(form)
    assert put["status"] == "accepted"
    assert shell.run(form) == {**put, "status": "unchanged"}
    assert shell.run(plain)["kind"] == "need"
    shell.environment |= {"SOURCE": put["source"], "ID": put["id"]}
    until_searchable(shell, receipt)
    closed = shell.run(close)
    assert closed["status"] == "accepted"
    assert closed["id"] != put["id"]
    assert shell.run(withdraw)["status"] == "accepted"


def test_developers_get_to_their_first_receipt(shell: Shell, flowing: Journey) -> None:
    """With the library, on Kafka, signed with their own key."""
    enrol, receipt = blocks("developers.md", "sh")
    shell.environment["API_KEY"] = shell.run(enrol)["api_key"]
    (program,) = blocks("developers.md", "python")
    names = {"HOME": shell.environment["TRAVERSE_HOME"], "KAFKA": flowing.kafka}
    exec(compile(program, "developers.md", "exec"), names)  # noqa: S102 -- the page's own words
    until_searchable(shell, receipt)
