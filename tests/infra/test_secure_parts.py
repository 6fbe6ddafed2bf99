"""The secure profile's parts without engines: secrets, configuration, permissions."""

import ssl
from pathlib import Path

from cryptography import x509

from traverse_infra.access_rules import (
    ACCOUNTS,
    OPERATOR,
    elasticsearch_roles,
    elasticsearch_users,
    kafka_rules,
)
from traverse_infra.engines.elasticsearch_engine import elasticsearch_yml
from traverse_infra.engines.kafka_engine import server_properties
from traverse_infra.engines.secure import Secrets
from traverse_schemas.topics import ACCOUNTS as ACCOUNTS_TOPIC
from traverse_schemas.topics import AUDIT, RESET, TOPICS

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


def test_accounts_of_people_and_what_they_did_are_for_the_pages_alone() -> None:
    """Who reads events has no business there; what was done is written, and read by the operator
    alone."""
    content = [rule for rule in kafka_rules() if rule.operation in _BOTH]
    allowed = {(rule.account, rule.operation) for rule in content if rule.name == ACCOUNTS_TOPIC}
    assert allowed == {(one, what) for one in ("search", "search-members") for what in _BOTH}
    allowed = {(rule.account, rule.operation) for rule in content if rule.name == AUDIT}
    assert allowed == {("search", "WRITE"), ("search-members", "WRITE")}
