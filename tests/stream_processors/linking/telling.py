"""A linker that was told of some records, and the records that its tests begin with."""

from typing import Any

from tests.stream_processors.linking.records import features
from traverse_schemas.decisions import Decision
from traverse_stream_processors.linking.features import Features
from traverse_stream_processors.linking.linker import Group, Linker

MARSEILLE, CCI, OTHER = "urn:siren:211300553", "urn:siren:181300013", "urn:siren:200054807"
OWNER = "211300405"
"""The owner of the calls of the factory."""


def decision(word: str, one: str, other: str, source: str, **changes: Any) -> Decision:
    """A word of one source on two records, by their ids."""
    return Decision(
        source=source,
        subject=changes.get("subject", f"{word} {one} {other}"),
        version=[0, changes.get("time", "2026-11-21T10:00:00.000000Z"), "d-1"],
        word=word,
        records=[one, other],
    )


def told(*records: Features, decisions: tuple[Decision, ...] = ()) -> Linker:
    """One that knows these records, and what was said of them."""
    linker = Linker()
    for one in records:
        linker.put(one.id, one)
    for word in decisions:
        linker.decide(word)
    return linker


def groups_of(linker: Linker) -> set[Group]:
    """The groups of all its records."""
    return set(linker.groups([one.id for one in linker.book]))


def together(linker: Linker) -> set[frozenset[str]]:
    """The ids that are in one group, for each group."""
    return {frozenset(group.members) for group in groups_of(linker)}


OWN = features("VOI-2026-014", f"urn:siren:{OWNER}", time="2026-11-20T10:00:00+01:00")
RELAYED = features(
    "26-112233",
    f"{CCI}:boamp",
    title="Réfection voirie communale",
    time="2026-11-19T10:00:00+01:00",
    url="https://exemple.fr/boamp/26-112233",
)
OTHER_YEAR = features(
    "VOI-2027-009",
    f"urn:siren:{OWNER}",
    title="Réfection de la voirie 2027",
    deadlines=[{"at": "2027-11-18T12:00"}],
    time="2026-11-18T10:00:00+01:00",
    url="https://exemple.fr/appels/voirie-2027",
)
