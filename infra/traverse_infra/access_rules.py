"""Who may do what on the engines, as data: Kafka's ACLs, Elasticsearch's roles (decision 8).

What is not said here is refused. The operator may do everything, and is nobody's service.
"""

from typing import Any, Final, NamedTuple

from traverse_schemas.documents.index_mapping import ALIASES, PUBLIC_ALIAS
from traverse_schemas.log.topics import (
    ACCEPTED,
    AUDIT,
    CHANGES,
    DECISIONS,
    EVENTS,
    GROUPINGS,
    INBOUND,
    INSTITUTIONS,
    OPPORTUNITIES,
    PERMANENCES,
    QUOTAS,
    READERSHIP,
    RECEIPTS,
    RECORDS,
    REJECTED,
    RESET,
    SHOWCASES,
    SUBSCRIPTIONS,
    TOPICS,
)
from traverse_schemas.log.topics import ACCOUNTS as ACCOUNTS_TOPIC

OPERATOR: Final = "operator"
PUBLISHER: Final = "publisher"
SUBSCRIBER: Final = "subscriber"
PROCESSORS: Final = "processors"
GATEWAY: Final = "gateway"
ADMINISTRATION: Final = "administration"
SEARCH: Final = "search"
SEARCH_MEMBERS: Final = "search-members"
NOTIFIER: Final = "notifier"
CHECKER: Final = "checker"

ACCOUNTS: Final = (
    OPERATOR,
    PUBLISHER,
    SUBSCRIBER,
    PROCESSORS,
    GATEWAY,
    ADMINISTRATION,
    SEARCH,
    SEARCH_MEMBERS,
    NOTIFIER,
    CHECKER,
)
"""`administration` is for a gateway through which administrators change the registry, one that the
internet does not reach. `search` answers anybody; `search-members` is for answers to those who have
said who they are. `notifier` and `checker` are for what `traverse work` runs beside the steps: both
read every index, and write none."""


_STAFF: Final = (ACCOUNTS_TOPIC, AUDIT, SUBSCRIPTIONS, READERSHIP, SHOWCASES, PERMANENCES)
"""Topics of the people who use the pages: the processors have no business there."""


class Rule(NamedTuple):
    """An account may do an operation on a topic, a group or a
    transactional id of Kafka; READ and WRITE include
    DESCRIBE. `prefix`: on all whose name begins so."""

    account: str
    operation: str
    kind: str
    name: str
    prefix: bool = False


def kafka_rules() -> tuple[Rule, ...]:
    """Every permission on Kafka."""
    names = [topic.name for topic in TOPICS]
    public = next(iter(EVENTS.values())).rpartition(".")[0] + "."
    return (
        Rule(PUBLISHER, "WRITE", "TOPIC", INBOUND),
        Rule(SUBSCRIBER, "READ", "TOPIC", public, prefix=True),
        Rule(SUBSCRIBER, "READ", "GROUP", SUBSCRIBER, prefix=True),
        *(
            Rule(PROCESSORS, "READ", "TOPIC", name)
            for name in names
            if name not in (QUOTAS, *_STAFF)
        ),
        Rule(PROCESSORS, "DESCRIBE", "TOPIC", RESET),
        # The registry is changed by people, never by what reads events; nor are their accounts.
        *(
            Rule(PROCESSORS, "WRITE", "TOPIC", name)
            for name in names
            if name not in (INSTITUTIONS, QUOTAS, *_STAFF)
        ),
        *(Rule(PROCESSORS, "DESCRIBE_CONFIGS", "TOPIC", name) for name in names),
        Rule(PROCESSORS, "READ", "GROUP", "traverse-", prefix=True),
        # The one writer of links is fenced by a transactional id (decision 6).
        Rule(PROCESSORS, "WRITE", "TRANSACTIONAL_ID", "traverse-", prefix=True),
        *(
            Rule(account, "WRITE", "TOPIC", name)
            for account in (GATEWAY, ADMINISTRATION)
            for name in (INBOUND, QUOTAS)
        ),
        Rule(ADMINISTRATION, "WRITE", "TOPIC", INSTITUTIONS),
        *(
            Rule(account, "READ", "TOPIC", name)
            for account in (GATEWAY, ADMINISTRATION)
            for name in (INSTITUTIONS, QUOTAS, RECEIPTS, REJECTED)
        ),
        *(
            Rule(account, "READ", "TOPIC", name)
            for account in (SEARCH, SEARCH_MEMBERS)
            for name in (
                ACCEPTED,
                CHANGES,
                INSTITUTIONS,
                RECEIPTS,
                REJECTED,
                ACCOUNTS_TOPIC,
                GROUPINGS,
                SUBSCRIPTIONS,
                READERSHIP,
                SHOWCASES,
                PERMANENCES,
            )
        ),
        # Who signs out closes a session; what people do is written down.
        *(
            Rule(account, "WRITE", "TOPIC", name)
            for account in (SEARCH, SEARCH_MEMBERS)
            for name in _STAFF
        ),
        # Who follows what, and may read it; what the committee's note tells; that a delivery was
        # given up, and how many follow.
        *(
            Rule(NOTIFIER, "READ", "TOPIC", name)
            for name in (
                CHANGES,
                INSTITUTIONS,
                ACCOUNTS_TOPIC,
                SUBSCRIPTIONS,
                READERSHIP,
                GROUPINGS,
            )
        ),
        *(Rule(NOTIFIER, "WRITE", "TOPIC", name) for name in (SUBSCRIPTIONS, READERSHIP)),
        # What it compares the indices with; and how far the steps have come, not what they read.
        Rule(CHECKER, "READ", "TOPIC", OPPORTUNITIES),
        *(Rule(CHECKER, "DESCRIBE", "TOPIC", name) for name in (INBOUND, RECORDS, DECISIONS)),
        Rule(CHECKER, "DESCRIBE", "GROUP", "traverse-", prefix=True),
    )


_PUBLIC: Final = [PUBLIC_ALIAS, f"{PUBLIC_ALIAS}-*"]
_ALL: Final = [name for alias in ALIASES.values() for name in (alias, f"{alias}-*")]


def elasticsearch_roles() -> dict[str, dict[str, Any]]:
    """The roles, as Elasticsearch's roles.yml has them."""
    return {
        "traverse_indexer": {
            "cluster": ["monitor"],
            # Writes documents, and reads which index an alias points at; no document.
            "indices": [{"names": _ALL, "privileges": ["index", "view_index_metadata"]}],
        },
        "traverse_search_public": {
            "cluster": ["monitor"],
            "indices": [{"names": _PUBLIC, "privileges": ["read", "view_index_metadata"]}],
        },
        "traverse_search_members": {
            "cluster": ["monitor"],
            "indices": [{"names": _ALL, "privileges": ["read", "view_index_metadata"]}],
        },
        "traverse_checker": {
            "cluster": ["monitor"],
            # What was just written must be there to compare.
            "indices": [
                {
                    "names": _ALL,
                    "privileges": ["read", "view_index_metadata", "indices:admin/refresh*"],
                }
            ],
        },
    }


def elasticsearch_users() -> dict[str, str]:
    """The role of each account that Elasticsearch knows."""
    return {
        OPERATOR: "superuser",
        PROCESSORS: "traverse_indexer",
        SEARCH: "traverse_search_public",
        SEARCH_MEMBERS: "traverse_search_members",
        NOTIFIER: "traverse_search_members",
        CHECKER: "traverse_checker",
    }
