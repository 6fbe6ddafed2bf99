"""The pages for publishers and for administrators: to the first receipt, for real."""

import csv
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
from tests.producers.spreadsheets.spreadsheet_page import Page, fill_in
from traverse_infra.engines.ports import free_ports
from traverse_infra.services import Services
from traverse_schemas.documents.index_mapping import ALIASES
from traverse_schemas.log.topics import INBOUND, INSTITUTIONS, RECEIPTS, TOPICS

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

    def say(self, words: list[str], folder: Path, code: int = 0) -> str:
        """What a command of the program says in a folder; it leaves with `code`."""
        done = subprocess.run(
            [sys.executable, "-m", "traverse_infra.cli", *words],
            env=self.environment,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == code, f"{words}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr


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


def until_ended(shell: Shell, command: str, end: str = "searchable") -> None:
    def ended() -> bool:
        try:
            return bool(shell.run(command)["end"] == end)
        except AssertionError:  # 404: no step has said anything of it yet
            return False

    until(ended, f"the receipt to say {end}")


def until_known(shell: Shell, key: str) -> None:
    """The gateway follows the registry: a moment later it knows the key."""
    address = f"{shell.environment['GATEWAY']}/v1/rejections"

    def known() -> bool:
        answer = httpx.get(address, headers={"authorization": f"Bearer {key}"})
        return answer.status_code == 200

    until(known, "the gateway to know the key")


def test_a_tool_that_calls_a_url_gets_to_its_first_receipt(shell: Shell) -> None:
    """And puts again, closes and withdraws, as the page says."""
    _, _, enrol, form, plain, receipt, close, withdraw = blocks("url.md", "sh")
    shell.environment["API_KEY"] = shell.run(enrol)["api_key"]
    until_known(shell, shell.environment["API_KEY"])
    put = shell.run(form)
    assert put["status"] == "accepted"
    assert shell.run(form) == {**put, "status": "unchanged"}
    assert shell.run(plain)["kind"] == "need"
    shell.environment |= {"SOURCE": put["source"], "ID": put["id"]}
    until_ended(shell, receipt)
    closed = shell.run(close)
    assert closed["status"] == "accepted"
    assert closed["id"] != put["id"]
    assert shell.run(withdraw)["status"] == "accepted"


def test_developers_get_to_their_first_receipt(shell: Shell, flowing: Journey) -> None:
    """With the library, on Kafka, signed with their own key."""
    *_, enrol, receipt = blocks("developers.md", "sh")
    shell.environment["API_KEY"] = shell.run(enrol)["api_key"]
    (program,) = blocks("developers.md", "python")
    names = {"HOME": shell.environment["TRAVERSE_HOME"], "KAFKA": flowing.kafka}
    exec(compile(program, "developers.md", "exec"), names)  # noqa: S102 -- the page's own words
    until_ended(shell, receipt)


def test_an_administrator_enrols_somebody_who_publishes(shell: Shell) -> None:
    """Over HTTP alone: known to the gateway and to the processors without a restart."""
    first, enrol, rotate, quota, state, show = blocks("../administration.md", "sh")
    shell.environment["ADMIN_KEY"] = shell.run(first)["api_key"]
    until_known(shell, shell.environment["ADMIN_KEY"])
    added = shell.run(enrol)
    shell.environment["KEY_ID"] = added["api_key_id"]
    new = shell.run(rotate)["api_key"]
    assert shell.run(quota)["quota"] == {"events_per_minute": 600, "events_per_day": 20000}
    for number, key in enumerate((added["api_key"], new)):
        put = httpx.put(
            f"{shell.environment['GATEWAY']}/v1/records/need/ADM-{number}",
            headers={"authorization": f"Bearer {key}"},
            json={
                "title": "Sel",
                "subtype": "purchase",
                "place": ["com:13047"],
                "window": {"from": "2027-09-01"},
            },
            timeout=60,
        )
        assert put.status_code == 202, put.text
        source, event_id = put.json()["source"], put.json()["id"]
        shell.environment |= {"API_KEY": new, "SOURCE": source, "ID": event_id}
        until_ended(shell, blocks("url.md", "sh")[5])
    assert shell.run(state)["state"] == "revoked"
    changes = shell.run(show)["changes"]
    assert [one["what"] for one in changes] == ["added", "api_key_rotated", "quota_set", "revoked"]
    assert {one["by"] for one in changes} == {"221300015"}


def test_developers_try_the_whole_integration_and_nobody_else_hears_of_it(
    shell: Shell, flowing: Journey
) -> None:
    """Until the trial ends: then the same event is for everybody."""
    enrol, publish, receipt, end, *_ = blocks("developers.md", "sh")
    enrolled = shell.run(enrol)
    shell.environment["TRIAL_KEY"] = enrolled["api_key"]
    until_known(shell, enrolled["api_key"])
    assert shell.run(publish)["accepted"] == 1
    until_ended(shell, receipt, "sandbox")
    trial = shell.run(receipt)["sandbox"]
    assert trial["would"] == "searchable"
    assert "dep:13" in trial["enriched"]["within"]
    assert trial["enriched"]["themes"]
    flowing.settle()
    heard = {topic.name for topic in TOPICS if says(flowing, topic.name, enrolled["siren"])}
    assert heard == {INBOUND, RECEIPTS, INSTITUTIONS}
    by_source = {"term": {"sources.source": f"urn:siren:{enrolled['siren']}"}}
    with flowing.client() as client:
        assert client.count(index=list(ALIASES.values()), query=by_source)["count"] == 0
    assert shell.run(end)["sandbox_until"]
    shell.run(publish)
    until_ended(shell, receipt)


def test_a_spreadsheet_gets_to_its_first_receipt(shell: Shell, tmp_path: Path) -> None:
    """The row that is right is searchable, and its receipt says so; the other one comes back."""
    page = Page()
    enrol, template, publish, _, receipt, _ = page.commands
    shell.say(enrol, tmp_path)
    assert "besoins.xlsx" in shell.say(template, tmp_path)
    fill_in(tmp_path / "besoins.xlsx", page.tables[0], new=True)
    assert "1 ligne(s) refusée(s)" in shell.say(publish, tmp_path, code=1)
    assert (tmp_path / "besoins.a-corriger.xlsx").exists()
    with (tmp_path / "envois.csv").open(encoding="utf-8-sig") as file:
        (sent,) = csv.DictReader(file, delimiter=";")
    words = [sent["id"] if word == "ID" else word for word in receipt]

    def found() -> bool:
        try:
            return "Trouvable dans la recherche" in shell.say(words, tmp_path)
        except AssertionError:  # no step has said anything of it yet
            return False

    until(found, "the receipt to say searchable")


def says(journey: Journey, topic: str, siren: str) -> bool:
    """Whether anything on a topic names the institution."""
    return any(
        siren.encode() in (message.value or b"") + message.key for message in journey.read(topic)
    )
