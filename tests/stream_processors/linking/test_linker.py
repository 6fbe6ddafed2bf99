"""The groups that records and people's words come to: the same whatever came first."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stream_processors.factory import event
from tests.stream_processors.linking.records import call, features, state_of
from tests.stream_processors.linking.telling import (
    CCI,
    MARSEILLE,
    OTHER,
    OTHER_YEAR,
    OWN,
    OWNER,
    RELAYED,
    decision,
    groups_of,
    together,
    told,
)
from traverse_schemas.decisions import Decision
from traverse_schemas.log.identity import opportunity_id
from traverse_stream_processors.linking.features import Features, features_of
from traverse_stream_processors.linking.judge import LinkType, judge
from traverse_stream_processors.linking.linker import Group, Linker


def test_one_call_told_by_two_institutions_is_one_group_with_the_earliest_id() -> None:
    (group,) = groups_of(told(OWN, RELAYED))
    assert group.head == RELAYED.id
    assert set(group.members) == {OWN.id, RELAYED.id}
    assert group.things == (tuple(sorted((OWN.id, RELAYED.id))),)


def project(subject: str, source: str, **changes: Any) -> Features:
    """A project of the town of OWNER, which its EPCI may tell of in other words."""
    data = {
        "title": "Rénovation énergétique de l'école Jules-Ferry",
        "subtype": "project",
        "place": ["com:13040"],
        "owner": {"id": OWNER},
        **changes,
    }
    found = features_of(state_of(event(kind="project", source=source, subject=subject, data=data)))
    assert found is not None
    return found


COST = {"amounts": [{"value": 850_000, "kind": "cost"}]}


def test_a_project_that_a_commune_and_its_epci_announce_is_one() -> None:
    """Neither knows the other's number: by the words of the title, or by most of them and the
    sum."""
    own = project("PRJ-1", f"urn:siren:{OWNER}", **COST)
    for told_by_epci in (
        project("METRO-88", OTHER, title="ÉCOLE JULES FERRY : RÉNOVATION ÉNERGÉTIQUE"),
        project("METRO-88", OTHER, title="Travaux énergétiques, école Jules Ferry", **COST),
    ):
        assert together(told(own, told_by_epci)) == {frozenset((own.id, told_by_epci.id))}


@pytest.mark.parametrize(
    ("title", "other"),
    [
        ("Rénovation énergétique de l'école Ferry", "Rénovation énergétique de l'école Moulin"),
        ("Rénovation du gymnase - tranche 1", "Rénovation du gymnase - tranche 2"),
        ("Plan de plantation 2026", "Plan de plantation 2027"),
    ],
)
def test_two_projects_of_one_town_are_two(title: str, other: str) -> None:
    own = project("PRJ-1", f"urn:siren:{OWNER}", title=title)
    assert len(together(told(own, project("METRO-88", OTHER, title=other)))) == 2


def test_the_call_of_another_year_is_another_thing() -> None:
    assert together(told(OWN, OTHER_YEAR)) == {frozenset((OWN.id,)), frozenset((OTHER_YEAR.id,))}


def test_records_of_other_audiences_never_merge() -> None:
    private = features("26-112233", f"{CCI}:boamp", visibility="buyers")
    both = (
        decision("same_as", OWN.id, private.id, f"urn:siren:{OWNER}"),
        decision("same_as", OWN.id, private.id, CCI),
    )
    assert len(together(told(OWN, private, decisions=both))) == 2


def test_numbered_lots_are_one_group_of_several_things() -> None:
    lots = [
        features(
            f"2026-GYM-0{number}",
            f"urn:siren:{OWNER}",
            url=f"https://exemple.fr/{number}",
            title=f"Rénovation du gymnase Tabarly - lot {number} {what}",
        )
        for number, what in enumerate(("gros œuvre", "peinture", "électricité"), start=1)
    ]
    (group,) = groups_of(told(*lots))
    assert len(group.things) == 3


def test_a_split_gives_the_old_ids_back() -> None:
    linker = told(OWN, RELAYED)
    withdrawn = linker.put(RELAYED.id, None)
    assert OWN.id in withdrawn
    assert groups_of(linker) == {Group(OWN.id, ((OWN.id,),))}


def _pool() -> list[Features]:
    found = [OWN, RELAYED, OTHER_YEAR]
    for number in range(9):
        state = call(
            f"P-{number}",
            (MARSEILLE, f"{CCI}:boamp", f"urn:siren:{OWNER}")[number % 3],
            title=(
                "Réfection de la voirie",
                "Réfection voirie communale lot 1",
                "Réfection voirie communale lot 2",
            )[number % 3],
            references=[f"2026-VOI-{number % 4}"],
            time=f"2026-11-{10 + number % 5}T10:00:00Z",
            url=f"https://exemple.fr/{number}",
            deadlines=[{"at": f"2026-12-1{number % 2}T12:00"}],
        )
        one = features_of(state)
        assert one is not None
        found.append(one)
    return found


POOL = _pool()
WORDS = [
    decision(word, one.id, other.id, source, time=time)
    for one, other in ((POOL[0], POOL[1]), (POOL[3], POOL[6]), (POOL[4], POOL[2]))
    for word, source, time in (
        ("not_same", f"urn:siren:{OWNER}", "2026-11-21T10:00:00.000000Z"),
        ("same_as", f"urn:siren:{OWNER}", "2026-11-22T10:00:00.000000Z"),
        ("same_as", CCI, "2026-11-20T10:00:00.000000Z"),
        ("not_same", OTHER, "2026-11-23T10:00:00.000000Z"),
    )
]


@settings(max_examples=25, deadline=None)
@given(
    st.permutations([*POOL, *WORDS]),
    st.sets(st.sampled_from(POOL), max_size=4),
    st.sampled_from((2, 3, 40)),
    st.sampled_from((1, 3, 4, 200)),
)
def test_order_does_not_matter(
    order: list[Features | Decision], passing: set[Features], crowded: int, most: int
) -> None:
    """Records and decisions in any order, some records with another content first, keys crowded or
    not, too many for one opportunity or not: the same groups and links."""
    linker = Linker(crowded, most)
    for one in passing:
        linker.put(one.id, POOL[0]._replace(id=one.id))
    for each in order:
        if isinstance(each, Features):
            linker.put(each.id, each)
        else:
            linker.decide(each)
    calm = Linker(crowded, most)
    for one in POOL:
        calm.put(one.id, one)
    for word in WORDS:
        calm.decide(word)
    assert groups_of(linker) == groups_of(calm)
    assert dict(linker.every_link()) == dict(calm.every_link())


@settings(max_examples=20, deadline=None)
@given(
    st.permutations([*POOL, *WORDS]),
    st.sampled_from((2, 3, 40)),
    st.sampled_from((1, 3, 4, 200)),
    st.sets(st.sampled_from(POOL), max_size=4),
)
def test_whoever_is_concerned_is_told(
    order: list[Features | Decision], crowded: int, most: int, leaving: set[Features]
) -> None:
    """Groups kept by what `put` and `decide` tell are those that are asked afresh; when records
    leave, too."""
    linker = Linker(crowded, most)
    kept: dict[str, Group] = {}
    for one in [*order, *sorted(leaving)]:
        gone = isinstance(one, Features) and one.id in kept
        if isinstance(one, Features):
            touched = linker.put(one.id, None if gone else one)
        else:
            touched = linker.decide(one)
        touched |= {member for each in touched & kept.keys() for member in kept[each].members}
        for group in linker.groups(touched):
            kept.update(dict.fromkeys(group.members, group))
        if gone:
            del kept[one.id]  # type: ignore[union-attr]
    assert set(kept.values()) == groups_of(linker)


def chain(count: int) -> list[Features]:
    """Records of which each shares a reference with the next, and nothing tells them apart."""
    day = "2026-12-18T"
    return [
        OWN._replace(
            id=f"chain{number:012}",
            url="",
            deadline=f"{day}{number // 60 % 24:02}:{number % 60:02}",
            references=(f"2026C{number:07}", f"2026C{number + 1:07}"),
        )
        for number in range(count)
    ]


def test_too_many_that_hang_together_stand_alone_until_they_are_fewer() -> None:
    linker = Linker(most_members=5)
    records = chain(7)
    for one in records[:5]:
        linker.put(one.id, one)
    assert together(linker) == {frozenset(one.id for one in records[:5])}
    told = linker.groups(linker.put(records[5].id, records[5]))
    assert {group.head for group in told} == {one.id for one in records[:6]}
    assert len(together(linker)) == 6
    told = linker.groups(linker.put(records[0].id, None))
    assert [set(group.members) for group in told] == [{one.id for one in records[1:6]}]


def test_a_feed_of_records_that_all_hang_together_costs_each_time_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A long chain, as a hostile feed would publish it: no event looks at more than a bounded
    number of the others, and no more is judged."""
    looked = 0
    joined = Linker._joined

    def counting(linker: Linker, identity: str) -> Iterable[str]:
        nonlocal looked
        looked += 1
        return joined(linker, identity)

    monkeypatch.setattr(Linker, "_joined", counting)
    linker = Linker(most_members=20)
    costs = []
    for one in chain(1200):
        looked = 0
        linker.groups(linker.put(one.id, one))
        costs.append(looked)
    assert len(list(linker.linked())) == 1200
    assert max(costs[1000:]) <= max(costs[200:500])
    assert len(together(linker)) == 1200


def test_ids_are_those_of_the_records() -> None:
    assert OWN.id == opportunity_id(f"urn:siren:{OWNER}", "VOI-2026-014")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Lot A : peinture", "Lot B : plomberie"),
        ("Lot A", "Lot B"),
        ("Lot IX : peinture", "Lot X : plomberie"),
        ("lot 1001", "lot 1002"),
        ("tranche 1", "tranche 2"),
        ("phase II", "phase 3"),
    ],
)
def test_two_parts_of_one_procedure_are_never_one_thing(one: str, other: str) -> None:
    """Not by way of the whole either, which was published too."""
    common = {"references": ["2026-GSJM-17"]}
    source, title = f"urn:siren:{OWNER}:profil", "Réhabilitation du groupe scolaire Jean Moulin"
    parts = [
        features(f"p:{number}", source, title=f"{title} - {part}", url=f"https://exemple.fr/{number}",
                 **common)
        for number, part in enumerate((one, other))
    ]  # fmt: skip
    whole = features("GSJM", f"{CCI}:boamp", title=title, url="https://exemple.fr/w", **common)
    judged = judge(*parts)
    assert judged is None or judged.type is LinkType.LOT
    for records in ((*parts, whole), (whole, *parts[::-1])):
        things = [thing for group in groups_of(told(*records)) for thing in group.things]
        assert not any({part.id for part in parts} <= set(thing) for thing in things)
        if judged is not None:
            assert len(things) == 3


def test_orders_of_one_framework_agreement_are_contracts_of_their_own() -> None:
    """Also where a feed tells its number as any other."""
    title = "Travaux d'entretien des voiries - marché subséquent école"
    for agreement in ("accord-cadre 2024AC12", "2024AC12"):
        orders = [
            features(
                f"d:{number}", f"{CCI}:decp", title=f"{title} {school}", deadlines=[],
                url=f"https://exemple.fr/{number}", references=[number, agreement],
                notified="2026-06-15", duration_months=3,
                holders=[{"id": "35600000000048"}],
                amounts=[{"value": value, "kind": "awarded"}],
            )
            for number, school, value in (
                ("2024MS0001", "Pagnol", 10_000), ("2024MS0007", "Giono", 52_000),
            )
        ]  # fmt: skip
        month_later = orders[1]._replace(notified="2026-07-10", words=orders[0].words)
        assert judge(*orders) is None or judge(*orders).type is not LinkType.SAME  # type: ignore[union-attr]
        assert len(together(told(orders[0], month_later))) == 2
