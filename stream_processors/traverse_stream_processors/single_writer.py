"""Single writer: all partitions to one process of a group, the others stand by (decision 6).

This only chooses who works. Who was chosen before and does not know yet that it is no more is kept
from writing by a fence (`log.LogWriter`), since no choice can reach a process that is frozen.
"""

from typing import Any

from faust.assignor.client_assignment import ClientAssignment
from faust.assignor.partition_assignor import PartitionAssignor


class SingleWriterAssignor(PartitionAssignor):
    """Gives everything to the member that has it already, else to the least member id."""

    def _perform_assignment(self, cluster: Any, member_metadata: Any) -> Any:
        clients = {
            member: self._get_client_metadata(metadata)
            for member, metadata in member_metadata.items()
        }
        self._update_member_urls(clients)
        topics = sorted(
            {topic for metadata in member_metadata.values() for topic in metadata.subscription}
        )
        assignments = {member: ClientAssignment(actives={}, standbys={}) for member in clients}
        writer = chosen({member: bool(one.assignment.actives) for member, one in clients.items()})
        assignments[writer] = ClientAssignment(
            actives={topic: sorted(cluster.partitions_for_topic(topic) or ()) for topic in topics},
            standbys={},
        )
        return self._protocol_assignments(
            assignments,
            self._get_changelog_distribution(assignments),
            self._get_external_topic_distribution(assignments),
            dict.fromkeys(topics, 0),
        )


def chosen(members: dict[str, bool]) -> str:
    """Of members (by id, with whether each was at work) the one that works from now on."""
    return min(members, key=lambda member: (not members[member], member))
