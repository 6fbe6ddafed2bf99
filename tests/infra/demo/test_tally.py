"""The sums of a demonstration add up, and a lost event cannot hide in them."""

from traverse_infra.demo.tally import Fate, Sent, tally

_FATES = {"a": Fate.SEARCHABLE, "b": Fate.RESERVED, "c": Fate.WITHDRAWN}


def sent(source: str, record: str | None, offset: int) -> Sent:
    return Sent(source, record, f"traverse.inbound/0@{offset}")


def test_every_event_is_counted_once_and_every_record_once() -> None:
    events = [
        sent("s1", "a", 0),
        sent("s1", "a", 1),  # an update of the same record
        sent("s1", "b", 2),
        sent("s2", "c", 3),
        sent("s2", None, 4),
    ]
    sums = tally(events, ["traverse.inbound/0@4"], _FATES)
    assert (sums["s1"].events, sums["s1"].taken) == (3, 3)
    assert sums["s1"].count(Fate.SEARCHABLE) == 1
    assert sums["s1"].count(Fate.RESERVED) == 1
    assert (sums["s2"].events, sums["s2"].rejected, sums["s2"].lost) == (2, 1, 0)
    for one in sums.values():
        assert one.events == one.taken + one.rejected + one.lost


def test_what_is_neither_found_nor_refused_is_lost() -> None:
    sums = tally([sent("s1", "unknown", 0), sent("s1", None, 1)], [], _FATES)
    assert sums["s1"].lost == 2


def test_a_refused_event_does_not_make_its_record_lost() -> None:
    sums = tally([sent("s1", "a", 0), sent("s1", "x", 1)], ["traverse.inbound/0@1"], _FATES)
    assert sums["s1"].lost == 0
    assert sums["s1"].rejected == 1
