"""Who meets whom: a matter of who stands there, whoever came and went before."""

from hypothesis import given, settings
from hypothesis import strategies as st

from traverse_stream_processors.matching.meetings import Meetings, Stand

CROWDED = 2
PLACES, TOPICS = ("dep:13", "dep:83"), ("voirie", "eau")
STANDS = st.builds(
    lambda places, topics, refinements, asks: (Stand(places, topics, refinements), asks),
    st.lists(st.sampled_from(PLACES), min_size=1, max_size=2, unique=True),
    st.lists(st.sampled_from(TOPICS), min_size=1, max_size=2, unique=True),
    st.lists(st.sampled_from("ab"), max_size=3).map(tuple),
    st.booleans(),
)
CHANGES = st.lists(st.tuples(st.sampled_from("123456789"), STANDS | st.none()), max_size=40)

There = dict[str, tuple[Stand, bool]]


def standing(there: There) -> Meetings:
    meetings = Meetings(CROWDED)
    for one, (stand, asks) in there.items():
        meetings.add(one, stand, asks=asks)
    return meetings


def met(meetings: Meetings, there: There) -> dict[str, tuple[set[str], set[str]]]:
    """Whom each meets of those who ask, and of those who are found."""
    return {
        one: (
            meetings.met(stand, asking=True, found=False),
            meetings.met(stand, asking=False, found=True),
        )
        for one, (stand, _) in there.items()
    }


@settings(max_examples=150, deadline=None)
@given(CHANGES)
def test_only_who_stands_there_counts_and_whoever_meets_others_is_told(
    changes: list[tuple[str, tuple[Stand, bool] | None]],
) -> None:
    """Those who ask and meet others than before, beyond the one that came or went, are given."""
    meetings, there = Meetings(CROWDED), dict[str, tuple[Stand, bool]]()
    for one, stand in changes:
        for new in (None, stand):
            before = met(meetings, there)
            if new is None and one in there:
                disturbed = meetings.remove(one, there.pop(one)[0])
            elif new is not None:
                disturbed = meetings.add(one, new[0], asks=new[1])
                there[one] = new
            else:
                continue
            after = met(meetings, there)
            assert after == met(standing(dict(sorted(there.items()))), there)
            changed = {
                each
                for each in before.keys() & after.keys() - {one}
                if there[each][1] and before[each][1] - {one} != after[each][1] - {one}
            }
            assert changed <= disturbed
