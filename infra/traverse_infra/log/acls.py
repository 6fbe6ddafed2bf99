"""Applies the declared permissions to a Kafka that asks who its clients are."""

from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from traverse_infra.access_rules import ACCOUNTS, Rule, kafka_rules
from traverse_infra.engines.secure import SCRAM_ITERATIONS, Secrets
from traverse_infra.errors import TopicError
from traverse_infra.log.topics import kafka_admin
from traverse_schemas.log.engine_access import EngineAccess


def apply_acls(bootstrap: str, *, access: EngineAccess | None = None) -> tuple[Rule, ...]:
    """Make the permissions of our accounts those that are declared; others' are left alone.

    What an account has and should not have is taken away. Gives the rules that were added;
    applying twice changes nothing. Raises EngineAwayError, TopicError when Kafka refuses.
    """
    wanted = {_acl(rule): rule for rule in kafka_rules()}
    with kafka_admin(bootstrap, access) as admin:
        found, _ = admin.describe_acls(_everything())
        ours = {_principal(account) for account in ACCOUNTS}
        have = {each for each in found if each.principal in ours}
        missing = [acl for acl in wanted if acl not in have]
        if missing:
            refused = admin.create_acls(missing)["failed"]
            if refused:
                raise TopicError(f"Kafka ({bootstrap}) refuse les droits : {refused[0]}")
        too_many = [_filter(acl) for acl in have if acl not in wanted]
        if too_many:
            admin.delete_acls(too_many)
    return tuple(wanted[acl] for acl in missing)


def apply_accounts(bootstrap: str, secrets: Secrets, *, access: EngineAccess | None = None) -> None:
    """Give Kafka the accounts that it has not: those that came after its storage was made. Raises
    EngineAwayError, TopicError when Kafka refuses."""
    with kafka_admin(bootstrap, access) as admin:
        known = admin.describe_user_scram_credentials()
        missing = [account for account in ACCOUNTS if account not in known]
        if not missing:
            return
        answers = admin.alter_user_scram_credentials(
            [
                UserScramCredentialUpsertion(
                    account,
                    ScramMechanism.SCRAM_SHA_512,
                    secrets.password(account),
                    iterations=SCRAM_ITERATIONS,
                )
                for account in missing
            ]
        )
        refused = [why for why in answers.values() if why]
        if refused:
            raise TopicError(f"Kafka ({bootstrap}) refuse les comptes : {refused[0]}")


def _principal(account: str) -> str:
    return f"User:{account}"


def _acl(rule: Rule) -> ACL:
    pattern = ACLResourcePatternType.PREFIXED if rule.prefix else ACLResourcePatternType.LITERAL
    return ACL(
        principal=_principal(rule.account),
        host="*",
        operation=ACLOperation[rule.operation],
        permission_type=ACLPermissionType.ALLOW,
        resource_pattern=ResourcePattern(ResourceType[rule.kind], rule.name, pattern),
    )


def _filter(acl: ACL) -> ACLFilter:
    pattern = acl.resource_pattern
    return ACLFilter(
        principal=acl.principal,
        host=acl.host,
        operation=acl.operation,
        permission_type=acl.permission_type,
        resource_pattern=ResourcePatternFilter(
            pattern.resource_type, pattern.resource_name, pattern.pattern_type
        ),
    )


def _everything() -> ACLFilter:
    return ACLFilter(
        principal=None,
        host=None,
        operation=ACLOperation.ANY,
        permission_type=ACLPermissionType.ANY,
        resource_pattern=ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY),
    )
