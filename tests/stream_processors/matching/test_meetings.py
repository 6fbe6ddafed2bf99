"""Who meets whom: a matter of who stands there, whoever came and went before."""

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traverse_stream_processors.matching import apart as module
from traverse_stream_processors.matching.meetings import Meetings, Stand

CROWDED = 2
PLACES, TOPICS = ("dep:13", "dep:83"), ("voirie", "eau")


class Steps(NamedTuple):
    below: tuple[tuple[str, "Steps"], ...]
    elsewhere: tuple[tuple[str, "Steps"], ...] | None = None

    @property
    def looks(self) -> tuple[tuple[str, "Steps"], ...]:
        return self.below if self.elsewhere is None else self.elsewhere


class Here(NamedTuple):
    stands: tuple[Stand, ...]
    finer: Steps
    rank: str
    audience: str = "public"


There = dict[str, Here]

LAST = Steps(())
TOLD_APART = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.lists(st.sampled_from("cd"), min_size=1, max_size=2, unique=True).map(
            lambda steps: Steps(tuple((step, LAST) for step in steps))
        ),
    ),
    min_size=1,
    max_size=2,
    unique_by=lambda step: step[0],
).map(lambda steps: Steps(tuple(steps)))
SOMEWHERE = st.tuples(
    st.lists(st.sampled_from(PLACES), min_size=1, max_size=2, unique=True),
    st.lists(st.sampled_from(TOPICS), min_size=1, max_size=2, unique=True),
)
STANDS = st.builds(
    lambda asks, found: tuple(
        Stand(where[0], where[1], asks=side)
        for side, where in ((True, asks), (False, found))
        if where
    ),
    SOMEWHERE | st.none(),
    SOMEWHERE | st.none(),
)
AUDIENCES = st.sampled_from(("public", "public", "public", "restricted"))
# Mostly of one thing in one place: that is where it gets crowded.
THE_SAME = st.builds(
    lambda asks, rank, audience: Here(
        (Stand(PLACES[:1], TOPICS[:1], asks=asks),),
        Steps((("a", Steps((("c", LAST),))),)),
        rank,
        audience,
    ),
    st.booleans(),
    st.sampled_from("123"),
    AUDIENCES,
)
LOOKING = st.builds(
    lambda stands, looks: Steps(stands.below, looks and looks.below),
    TOLD_APART,
    TOLD_APART | st.none(),
)
HERE = st.builds(Here, STANDS, LOOKING, st.sampled_from("123"), AUDIENCES)
CHANGES = st.lists(st.tuples(st.sampled_from("123456789"), HERE | THE_SAME), max_size=40)


def meetings_of(there: There, *, mutual: bool) -> Meetings:
    def finer(one: str, _: str) -> Steps:
        return there[one].finer

    def rank(one: str) -> str:
        return there[one].rank

    def audience(one: str) -> str:
        return there[one].audience

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_ASKING", 2)  # so that few suffice
        return Meetings(audience, finer, rank, CROWDED, mutual=mutual)


def standing(there: There, *, mutual: bool) -> Meetings:
    meetings = meetings_of(there, mutual=mutual)
    for one, here in there.items():
        meetings.add(one, here.stands)
    return meetings


def met(meetings: Meetings, there: There) -> dict[str, set[str]]:
    """Whom each meets."""
    return {one: meetings.met(one, here.stands) for one, here in there.items()}


@settings(max_examples=120, deadline=None)
@given(CHANGES, st.booleans())
def test_only_who_stands_there_counts_and_whoever_meets_others_is_told(
    changes: list[tuple[str, Here]], mutual: bool
) -> None:
    """Of each pair that meets or does not any more, beyond the one that came or went, one that
    asks is given; two meet whoever of them looks; and who comes lets no others meet."""
    there = There()
    meetings = meetings_of(there, mutual=mutual)
    for one, here in changes:
        for coming in (False, True):
            before = met(meetings, there)
            if coming:
                there[one] = here
                disturbed = meetings.add(one, here.stands)
            elif one in there:
                disturbed = meetings.remove(one, there[one].stands)
                del there[one]
            else:
                continue
            after = met(meetings, there)
            assert after == met(standing(dict(sorted(there.items())), mutual=mutual), there)
            assert all(each in after[other] for each, those in after.items() for other in those)
            for each in before.keys() & after.keys() - {one}:
                more, less = after[each] - before[each], before[each] - after[each]
                assert not (more if coming else less) - {one, each}
                for other in (more | less) - {one, each}:
                    assert not disturbed.isdisjoint(asking(there, each, other))


@settings(max_examples=120, deadline=None)
@given(CHANGES, st.booleans())
def test_what_few_may_read_hides_nothing_that_others_see(
    changes: list[tuple[str, Here]], mutual: bool
) -> None:
    there = dict(changes)
    public = {one: here for one, here in there.items() if here.audience == "public"}
    seen = met(standing(there, mutual=mutual), there)
    alone = met(standing(public, mutual=mutual), public)
    assert {one: seen[one] & public.keys() for one in public} == alone


@settings(max_examples=60, deadline=None)
@given(CHANGES, st.booleans(), st.sets(st.sampled_from("123456789")))
def test_of_some_alone_the_same_is_known_as_of_all(
    changes: list[tuple[str, Here]], mutual: bool, some: set[str]
) -> None:
    there = dict(changes)
    meetings = standing(there, mutual=mutual)
    for one, here in there.items():
        whole = meetings.met(one, here.stands)
        assert meetings.met(one, here.stands, some.intersection) == whole & some


def asking(there: There, *ids: str) -> set[str]:
    return {one for one in ids if any(stand.asks for stand in there[one].stands)}


def crowd(asking: int, found: int) -> There:
    """So many of one thing in one place; the first by rank are the first by name."""
    one_thing = Steps((("a", LAST),))
    return {
        f"{name}{number:03}": Here((Stand(("dep:13",), ("voirie",), asks=asks),), one_thing, "")
        for name, asks, many in (("A", True, asking), ("F", False, found))
        for number in range(many)
    }


def test_of_what_nothing_tells_apart_the_last_meet_all_that_ask() -> None:
    there = crowd(asking=50, found=5)
    meetings = standing(there, mutual=False)
    assert meetings.met("A000", there["A000"].stands) == {"F003", "F004"}
    assert meetings.met("F000", there["F000"].stands) == set()
    assert len(meetings.met("F004", there["F004"].stands)) == 50


def test_of_what_nothing_tells_apart_the_last_meet_one_another() -> None:
    there = crowd(asking=5, found=5)
    meetings = standing(there, mutual=True)
    assert meetings.met("A004", there["A004"].stands) == {"A003", "A004", "F003", "F004"}
    assert meetings.met("A000", there["A000"].stands) == set()


def test_one_that_is_several_things_meets_each_and_is_there_once_where_it_is_not_crowded() -> None:
    both, second = Steps((("a", LAST), ("b", LAST))), Steps((("b", LAST),))
    there = {
        **crowd(asking=1, found=5),
        "B": Here((Stand(("dep:13",), ("voirie",), asks=True),), second, ""),
        "C": Here((Stand(("dep:13",), ("voirie",), asks=False),), both, "9"),
    }
    meetings = standing(there, mutual=False)
    assert "C" in meetings.met("A000", there["A000"].stands)
    assert meetings.met("B", there["B"].stands) == {"C"}
    for one in ("F000", "F001", "F002", "F003"):
        meetings.remove(one, there[one].stands)
    assert meetings.met("B", there["B"].stands) == {"C", "F004"}


def test_what_tells_one_apart_is_worked_out_once_a_topic() -> None:
    """However many places are crowded where it comes and looks."""
    there = {
        name: Here((Stand(PLACES, here.stands[0].topics, here.stands[0].asks),), here.finer, "")
        for name, here in crowd(asking=5, found=5).items()
    }
    asked: list[tuple[str, str]] = []

    def finer(one: str, topic: str) -> Steps:
        asked.append((one, topic))
        return there[one].finer

    meetings = Meetings(lambda _: "public", finer, lambda _: "", CROWDED, mutual=True)
    *others, (last, here) = there.items()
    for one, stood in others:
        meetings.add(one, stood.stands)
    asked.clear()
    meetings.add(last, here.stands)
    assert asked == [(last, "voirie")]
    asked.clear()
    for one in (last, "A000"):
        assert meetings.met(one, here.stands, lambda seen: ()) == set()
    assert asked == [("A000", "voirie")]  # what comes has looked around already


def test_who_has_nothing_to_do_with_what_is_crowded_out_is_not_told() -> None:
    there = crowd(asking=3, found=5)
    tied = {"F003": {"A001"}}
    meetings = Meetings(
        lambda _: "public",
        lambda one, _: there[one].finer,
        lambda _: "",
        CROWDED,
        lambda one: tied.get(one, set()),
    )
    for one in sorted(there):
        disturbed = meetings.add(one, there[one].stands)
        assert disturbed == set()
    there["F009"] = there["F004"]
    assert meetings.add("F009", there["F009"].stands) == {"A001"}
