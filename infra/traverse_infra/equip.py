"""Equips running engines: topics, permissions and indices as declared, and a file for each account.

Doing it again changes nothing.
"""

import os
import shlex
from pathlib import Path
from typing import NamedTuple

from elasticsearch import Elasticsearch

from traverse_infra.access_rules import ACCOUNTS, Rule
from traverse_infra.acls import apply_accounts, apply_acls
from traverse_infra.engines.runner import Engines
from traverse_infra.engines.secure import Secrets
from traverse_infra.indices import prepare_indices
from traverse_infra.reindex.rebuild import release
from traverse_infra.topics import AppliedTopics, apply_topics, opportunities_begun
from traverse_schemas.engine_access import engine_access
from traverse_schemas.topics import OPPORTUNITIES


class Equipped(NamedTuple):
    """What was done. `environments`: for each account, the file of variables that make a program
    that account; empty in the open profile."""

    topics: AppliedTopics
    rules: tuple[Rule, ...]
    environments: dict[str, Path]


def equip(engines: Engines, *, migrate: bool = False) -> Equipped:
    """Apply what is declared, as the operator in the secure profile. Raises InfraError."""
    secrets = engines.secrets
    access = engine_access() if secrets is None else secrets.access()
    topics = apply_topics(engines.kafka, migrate=migrate, access=access)
    rules: tuple[Rule, ...] = ()
    if secrets is not None:
        apply_accounts(engines.kafka, secrets, access=access)
        rules = apply_acls(engines.kafka, access=access)
    begun = opportunities_begun(engines.kafka, access)
    with Elasticsearch(**access.elasticsearch(engines.elasticsearch)) as client:
        prepare_indices(client, topics.ids[OPPORTUNITIES], begun=begun)
        release(client)  # a rebuild that was killed in its swap holds them still
    if secrets is None:
        return Equipped(topics, rules, {})
    return Equipped(topics, rules, _environments(engines, secrets))


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
        with os.fdopen(os.open(file, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w") as out:
            out.writelines(lines)
    return files
