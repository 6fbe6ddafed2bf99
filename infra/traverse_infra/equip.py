"""Equips running engines: topics, permissions and indices as declared, and a file for each account.

Doing it again changes nothing.
"""

import shlex
from pathlib import Path
from typing import NamedTuple

from elasticsearch import Elasticsearch

from traverse_infra.access_rules import ACCOUNTS, Rule
from traverse_infra.engines.runner import Engines
from traverse_infra.engines.secure import Secrets
from traverse_infra.indices import copy_indices, prepare_indices
from traverse_infra.log.acls import apply_accounts, apply_acls
from traverse_infra.log.topics import AppliedTopics, Copies, apply_topics, opportunities_begun
from traverse_infra.private_file import write_private
from traverse_infra.reindex.rebuild import release
from traverse_schemas.log.engine_access import EngineAccess, engine_access
from traverse_schemas.log.topics import OPPORTUNITIES


class Equipped(NamedTuple):
    """What was done. `indices`: each alias's index; `environments`: for each account, the file of
    variables that make a program that account; empty in the open profile."""

    topics: AppliedTopics
    indices: dict[str, str]
    rules: tuple[Rule, ...]
    environments: dict[str, Path]


def equip(engines: Engines, *, migrate: bool = False, copies: Copies | None = None) -> Equipped:
    """Apply what is declared to the local engines, as the operator in the secure profile. Raises
    InfraError."""
    secrets = engines.secrets
    access = engine_access() if secrets is None else secrets.access()
    topics = apply_topics(engines.kafka, migrate=migrate, access=access, copies=copies)
    rules: tuple[Rule, ...] = ()
    if secrets is not None:
        apply_accounts(engines.kafka, secrets, access=access)
        rules = apply_acls(engines.kafka, access=access)
    indices = _indices(engines.kafka, engines.elasticsearch, topics, access)
    if secrets is None:
        return Equipped(topics, indices, rules, {})
    return Equipped(topics, indices, rules, _environments(engines, secrets))


def equip_others(
    kafka: str, elasticsearch: str, *, migrate: bool = False, copies: Copies | None = None
) -> Equipped:
    """Apply what is declared to engines that somebody else runs, as who the environment says.
    Accounts and permissions there are theirs to give. Raises InfraError."""
    access = engine_access()
    topics = apply_topics(kafka, migrate=migrate, access=access, copies=copies)
    return Equipped(topics, _indices(kafka, elasticsearch, topics, access), (), {})


def _indices(
    kafka: str, elasticsearch: str, topics: AppliedTopics, access: EngineAccess
) -> dict[str, str]:
    begun = opportunities_begun(kafka, access)
    with Elasticsearch(**access.elasticsearch(elasticsearch)) as client:
        indices = prepare_indices(client, topics.ids[OPPORTUNITIES], begun=begun)
        copy_indices(client)
        release(client)  # a rebuild that was killed in its swap holds them still
    return indices


def _environments(engines: Engines, secrets: Secrets) -> dict[str, Path]:
    files = {}
    for account in ACCOUNTS:
        variables = {
            "TRAVERSE_KAFKA": engines.kafka,
            "TRAVERSE_ELASTICSEARCH": engines.elasticsearch,
            **secrets.environment(account),
        }
        file = files[account] = secrets.folder / f"{account}.env"
        lines = [f"{name}={shlex.quote(value)}\n" for name, value in variables.items()]
        write_private(file, "".join(lines).encode())
    return files
