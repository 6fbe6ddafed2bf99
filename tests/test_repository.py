"""The repository itself: the lock, the Makefile, the pages and their links, the packages."""

import os
import re
import subprocess
import tomllib
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from traverse_producers.event_builder import check_event
from traverse_producers.signing_keys import write_key
from traverse_producers.transports.contract import Delivery, Headers
from traverse_schemas.log.topics import EVENTS
from traverse_schemas.signing.signatures import SIGNATURE_HEADER, Signer, verify

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
DECISIONS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
# Written apart, so that this very file names none of them.
REGISTRIES = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("repo1", "maven", "org"),
        ("repo", "maven", "apache", "org"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
    )
)


def lock_text() -> str:
    return (ROOT / "requirements.lock").read_text(encoding="utf-8")


def pinned() -> dict[str, tuple[Version, int]]:
    """Every name of the lock with its version and how many hashes it has."""
    pins: dict[str, tuple[Version, int]] = {}
    for entry in re.split(r"\n(?=\S)", lock_text()):
        if match := re.match(r"([\w.-]+)==(\S+)", entry):
            hashes = len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", entry))
            pins[canonicalize_name(match[1])] = (Version(match[2]), hashes)
    return pins


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def wanted() -> list[Requirement]:
    """What pyproject.toml asks for: to run, by extra, to develop and to build."""
    whole = pyproject()
    project = whole["project"]
    texts = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
        *whole["dependency-groups"]["dev"],
        *whole["build-system"]["requires"],
    ]
    requirements = [Requirement(text) for text in texts]
    return [each for each in requirements if each.name != project["name"]]


def tracked_files() -> list[Path]:
    """The files of the tree, committed or about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    files = [ROOT / name for name in listed.split("\0") if name]
    return [file for file in files if file.is_file()]


def test_the_lock_names_no_address_and_no_folder() -> None:
    """Any mirror serves the lock: the hashes say what is right, not the address."""
    named = [word for word in ("://", "/", " @ ", "find-links", "index-url") if word in lock_text()]
    assert named == []


@pytest.mark.parametrize("requirement", wanted(), ids=str)
def test_every_dependency_is_pinned_with_hashes(requirement: Requirement) -> None:
    """What pyproject.toml asks for is in the lock, in a version that fits."""
    version, _ = pinned()[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version, prereleases=True)


def test_every_pin_has_a_hash() -> None:
    """pip refuses the whole lock when one entry has none."""
    assert [name for name, (_, hashes) in pinned().items() if hashes == 0] == []


def test_the_elasticsearch_client_is_of_the_servers_line() -> None:
    """A 9.x client does not speak to an 8.x server; both move together, in two named places."""
    pom = (ROOT / "infra/traverse_infra/engines/pom.xml").read_text(encoding="utf-8")
    server = re.search(r"<elasticsearch\.version>([\d.]+)<", pom)
    assert server is not None
    client, _ = pinned()["elasticsearch"]
    assert client.major == 8
    assert client.release[:2] == Version(server[1]).release[:2]


def test_make_lists_the_documented_targets() -> None:
    """`make` alone says what can be asked for: what README and CONTRIBUTING name is in the list."""
    said = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    listed = set(re.findall(r"^  make (\w+) ", said, flags=re.MULTILINE))
    pages = "\n".join(
        (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md")
    )
    documented = set(re.findall(r"^make (\w+)|`make (\w+)", pages, flags=re.MULTILINE))
    names = {name for pair in documented for name in pair if name}
    assert {"setup", "demo", "test", "check", "format", "unit", "bench", "lock", "clean"} <= listed
    assert names <= listed


def test_what_make_starts_keeps_what_python_compiles() -> None:
    """`setup` compiles nothing: where Python may not write, every process compiles all anew."""
    said = subprocess.run(
        ["make", "--no-print-directory", "-f", "-", "probe"],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        input="include Makefile\nprobe:\n\t@env\n",
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    assert "PATH=" in said
    assert "PYTHONDONTWRITEBYTECODE" not in said


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    """Every link inside the project names a file that is there, and a heading of it if it says."""
    broken = [link for link in _links(page) if not _resolves(page, link)]
    assert broken == []


def _links(page: Path) -> list[str]:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    found = re.findall(r"\]\(([^)\s]+)\)", text)
    return [link for link in found if not link.startswith(("https://", "http://", "mailto:"))]


def _resolves(page: Path, link: str) -> bool:
    path, _, heading = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists() or not target.is_relative_to(ROOT.resolve()):
        return False
    return not heading or heading in _headings(target)


def _headings(page: Path) -> set[str]:
    lines = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in lines}


def test_the_list_of_decisions_is_complete() -> None:
    """The index of docs/adr names every decision once, under the title that its page has."""
    index = (ROOT / "docs/adr/README.md").read_text(encoding="utf-8")
    rows = re.findall(r"\[\d{4}\]\((\d{4}-[a-z0-9-]+\.md)\) \| (.+?) \|", index)
    titles = []
    for page in DECISIONS:
        heading = page.read_text(encoding="utf-8").splitlines()[0]
        titles.append((page.name, re.sub(r"^# \d{4}\. ", "", heading)))
    assert sorted(rows) == titles


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_has_its_four_parts(page: Path) -> None:
    """A reader finds in every decision what asked for it, what was weighed, what follows."""
    headings = re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert headings == ["Context", "Weighed", "Decision", "Consequences"]


def test_no_file_names_a_registry() -> None:
    """Where packages come from is the business of the machine that installs them."""
    found = [
        (str(file.relative_to(ROOT)), registry)
        for file in tracked_files()
        for registry in REGISTRIES
        if registry.encode() in file.read_bytes()
    ]
    assert found == []


def test_every_package_says_that_it_is_typed() -> None:
    """A partner's type checker reads our annotations (PEP 561)."""
    packages = pyproject()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert len(packages) == 5
    assert [each for each in packages if not (ROOT / each / "py.typed").is_file()] == []


def test_the_first_event_of_the_readme_is_accepted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The first Python example of the README runs as it stands and sends one event that fits,
    signed with the key that `traverse institutions add` has written."""
    signer = Signer.generate()
    write_key(tmp_path / "keys" / "211300553.pem", signer)
    monkeypatch.setenv("TRAVERSE_HOME", str(tmp_path))
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    example = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)[0]
    sent: list[tuple[bytes, bytes]] = []

    class Recorder:
        def __init__(self, bootstrap: str, *, timeout: float) -> None:
            pass

        def send(self, key: str, octets: bytes, headers: Headers) -> Future[Delivery]:
            sent.append((octets, dict(headers)[SIGNATURE_HEADER]))
            done: Future[Delivery] = Future()
            done.set_result(Delivery("traverse.inbound", 0, 0))
            return done

        def flush(self, timeout: float) -> None:
            pass

        def close(self, timeout: float) -> None:
            pass

    monkeypatch.setattr("traverse_producers.publisher.KafkaTransport", Recorder)
    exec(compile(example, "README.md", "exec"), {})  # noqa: S102 - our own page
    assert [check_event(octets).subject for octets, _ in sent] == ["VOIRIE-2026-01"]
    assert all(verify(octets, signature, signer.x) for octets, signature in sent)


class _Message(NamedTuple):
    """What KafkaConsumer gives, as far as our pages look at it."""

    key: bytes
    value: bytes | None
    headers: list[tuple[str, bytes]]


_TOMBSTONE = _Message(b'["urn:siren:211300553","VOIRIE-2026-01","1"]', None, [])
_EVENT = _Message(b'["urn:siren:211300553","VOIRIE-2026-02","2"]', b"{}", [])


def test_the_subscriber_of_the_readme_goes_on_past_a_tombstone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As it stands, on messages such as an erasure leaves."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    example = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)[1]
    asked: list[str] = []

    def consumer(topic: str, **_: object) -> list[_Message]:
        asked.append(topic)
        return [_TOMBSTONE, _EVENT]

    monkeypatch.setattr("kafka.KafkaConsumer", consumer)
    exec(compile(example, "README.md", "exec"), {})  # noqa: S102 - our own page
    assert asked == [EVENTS["call"]]
    assert capsys.readouterr().out.splitlines() == [f"effacé : {_TOMBSTONE.key.decode()}", "{}"]


def test_who_verifies_goes_on_past_a_tombstone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In Python and in JavaScript; what is signed, a test on a real topic shows."""
    (tmp_path / "keys.json").write_text('{"keys": []}')
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs/verify.md").read_text(encoding="utf-8")
    (python,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    (script,) = re.findall(r"```js\n(.*?)```", text, flags=re.DOTALL)
    page: dict[str, Any] = {}
    exec(compile(python, "verify.md", "exec"), page)  # noqa: S102 - our own page
    for message in (_TOMBSTONE, _EVENT):
        page["show"](message)
    erased, unsigned = capsys.readouterr().out.splitlines()
    assert erased == f"erased: {_TOMBSTONE.key.decode()}"
    assert "pas de signature" in unsigned
    ask = "try { whoSaid(null, {}, { keys: [] }); } catch (error) { console.log(error.message); }"
    said = subprocess.run(
        ["node", "-e", f"{script}\n{ask}"], capture_output=True, text=True, check=True, timeout=60
    )
    assert said.stdout == "erased\n"


def test_every_documented_program_is_run_by_a_test() -> None:
    """Whoever adds one adds what runs it, here or where the engines are, and a line."""
    run_by = {
        "README.md": 2,  # above
        "docs/publish/developers.md": 1,  # tests/journey/test_publishing_pages.py
        "docs/publish/transactional-outbox.md": 1,  # tests/producers/page_code.py
        "docs/subscribe.md": 3,  # tests/search_api/stream/test_subscribe_page.py
        "docs/verify.md": 2,  # above, and tests/journey/test_trust.py
    }
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    found = {
        page.relative_to(ROOT).as_posix(): len(programs)
        for page in pages
        if (
            programs := re.findall(
                r"^```(?:python|js|java)\n", page.read_text("utf-8"), re.MULTILINE
            )
        )
    }
    assert found == run_by
