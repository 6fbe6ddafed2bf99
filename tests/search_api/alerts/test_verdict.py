"""What a change is to who follows."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.documents import document
from traverse_search_api.alerts.subscription import AlertKind
from traverse_search_api.alerts.verdict import known_of, news_of, verdict

ONE, OTHER = document("v-1", "Un"), document("v-2", "Deux")
BOTH = {**ONE, "sources": ONE["sources"] + OTHER["sources"]}


def told(known: dict[str, Any], now: dict[str, Any], *, knows: bool, matched: bool = True) -> Any:
    news = news_of(now, known)
    return verdict(news, news.members if knows else (), matched=matched)


def test_a_merge_and_a_split_are_no_news_to_who_knows_a_record() -> None:
    apart = {**known_of(ONE), **known_of(OTHER)}
    assert told(apart, BOTH, knows=True) is None
    assert told(known_of(BOTH), ONE, knows=True) is None
    # One that comes into what one knows is no news either; to who knew nothing of it, it is.
    assert told(known_of(ONE), BOTH, knows=True) is None
    assert told({}, BOTH, knows=False) is AlertKind.NEW
    assert told({}, ONE, knows=False, matched=False) is None


@given(st.permutations(["title", "amount", "stage"]), st.integers(1, 3))
def test_saying_it_twice_is_saying_it_once(names: list[str], count: int) -> None:
    later = [{**each, "updated_at": "2027"} for each in ONE["sources"]]
    new = {**ONE, "sources": later, **{name: f"other {name}" for name in names[:count]}}
    news = news_of(new, known_of(ONE))
    assert set(news.changed) == set(names[:count])
    assert news_of(new, known_of(new)).changed == ()
    assert told(known_of(new), new, knows=True) is None
