"""Who meets whom: a matter of who stands there, whoever came and went before."""

from hypothesis import given, settings
from hypothesis import strategies as st

from traverse_stream_processors.matching.meetings import Meetings, Stand

CROWDED = 2
PLACES, TOPICS = ("dep:13", "dep:83"), ("voirie", "eau")
TOLD_APART = st.lists(st.sampled_from("ab"), max_size=3).map(tuple)
SOMEWHERE = st.tuples(
    st.lists(st.sampled_from(PLACES), min_size=1, max_size=2, unique=True),
    st.lists(st.sampled_from(TOPICS), min_size=1, max_size=2, unique=True),
)
STANDS = st.builds(
    lambda asks, found, refinements: tuple(
        Stand(where[0], where[1], refinements, asks=side)
        for side, where in ((True, asks), (False, found))
        if where
    ),
    SOMEWHERE | st.none(),
    SOMEWHERE | st.none(),
    TOLD_APART,
)
CHANGES = st.lists(st.tuples(st.sampled_from("123456789"), STANDS), max_size=40)

There = dict[str, tuple[Stand, ...]]


def standing(there: There, *, mutual: bool) -> Meetings:
    meetings = Meetings(CROWDED, mutual=mutual)
    for one, stands in there.items():
        meetings.add(one, stands)
    return meetings


def met(meetings: Meetings, there: There) -> dict[str, set[str]]:
    """Whom each meets."""
    return {one: meetings.met(stands) for one, stands in there.items()}


@settings(max_examples=200, deadline=None)
@given(CHANGES, st.booleans())
def test_only_who_stands_there_counts_and_whoever_meets_others_is_told(
    changes: list[tuple[str, tuple[Stand, ...]]], mutual: bool
) -> None:
    """Of each pair that meets or does not any more, beyond the one that came or went, one that
    asks is given; and two meet whoever of them looks."""
    meetings, there = Meetings(CROWDED, mutual=mutual), There()
    for one, stands in changes:
        for new in ((), stands):
            before = met(meetings, there)
            if new:
                there[one] = new
                disturbed = meetings.add(one, new)
            elif one in there:
                disturbed = meetings.remove(one, there.pop(one))
            else:
                continue
            after = met(meetings, there)
            assert after == met(standing(dict(sorted(there.items())), mutual=mutual), there)
            assert all(each in after[other] for each, those in after.items() for other in those)
            for each in before.keys() & after.keys() - {one}:
                for other in (before[each] ^ after[each]) - {one, each}:
                    assert not disturbed.isdisjoint(asking(there, each, other))


def asking(there: There, *ids: str) -> set[str]:
    return {one for one in ids if any(stand.asks for stand in there[one])}
