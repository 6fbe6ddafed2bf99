"""The page for who has nothing but a spreadsheet does what it says, up to the log."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.producers.memory_transport import MemoryTransport, opened_by_commands
from tests.producers.spreadsheets.spreadsheet_page import Page, fill_in, keep_a_sheet
from traverse_infra.commands.tree import build
from traverse_producers.event_builder import check_event


def run(words: list[str]) -> Result:
    return CliRunner().invoke(build(), words)


def test_the_page_from_the_template_to_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command of the page, in its order, with what it says that happens."""
    transport = opened_by_commands(monkeypatch)
    monkeypatch.chdir(tmp_path)
    page = Page()
    _, template, publish, again, receipt, programme = page.commands
    rows, mended, kept = page.tables

    assert run(template).exit_code == 0
    fill_in(Path("besoins.xlsx"), rows, new=True)
    first = run(publish)
    assert first.exit_code == 1
    assert "« automne » n'est pas une date" in first.output
    assert "À corriger : besoins.a-corriger.xlsx" in first.output
    assert subjects(transport) == ["VELOS-2026"]

    fill_in(Path("besoins.a-corriger.xlsx"), mended, new=False)
    assert run(again).exit_code == 0
    assert subjects(transport)[1:] == ["VELOS-2026", "SEL-2026"]

    assert receipt[0] == "receipt"
    with Path("envois.csv").open(encoding="utf-8-sig") as file:
        sent = list(csv.DictReader(file, delimiter=";"))
    assert [(line["source"], line["reference"]) for line in sent] == [
        (receipt[1], "VELOS-2026"),
        (receipt[1], "SEL-2026"),
    ]
    assert sent[1]["id"] == event(transport, -1)["id"]

    Path("programme.toml").write_text(page.mapping, encoding="utf-8")
    keep_a_sheet(Path("programme.xlsx"), kept)
    done = run(programme)
    assert done.exit_code == 0, done.output
    last = event(transport, -1)
    assert last["subject"] == "2026-7"
    assert last["data"]["amounts"][0]["value"] == 45500
    for _, octets, _ in transport.sent:
        check_event(octets)


def event(transport: MemoryTransport, place: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(transport.sent[place][1])
    return found


def subjects(transport: MemoryTransport) -> list[str]:
    return [json.loads(octets)["subject"] for _, octets, _ in transport.sent]
