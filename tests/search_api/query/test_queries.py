"""Searches are plain dicts: what is asked of Elasticsearch, and why."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traverse_schemas.documents.index_mapping import WORDS, index_body
from traverse_schemas.french.synonyms import product_entries
from traverse_schemas.reference.territories import Territories
from traverse_search_api.access.reader import ANYBODY, Reader
from traverse_search_api.errors import AmbiguousPlaceError, InvalidParameterError
from traverse_search_api.filters.status_query import index_text, whole_millisecond
from traverse_search_api.filters.territory_query import resolve_place
from traverse_search_api.parameters import MOST_WORDS, SearchParameters, Sort
from traverse_search_api.query.breadth import BROAD, count_body, in_two, joined, may_be_broad
from traverse_search_api.query.queries import search_body, unnamed, unscored
from traverse_search_api.text.fields import SEARCHED
from traverse_search_api.text.plan import TextPlan, plan_of
from traverse_search_api.text.query import text_query
from traverse_search_api.words.synonym_book import meanings_of

NOW = whole_millisecond(datetime(2026, 3, 12, 10, tzinfo=UTC))
TABLES = Territories.load()
MEMBER = Reader("211300553", buyer=True)


def body(**given: Any) -> dict[str, Any]:
    parameters = SearchParameters.model_validate(given)
    return search_body(parameters, NOW, TABLES, plan(parameters), ANYBODY)


def plan(parameters: SearchParameters) -> TextPlan:
    return plan_of(parameters.q, TABLES, meanings_of(product_entries()), NOW, parameters.literal)


def found_in(value: Any, wanted: Any) -> bool:
    """Whether `wanted` stands somewhere in the dict."""
    if value == wanted:
        return True
    if isinstance(value, dict):
        return any(found_in(part, wanted) for part in value.values())
    return isinstance(value, list) and any(found_in(part, wanted) for part in value)


def test_a_stub_or_expired_or_private_document_never_shows() -> None:
    """Whatever is asked, these exclusions stand in the query itself."""
    for given_ in ({}, {"q": "école"}, {"sort": "deadline"}, {"sort": "amount", "kind": ["call"]}):
        query = body(**given_)["query"]
        assert found_in(query, {"term": {"stub": True}})
        assert found_in(query, {"terms": {"visibility": ["public"]}})
        assert found_in(query, {"range": {"expires": {"lt": "2026-03-12"}}})


@pytest.mark.parametrize("sort", ["relevance", "published", "deadline", "amount", "distance"])
def test_every_order_ends_with_the_id(sort: str) -> None:
    """Without a total order, pages would repeat or miss documents of equal rank."""
    assert body(sort=sort, near="43.3,5.4")["sort"][-1] == {"id": {"order": "asc"}}


@pytest.mark.parametrize("sort", ["published", "deadline", "amount"])
def test_what_has_no_date_or_amount_comes_last(sort: str) -> None:
    """An unknown date is not the earliest one."""
    assert '"missing":"_last"' in orjson.dumps(body(sort=sort)["sort"]).decode()


def test_sorting_by_distance_needs_a_point() -> None:
    """The sentence names the missing parameter."""
    with pytest.raises(InvalidParameterError) as refused:
        body(sort="distance")
    assert refused.value.parameter == "near"


def test_a_choice_stays_out_of_its_own_facet() -> None:
    """With kind=call, the facet of kinds still counts projects; the others count calls only."""
    chosen = {"terms": {"kind": ["call"]}}
    found = body(kind=["call"])
    assert found["post_filter"] == {"bool": {"filter": [chosen]}}
    assert not found_in(found["query"], chosen)
    assert set(found["aggs"]["kind"]["aggs"]) == {"kind"}
    assert not found_in(found["aggs"]["kind"], chosen)
    assert "theme" in found["aggs"]["all"]["aggs"]
    assert found_in(found["aggs"]["all"]["filter"], chosen)


def test_without_facets_choices_narrow_the_query_itself() -> None:
    """A filter is cheaper than a post filter when nothing has to be counted beside it."""
    found = body(kind=["call"], facets=["none"])
    assert "post_filter" not in found
    assert found_in(found["query"], {"terms": {"kind": ["call"]}})
    assert "aggs" not in found


def test_parts_of_a_score_are_named_only_for_who_asks_why() -> None:
    """Elasticsearch runs each named part once more for each hit: a fifth of a search."""
    named, plain = body(q="voirie", explain=True)["query"], body(q="voirie")["query"]
    assert b'"_name"' in orjson.dumps(named)
    assert b'"_name"' not in orjson.dumps(plain)
    assert unnamed(named) == plain


def test_a_page_asks_for_one_hit_more() -> None:
    """It tells whether there is a next page, without counting."""
    assert body(size="20")["size"] == 21


def test_deadline_days_are_whole_days_in_paris() -> None:
    """A deadline "on 12 March" ends at the next midnight, Paris time, which is still that day's."""
    found = body(deadline_from="2026-03-12", deadline_to="2026-03-12")
    bounds = {"gt": "2026-03-11T23:00:00.000Z", "lte": "2026-03-12T23:00:00.000Z"}
    assert found_in(found["query"], {"range": {"deadline.until": bounds}})


def test_published_days_are_whole_days_and_instants_inclusive() -> None:
    """The day "to" counts until its end; an instant is taken at its word."""
    found = body(published_from="2026-03-12", published_to="2026-03-13T12:00:00Z")
    bounds = {"gte": "2026-03-11T23:00:00.000Z", "lte": "2026-03-13T12:00:00.000Z"}
    assert found_in(found["query"], {"range": {"published_at": bounds}})


def test_applies_reaches_what_covers_from_above_and_within_does_not() -> None:
    """A région's aid applies to Aix; it is not located in Aix. 13100 is shared: what names nothing
    else may lie there."""
    asked = {"territory": ["com:13001"], "facets": ["none"]}
    inside = {"terms": {"within": ["com:13001"]}}
    levels = ["com:13001", "epci:200054807", "dep:13", "reg:93", "fr", "cp:13100"]
    above = {"terms": {"covers": levels}}
    assert found_in(body(**asked), {"bool": {"should": [inside, above]}})
    assert found_in(body(**asked, reach="within"), {"bool": {"should": [inside]}})


@pytest.mark.parametrize(
    ("postal", "district", "town"),
    [("75015", "75115", "75056"), ("75116", "75116", "75056"), ("69003", "69383", "69123"),
     ("13001", "13201", "13055")],
)  # fmt: skip
def test_within_an_arrondissement_s_postal_code_is_within_the_arrondissement(
    postal: str, district: str, town: str
) -> None:
    """Not within the whole town; what is for the town applies to it all the same."""
    place = resolve_place(f"cp:{postal}", TABLES)
    assert place.codes == (f"cp:{postal}", f"com:{district}")
    assert f"com:{town}" in place.applying


def test_a_postal_code_means_its_communes_too() -> None:
    """A record placed at Marseille by INSEE code is found by the postal code."""
    place = resolve_place("cp:13170", TABLES)
    assert place.codes[0] == "cp:13170"
    assert "com:13071" in place.codes  # Les Pennes-Mirabeau


@pytest.mark.parametrize(
    ("bare", "choices"),
    [("13001", {"com:13001", "cp:13001"}), ("93", {"dep:93", "reg:93"})],
)
def test_a_bare_code_that_could_be_two_places_asks(bare: str, choices: set[str]) -> None:
    """Guessing would silently answer for the wrong town."""
    with pytest.raises(AmbiguousPlaceError) as asked:
        resolve_place(bare, TABLES)
    assert {code for code, _ in asked.value.choices} == choices


@pytest.mark.parametrize(
    ("bare", "code"),
    [("13", "dep:13"), ("200054807", "epci:200054807"), ("FR", "fr"), ("13055", "com:13055"),
     ("dep:2a", "dep:2A"), ("2a", "dep:2A"), ("zone:qpv-nord", "zone:qpv-nord")],
)  # fmt: skip
def test_a_bare_code_that_is_one_place_is_that_place(bare: str, code: str) -> None:
    """People write 13 for the Bouches-du-Rhône."""
    assert resolve_place(bare, TABLES).codes[0] == code


@pytest.mark.parametrize("unknown", ["com:99999", "Marseille", "epci:1", "dep:", "zone:É", "::"])
def test_an_unknown_territory_is_refused(unknown: str) -> None:
    """An empty result would look like an answer."""
    with pytest.raises(InvalidParameterError):
        resolve_place(unknown, TABLES)


@given(st.text(max_size=300))
def test_any_text_gives_a_query_that_is_json(text: str) -> None:
    """Whatever people type, the request is well formed."""
    parameters = SearchParameters(q=text.encode("utf-8", "ignore").decode())
    assert orjson.dumps(search_body(parameters, NOW, TABLES, plan(parameters), MEMBER))


@given(st.integers(min_value=-2_000_000, max_value=2_000_000))
def test_instants_compare_alike_in_the_index_and_in_the_document(microseconds: int) -> None:
    """The index cuts microseconds off; judged at the end of a millisecond that never shows."""
    until = NOW + timedelta(microseconds=microseconds)
    assert (until <= NOW) == (index_text(until) <= index_text(NOW))


@pytest.mark.parametrize("word", ["aep", "vrd", "école", "x", '"a b"', "a*", "-a", "a OR"])
def test_no_text_becomes_more_clauses_than_a_small_engine_takes(word: str) -> None:
    """Elasticsearch bounds them by its memory, and refuses the query beyond: some 5,000 with a
    gigabyte and eight processors. Members' texts are asked twice, for what names them."""
    text = " ".join([word] * (MOST_WORDS // len(word.split())))
    parameters = SearchParameters(q=text)
    asked = search_body(parameters, NOW, TABLES, plan(parameters), MEMBER)
    assert clauses(asked["query"]) < 5_000


def clauses(query: Any) -> int:
    """The words of a query times the fields in which it looks for each."""
    if isinstance(query, list):
        return sum(map(clauses, query))
    if not isinstance(query, dict):
        return 0
    if "query" in query and isinstance(query["query"], str):
        return len(query["query"].split()) * len(query.get("fields", [1]))
    return sum(map(clauses, query.values())) + len(query.keys() & {"term", "terms", "range"})


def conditions(query: Any) -> Any:
    """The query with what must hold in one list, however many clauses hold it together."""
    if isinstance(query, list):
        return [conditions(part) for part in query]
    if not isinstance(query, dict):
        return query
    if set(query) != {"bool"}:
        return {name: conditions(part) for name, part in query.items()}
    parts = {name: conditions(part) for name, part in query["bool"].items()}
    asked: list[Any] = []
    for one in (*parts.pop("must", ()), *parts.pop("filter", ())):
        asked += (
            one["bool"]["filter"] if [*one] == ["bool"] and [*one["bool"]] == ["filter"] else [one]
        )
    return {"bool": {**parts, "filter": asked}}


def test_many_results_are_found_as_ever_and_ordered_by_their_titles() -> None:
    parameters = SearchParameters(q="voirie communale -piscine")
    read = plan(parameters)
    usual, broad = (
        search_body(parameters, NOW, TABLES, each, ANYBODY)
        for each in (read, replace(read, broad=True))
    )
    found = [conditions(unscored(each["query"])) for each in (usual, broad)]
    assert found[0] == found[1]
    match = {"query": "voirie communale", "boost": 2.0, "_name": "words"}
    assert found_in(text_query(replace(read, broad=True)), {"match": {"title": match}})
    phrase = {"query": "voirie communale", "slop": 3, "boost": 1.0, "_name": "title"}
    assert found_in(text_query(read), {"match_phrase": {"title": phrase}})
    assert not found_in(text_query(replace(read, broad=True)), {"match_phrase": {"title": phrase}})


def test_words_are_found_in_one_field_that_holds_those_of_all_that_are_searched() -> None:
    """The index copies them; what judges followed searches reads the fields themselves."""
    properties = index_body()["mappings"]["properties"]
    named = {
        f"{name}.{part}" if part else name: field
        for name, whole in properties.items()
        for part, field in {"": whole, **whole.get("properties", {})}.items()
    }
    assert {name for name, field in named.items() if field.get("copy_to") == WORDS} == set(SEARCHED)


def test_a_broad_search_is_asked_in_two_parts() -> None:
    """Results without counts, counts without results, of what one question would find."""
    whole = body(q="voirie", territory=["dep:13"], facets=["kind", "status"])
    first, counts = in_two(whole)
    assert first == {name: part for name, part in whole.items() if name != "aggs"} | {
        "track_total_hits": False
    }
    assert (counts["size"], counts["track_total_hits"]) == (0, whole["track_total_hits"])
    assert (counts["aggs"], counts["post_filter"]) == (whole["aggs"], whole["post_filter"])
    assert counts["query"] == count_body(whole)["query"]
    total = {"value": 2, "relation": "eq"}
    answer = joined(
        {"took": 3, "hits": {"hits": [{"_id": "a"}]}},
        {"took": 5, "hits": {"total": total}, "aggregations": {"all": {}}},
    )
    assert answer["hits"] == {"total": total, "hits": [{"_id": "a"}]}
    assert answer["aggregations"] == {"all": {}}


def test_only_what_is_ordered_by_words_among_many_is_counted_first() -> None:
    few, many = [{"count": 150_000}], [{"count": 150_000}, {"count": 60_000}]
    words = SearchParameters(q="voirie")
    assert may_be_broad(words, plan(words), many)
    assert not may_be_broad(words, plan(words), few)
    for other in (SearchParameters(), SearchParameters(q="voirie", sort=Sort.PUBLISHED)):
        assert not may_be_broad(other, plan(other), many)
    counted = count_body(body(q="voirie", territory=["dep:13"]))
    assert (counted["size"], counted["track_total_hits"]) == (0, BROAD + 1)
    assert "function_score" not in str(counted)
    assert found_in(counted, {"term": {"stub": True}})
