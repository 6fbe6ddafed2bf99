"""What users may rely on is there: each command, option, address, topic and setting that
docs/contract.md and README.md name, and no setting that they do not."""

import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import typer
from pydantic_settings import BaseSettings

from tests.producers.gateway.serving import serving
from traverse_infra.commands.tree import build
from traverse_infra.settings import Settings
from traverse_producers.gateway.settings import GatewaySettings
from traverse_producers.settings import PublishSettings
from traverse_schemas.log.engine_access import EngineAccess
from traverse_schemas.log.topics import RESET, TOPICS
from traverse_schemas.web.http_methods import allowed
from traverse_search_api.accounts.staff import open_staff
from traverse_search_api.app import create_app
from traverse_search_api.settings import SearchSettings
from traverse_stream_processors.settings import ProcessorSettings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRACT = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
SETTINGS: tuple[type[BaseSettings], ...] = (
    Settings, PublishSettings, GatewaySettings, SearchSettings, ProcessorSettings, EngineAccess,
)  # fmt: skip
ALTERNATIVES = re.compile(r"\{([^{}]*)\}")


def section(page: str, title: str) -> str:
    """A page's part under a heading."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found[1]


def firsts(text: str) -> Iterator[list[str]]:
    """The code in the first cell of each row of its tables."""
    for row in re.findall(r"^\| (`.*?) \| ", text, flags=re.MULTILINE):
        yield re.findall(r"`([^`]+)`", row)


def spelled(span: str) -> list[str]:
    """`import {decp,ted} FILE` as each of the lines that it stands for."""
    if not (found := ALTERNATIVES.search(span)):
        return [span]
    before, after = span[: found.start()], span[found.end() :]
    return [
        line
        for word in found[1].split(",")
        if word != "…"
        for line in spelled(f"{before}{word}{after}")
    ]


TREE = typer.main.get_group(build())


def commands() -> list[str]:
    """Every command line that a table names, options included, without `traverse`."""
    found: list[str] = []
    for spans in [
        *firsts(section(CONTRACT, "Commands")),
        *firsts(section(README, "Commands")),
    ]:
        group = ""
        for span in spans:
            line = span.removeprefix("traverse ")
            if line.startswith("["):  # more options of the one before
                line = f"{found[-1]} {line}"
            elif line == span:  # another of the same group
                line = f"{group} {line}"
            else:
                name = line.split()[0]
                group = name if isinstance(TREE.commands.get(name), typer.core.TyperGroup) else ""
            found += spelled(line.strip())
    return sorted(set(found))


@pytest.mark.parametrize("line", commands())
def test_a_command_that_is_named_is_there_with_its_options(line: str) -> None:
    command: Any = TREE
    for word in line.split():
        # An option may be that of `traverse` itself.
        if isinstance(command, typer.core.TyperGroup) and not word.startswith("--"):
            command = command.commands[word]
    assert command is TREE or not isinstance(command, typer.core.TyperGroup)
    options = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    assert set(re.findall(r"--[a-z-]+", line)) <= options


@pytest.fixture(scope="module")
def takes() -> Iterator[Any]:
    """The methods that an address takes, of the gateway or of the search."""
    with TemporaryDirectory() as home, serving(administration=True) as gateway:
        settings = SearchSettings(home=Path(home), elasticsearch="http://127.0.0.1:1")
        search = create_app(settings, staff=open_staff(settings))
        applications = (gateway.client.app, search)

        def of(path: str) -> set[str]:
            scope = {"type": "http", "path": path, "root_path": "", "headers": []}
            told = [allowed(app.routes, scope) for app in applications]  # type: ignore[attr-defined]
            return {method for methods in told for method in methods.split(", ") if method}

        yield of


def addresses() -> list[tuple[str, str]]:
    """Every address of the contract, with the method that it is named with ("" for none)."""
    text = section(CONTRACT, "HTTP: publishing (the gateway)") + section(
        CONTRACT, "HTTP: the search"
    )
    found = []
    for span in re.findall(r"`([^`]+)`", text):
        named = re.fullmatch(r"(?:([A-Z]+) )?(/[^ ]*)", span)
        if named and named[2] != "/v1/":
            path = named[2].partition("?")[0]
            under = "/v1/subscriptions" if path.startswith("/{id}") else ""
            found.append((named[1] or "", under + path))
    forms = re.search(r"`GET /v1/opportunities\.csv`((?:, `\.[a-z]+`)+)", text)
    assert forms is not None
    found += [("GET", f"/v1/opportunities.{form}") for form in re.findall(r"\.(\w+)", forms[1])]
    return sorted(set(found))


@pytest.mark.parametrize(("method", "path"), addresses())
def test_an_address_that_is_named_is_there(takes: Any, method: str, path: str) -> None:
    examples = {"kind": "call", "kind.action": "call.published", "version": "v1", "form": "csv"}
    asked = re.sub(r"\{([\w.]+)\}", lambda found: examples.get(found[1], "211300553"), path)
    methods = takes(asked)
    assert methods, f"{path} is nowhere"
    assert not method or method in methods


def test_every_topic_is_named() -> None:
    """A partner's list of what there is has neither a topic that is gone nor a gap."""
    named = set(re.findall(r"`(traverse\.[a-z.]+)`", section(CONTRACT, "Topics")))
    assert named == {topic.name for topic in TOPICS} - {RESET}


def variables() -> set[str]:
    """The variable of every setting."""
    return {f"TRAVERSE_{name.upper()}" for settings in SETTINGS for name in settings.model_fields}


def test_every_setting_is_told_and_none_that_there_is_not() -> None:
    """README leads to the whole list; what is not in it nobody finds."""
    listed = set(re.findall(r"`(TRAVERSE_[A-Z_]+)`", section(CONTRACT, "Settings")))
    assert variables() - listed == set()
    named = set(re.findall(r"TRAVERSE_[A-Z_]+[A-Z]", CONTRACT + README))
    assert named - variables() == set()


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES += sorted((ROOT / "docs" / "publish").glob("*.md"))
SERVICE = re.compile(r"(?:\$GATEWAY|\$SEARCH|http://127\.0\.0\.1:800[01])(/[^\"'\s?]*)")


def shell() -> Iterator[str]:
    """Every example for a shell, with its lines whole."""
    for page in PAGES:
        for block in re.findall(r"^```sh\n(.*?)^```", page.read_text("utf-8"), re.M | re.S):
            yield block.replace("\\\n", " ")


def typed() -> list[str]:
    """The command lines of the examples."""
    found = (re.findall(r"(?:^|[/ ;])traverse ([a-z][^\n)#]*)", block, re.M) for block in shell())
    return sorted({line.strip() for lines in found for line in lines})


def called() -> list[tuple[str, str]]:
    """The calls of the examples: method and path."""
    found = set()
    for block in shell():
        for call in re.split(r"^(?=curl )", block, flags=re.MULTILINE):
            address = SERVICE.search(call)
            if call.startswith("curl ") and address:
                said = re.search(r" -X ([A-Z]+)", call)
                usual = "POST" if " -d " in call and " -G " not in call else "GET"
                found.add((said[1] if said else usual, address[1]))
    return sorted(found)


@pytest.mark.parametrize("line", typed())
def test_an_example_of_a_page_is_a_command_with_its_options(line: str) -> None:
    """Those that a test runs, and those that it could not: an operator's, a reader's."""
    test_a_command_that_is_named_is_there_with_its_options(line)


@pytest.mark.parametrize(("method", "path"), called())
def test_a_call_of_a_page_has_its_address(takes: Any, method: str, path: str) -> None:
    assert method in takes(re.sub(r"\$\w+", "x", path).replace("\\", ""))
