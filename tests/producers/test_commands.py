"""`traverse publish` and `traverse import` as people run them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NoReturn

import pytest
import typer
from kafka import KafkaConsumer, TopicPartition
from typer.testing import CliRunner, Result

from tests.engines import RunningEngines
from tests.producers.gateway.serving import KEY, OWN
from tests.producers.http_gateways import real_gateway
from tests.producers.memory_transport import MemoryTransport, opened_by_commands
from tests.stream_processors.factory import event
from traverse_infra.log.topics import apply_topics
from traverse_producers import commands
from traverse_producers.errors import InvalidOptionError, UnreadableInputError
from traverse_producers.signing_keys import write_key
from traverse_schemas.clock import InvalidClockError
from traverse_schemas.read_settings import InvalidSettingError
from traverse_schemas.signing.signatures import SIGNATURE_HEADER, verify

CSV = (
    "reference;type;titre;territoire;url\n"
    "R-1;Marché public;Voirie;com:13055;https://exemple.fr/1\n"
    "R-2;licorne;Rue;com:13055;https://exemple.fr/2\n"
)
DECP = {
    "marches": [
        {
            "id": "2019-01",
            "_type": "Marché",
            "acheteur": {"id": "21130055300016", "nom": "Ville de Marseille"},
            "nature": "Marché",
            "objet": "Fourniture de vélos",
            "codeCPV": "34430000",
            "procedure": "Procédure adaptée",
            "lieuExecution": {"code": "13055", "typeCode": "Code commune"},
            "dureeMois": 12,
            "dateNotification": "2019-03-01",
            "datePublicationDonnees": "2019-03-10",
            "montant": 20000,
            "titulaires": [
                {"typeIdentifiant": "SIRET", "id": "35600000000048", "denominationSociale": "X"}
            ],
        }
    ]
}


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> MemoryTransport:
    return opened_by_commands(monkeypatch)


def run(*words: object) -> Result:
    app = typer.Typer()
    app.command("publish")(commands.publish)
    app.command("import")(commands.import_)
    return CliRunner().invoke(app, [str(word) for word in words])


def test_publish_reports_each_refused_row_and_ends_with_1(
    memory: MemoryTransport, tmp_path: Path
) -> None:
    """The good row is published; the report names file, line, reference and why."""
    file = tmp_path / "mes-appels.csv"
    file.write_text(CSV, encoding="utf-8")
    result = run("publish", str(file), "--institution", "211300553")
    assert result.exit_code == 1
    assert f"{file}, ligne 3 [R-2] : Colonne type" in result.stdout
    assert "1 événement(s) envoyé(s), dont 1 confirmé(s) ; 1 ligne(s) refusée(s)." in result.stdout
    assert [json.loads(octets)["source"] for _, octets, _ in memory.sent] == ["urn:siren:211300553"]
    assert memory.closed


def test_publish_ends_with_0_when_all_is_taken(memory: MemoryTransport, tmp_path: Path) -> None:
    """And tells it as JSON to programs."""
    file = tmp_path / "e.json"
    file.write_text(json.dumps([event(), event(id="e-2")]), encoding="utf-8")
    result = run("publish", str(file), "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["delivered"] == 2


def test_import_publishes_what_the_importer_reads(memory: MemoryTransport, tmp_path: Path) -> None:
    """In the name of the source that relays; reading it twice makes the same events."""
    file = tmp_path / "decp.json"
    file.write_text(json.dumps(DECP), encoding="utf-8")
    for _ in range(2):
        result = run("import", "decp", str(file), "--as", "181300013:decp")
        assert result.exit_code == 0, result.output
    first, second = (octets for _, octets, _ in memory.sent)
    assert first == second
    assert json.loads(first)["source"] == "urn:siren:181300013:decp"


@pytest.mark.parametrize(
    "words",
    [
        ("publish", "--sent", "{sent}"),
        ("import", "decp", "--as", "181300013:decp"),
        ("import", "decp", "--as", "181300013:decp", "--position", "{sent}"),
    ],
)
def test_a_file_that_is_missing_is_told_before_anything_is_opened(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Nobody waits for a Kafka that is away; and what could be read is not published without the
    rest."""

    def opened(*_: object, **__: object) -> NoReturn:
        raise AssertionError("connected")

    monkeypatch.setattr("traverse_producers.transports.kafka.KafkaTransport", opened)
    there, sent = tmp_path / "e.json", tmp_path / "sent.csv"
    there.write_text(json.dumps([event()]), encoding="utf-8")
    result = run(*(word.format(sent=sent) for word in words), there, tmp_path / "apels.json")
    assert isinstance(result.exception, UnreadableInputError)
    assert "apels.json n'existe pas" in str(result.exception)
    assert not sent.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("publish",), "au moins un fichier"),
        (("publish", "x.csv", "--institution", "123"), "--institution"),
        (("import", "licorne", "x"), "boamp, decp, eforms, fonds-vert, ocds, ted"),
        (("import", "decp", "x"), "--as"),
        (("import", "decp", "x", "--as", "211300554:decp"), "Luhn"),
    ],
)
def test_a_wrong_option_is_one_sentence(
    memory: MemoryTransport, words: tuple[str, ...], said: str
) -> None:
    """It is raised for the composition root, which prints it."""
    result = run(*words)
    assert isinstance(result.exception, InvalidOptionError)
    assert said in str(result.exception)


def test_a_wrong_date_of_an_import_is_one_sentence(memory: MemoryTransport) -> None:
    """`--as-of` reads what TRAVERSE_AS_OF reads."""
    result = run("import", "decp", "x", "--as", "181300013:decp", "--as-of", "demain")
    assert isinstance(result.exception, InvalidClockError)


def test_a_wrong_setting_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It names the variable."""
    monkeypatch.setenv("TRAVERSE_PUBLISH_TIMEOUT", "longtemps")
    result = run("publish", __file__, "--institution", "211300553")
    assert isinstance(result.exception, InvalidSettingError)
    assert "TRAVERSE_PUBLISH_TIMEOUT" in str(result.exception)


def test_help_loads_nothing_that_only_a_run_needs() -> None:
    """`traverse --help` stays quick: Kafka, HTTP, XML and progress bars come with the run."""
    script = (
        "import sys, traverse_producers.commands\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "typer" in loaded
    assert not loaded & {"kafka", "httpx", "lxml", "ijson", "rich"}


def test_what_comes_through_a_pipe_is_published(
    memory: MemoryTransport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`-` stands for the standard input; its octets tell the format."""
    file = tmp_path / "in"
    file.write_text(CSV, encoding="utf-8")

    @contextmanager
    def open_pipe(where: str) -> Iterator[BinaryIO]:
        assert where == "-"
        with file.open("rb") as stream:
            yield stream

    monkeypatch.setattr("traverse_producers.files.input_streams.open_input", open_pipe)
    result = run("publish", "-", "--institution", "211300553")
    assert result.exit_code == 1
    assert "-, ligne 3 [R-2]" in result.stdout
    assert len(memory.sent) == 1


def test_the_columns_of_a_table_are_shown() -> None:
    """Who prepares a spreadsheet sees every name with an example."""
    result = run("publish", "--columns")
    assert result.exit_code == 0
    assert "date_limite" in result.stdout


@pytest.mark.engines
def test_what_is_published_lies_on_the_log(
    engines: RunningEngines, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """From a file to Kafka, each event confirmed."""
    apply_topics(engines.kafka)
    monkeypatch.setenv("TRAVERSE_KAFKA", engines.kafka)
    before = _ends(engines.kafka)
    file = tmp_path / "e.ndjson"
    lines = [json.dumps(event(id=f"f-{n}", subject=f"FILE-{n}")) for n in range(500)]
    file.write_text("\n".join(lines), encoding="utf-8")
    result = run("publish", str(file))
    assert result.exit_code == 0, result.output
    assert "500 événement(s) envoyé(s), dont 500 confirmé(s)" in result.stdout
    assert _ends(engines.kafka) - before >= 500


def _ends(bootstrap: str) -> int:
    consumer = KafkaConsumer(bootstrap_servers=bootstrap)
    topic = "traverse.inbound"
    partitions = [TopicPartition(topic, each) for each in consumer.partitions_for_topic(topic)]
    ends = sum(consumer.end_offsets(partitions).values())
    consumer.close()
    return int(ends)


def test_publish_goes_through_a_gateway_with_the_key_of_a_file(tmp_path: Path) -> None:
    source, key = tmp_path / "events.json", tmp_path / "key"
    source.write_text(json.dumps([event(), event(id="e-2", source="urn:siren:211300405")]))
    key.write_text(f"{KEY}\n")
    with real_gateway() as (url, log):
        done = run("publish", source, "--gateway", url, "--api-key-file", key)
        assert done.exit_code == 1
        assert len(log.sent) == 1
        key.write_text("another")
        refused = run("publish", source, "--gateway", url, "--api-key-file", key)
    assert "1 confirmé(s) ; 1 ligne(s) refusée(s)" in done.output
    assert "pour la source de cet événement. (/source)" in done.output
    assert refused.exit_code == 1
    assert "vérifiez la clé d'API" in refused.output


def test_who_signs_for_itself_does_so_through_a_gateway_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the key of TRAVERSE_HOME, as to Kafka; without it, that is left to the gateway, which
    here signs for nobody."""
    monkeypatch.setenv("TRAVERSE_HOME", str(tmp_path))
    monkeypatch.setenv("TRAVERSE_SIGNATURES", "required")
    source, key = tmp_path / "events.json", tmp_path / "key"
    source.write_text(json.dumps([event(), event(id="e-2")]))
    key.write_text(KEY)
    with real_gateway(own=tmp_path) as (url, log):
        unsigned = run("publish", source, "--gateway", url, "--api-key-file", key)
        assert (unsigned.exit_code, log.sent) == (1, [])
        assert "la clé de l'institution" in unsigned.output
        write_key(tmp_path / "keys" / "181300013.pem", OWN)
        done = run("publish", source, "--gateway", url, "--api-key-file", key)
        assert done.exit_code == 0, done.output
    assert [json.loads(octets)["id"] for _, octets, _ in log.sent] == ["e-1", "e-2"]
    for _, octets, headers in log.sent:
        assert verify(octets, dict(headers)[SIGNATURE_HEADER], OWN.x)


def test_a_gateway_without_a_key_file_is_one_sentence(tmp_path: Path) -> None:
    source = tmp_path / "events.json"
    source.write_text(json.dumps(event()))
    with pytest.raises(InvalidOptionError, match="--api-key-file"):
        raise run("publish", source, "--gateway", "http://127.0.0.1:1").exception or AssertionError
    missing = run(
        "publish", source, "--gateway", "http://127.0.0.1:1", "--api-key-file", tmp_path / "none"
    )
    with pytest.raises(InvalidOptionError, match="ne peut pas être lu"):
        raise missing.exception or AssertionError
