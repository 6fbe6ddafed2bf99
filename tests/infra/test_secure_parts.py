"""The secure profile's parts without engines: secrets, configuration, permissions."""

import ssl
from pathlib import Path

import pytest
from cryptography import x509

from traverse_infra.access_rules import (
    ACCOUNTS,
    OPERATOR,
    elasticsearch_roles,
    elasticsearch_users,
    kafka_rules,
)
from traverse_infra.commands.work import _beside
from traverse_infra.engines.elasticsearch_engine import elasticsearch_yml
from traverse_infra.engines.kafka_engine import server_properties
from traverse_infra.engines.secure import Secrets
from traverse_schemas.log.topics import ACCOUNTS as ACCOUNTS_TOPIC
from traverse_schemas.log.topics import AUDIT, RESET, TOPICS

_BOTH = ("READ", "WRITE")


def secrets(folder: Path) -> Secrets:
    made = Secrets(folder / "secrets")
    made.ensure()
    return made


def test_secrets_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    made = secrets(tmp_path)
    before = {file.name: file.read_bytes() for file in made.folder.iterdir()}
    made.ensure()
    assert {file.name: file.read_bytes() for file in made.folder.iterdir()} == before
    assert {file.stat().st_mode & 0o077 for file in made.folder.iterdir()} == {0}
    assert len({made.password(account) for account in ACCOUNTS}) == len(ACCOUNTS)
    assert all(len(made.password(account)) == 32 for account in ACCOUNTS)


def test_the_certificate_is_the_authoritys_and_names_the_loopback(tmp_path: Path) -> None:
    made = secrets(tmp_path)
    authority = x509.load_pem_x509_certificate(made.ca.read_bytes())
    certificate = x509.load_pem_x509_certificate(made.certificate.read_bytes())
    certificate.verify_directly_issued_by(authority)
    assert ssl.create_default_context(cafile=made.ca).get_ca_certs()
    assert b"PRIVATE KEY" not in made.ca.read_bytes() + made.certificate.read_bytes()


def test_what_programs_are_told_holds_no_password(tmp_path: Path) -> None:
    made = secrets(tmp_path)
    told = str(made.environment("publisher")) + made.scram("publisher")
    told += made.elasticsearch_hash("search")
    assert not any(made.password(account) in told for account in ACCOUNTS)
    assert made.scram("publisher") != made.scram("publisher")  # salted anew


def test_the_engines_ask_who_comes(tmp_path: Path) -> None:
    properties = server_properties(tmp_path, 1, 2, secrets(tmp_path))
    assert "PLAINTEXT:" not in properties
    assert "StandardAuthorizer" in properties
    assert "allow.everyone.if.no.acl.found=false" in properties
    assert "StandardAuthorizer" not in server_properties(tmp_path, 1, 2)
    assert '"xpack.security.enabled": true' in elasticsearch_yml(tmp_path, 1, 2, secure=True)


def test_the_permissions_name_accounts_and_topics_that_exist() -> None:
    names = {RESET, *(topic.name for topic in TOPICS)}
    for rule in kafka_rules():
        assert rule.account in ACCOUNTS
        assert rule.account != OPERATOR
        assert rule.prefix or rule.name in names
    assert len(set(kafka_rules())) == len(kafka_rules())
    roles = {*elasticsearch_roles(), "superuser"}
    assert set(elasticsearch_users()) <= set(ACCOUNTS)
    assert set(elasticsearch_users().values()) == roles


def test_what_runs_beside_the_steps_may_do_its_own_work_and_no_more() -> None:
    may = {
        account: {(rule.operation, rule.name) for rule in kafka_rules() if rule.account == account}
        for account in ("notifier", "checker")
    }
    # Positions of what the steps read, and not what it says.
    assert may["checker"] == {
        ("READ", "traverse.opportunities"),
        *(("DESCRIBE", f"traverse.{name}") for name in ("inbound", "records", "decisions")),
        ("DESCRIBE", "traverse-"),
    }
    assert {name for operation, name in may["notifier"] if operation == "WRITE"} == {
        "traverse.subscriptions",
        "traverse.readership",
    }
    assert not {"traverse.accepted", "traverse.rejected", "traverse.inbound", AUDIT} & {
        name for _, name in may["notifier"]
    }
    roles, users = elasticsearch_roles(), elasticsearch_users()
    for account in may:
        granted = {one for index in roles[users[account]]["indices"] for one in index["privileges"]}
        assert granted <= {"read", "view_index_metadata", "indices:admin/refresh*"}


def test_work_starts_them_under_accounts_whose_secrets_lie_beside_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set(_beside()) == {"notify", "check"}
    made = secrets(tmp_path)
    for name, value in made.environment("processors").items():
        monkeypatch.setenv(name, value)
    found = _beside()
    assert found["notify"]["TRAVERSE_KAFKA_USER"] == "notifier"
    assert found["check"]["TRAVERSE_ELASTICSEARCH_USER"] == "checker"
    made.password_file("notifier").unlink()
    assert set(_beside()) == {"check"}
    assert "sous le compte notifier" in capsys.readouterr().err


def test_accounts_of_people_and_what_they_did_are_for_the_pages_alone() -> None:
    """Who reads events has no business there; what was done is written, and read by the operator
    alone."""
    content = [rule for rule in kafka_rules() if rule.operation in _BOTH]
    allowed = {(rule.account, rule.operation) for rule in content if rule.name == ACCOUNTS_TOPIC}
    pages = {(one, what) for one in ("search", "search-members") for what in _BOTH}
    # Whoever alerts people must know where to write to them.
    assert allowed == {*pages, ("notifier", "READ")}
    allowed = {(rule.account, rule.operation) for rule in content if rule.name == AUDIT}
    assert allowed == {("search", "WRITE"), ("search-members", "WRITE")}
