"""How much two records are alike: what is told early is what would have been told in the end."""

from tests.stream_processors.matching.test_matcher import world
from traverse_stream_processors.matching.subject import alike, alike_from, common_depth


def test_who_asks_from_a_score_on_is_told_the_same_or_nothing() -> None:
    told = 0
    for left in world():
        for right in world():
            whole = alike(left, right)
            assert alike_from(right, left, 0.0) == whole
            for least in (0.3, 0.6, 0.7, 0.9, whole.score):
                found = alike_from(left, right, least)
                if whole.score >= least:
                    assert found == whole
                    told += 1
                else:
                    assert found is None or found == whole
    assert told > 100


def test_codes_are_as_near_as_the_nearest_two() -> None:
    assert common_depth(("4523314", "15"), ("4523",)) == 4
    assert common_depth(("45",), ("45",)) == 3
    assert common_depth(("45233",), ("45233",)) == 6
    assert common_depth(("33",), ("45", "90")) == 0
    assert common_depth((), ("45",)) == 0
