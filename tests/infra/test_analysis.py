"""The analysis contract: index settings give the same tokens on the local engine as on a full
Elasticsearch. The expected tokens are those of Elasticsearch's own analysis-common."""

from collections.abc import Iterator
from typing import Any

import pytest
from elasticsearch import BadRequestError, Elasticsearch

from tests.engines import RunningEngines
from traverse_schemas.documents.index_mapping import index_body

pytestmark = pytest.mark.engines

_ELISION = {"type": "elision", "articles_case": True, "articles": ["l", "d", "qu"]}
_STEMMER = {"type": "stemmer", "language": "light_french"}


@pytest.fixture(scope="module")
def client(engines: RunningEngines) -> Iterator[Elasticsearch]:
    with Elasticsearch(engines.elasticsearch, request_timeout=30) as client:
        yield client


def _tokens(client: Elasticsearch, text: str, **analysis: Any) -> list[str]:
    analysis.setdefault("tokenizer", "standard")
    return [each["token"] for each in client.indices.analyze(text=text, **analysis)["tokens"]]


def _positions(client: Elasticsearch, text: str, **analysis: Any) -> list[tuple[str, int]]:
    analysis.setdefault("tokenizer", "standard")
    answer = client.indices.analyze(text=text, **analysis)
    return [(each["token"], each["position"]) for each in answer["tokens"]]


def test_french_is_analysed(client: Elasticsearch) -> None:
    text = "Les appels d'offres pour la rénovation de l'école communale"
    chain = [_ELISION, "lowercase", "asciifolding", _STEMMER]
    assert _tokens(client, text, filter=chain) == [
        *("les", "apel", "ofre", "pour", "la", "renov", "de", "ecol", "comunal"),
    ]


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        ("écoles", "ECOLE"),
        ("l’école", "école"),
        ("L'école", "école"),
        ("bâtiments", "Batiment"),
        ("communaux", "communal"),
    ],
)
def test_the_index_finds_words_however_they_are_written(
    client: Elasticsearch, text: str, same_as: str
) -> None:
    name = "traverse-analysis-contract"
    client.options(ignore_status=404).indices.delete(index=name)
    client.indices.create(index=name, settings=index_body()["settings"])
    try:

        def analysed(words: str) -> list[str]:
            answer = client.indices.analyze(index=name, analyzer="french_index", text=words)
            return [each["token"] for each in answer["tokens"]]

        assert analysed(text) == analysed(same_as)
    finally:
        client.indices.delete(index=name)


_FILTERS: list[tuple[Any, str, list[str]]] = [
    ("lowercase", "École", ["école"]),
    ("uppercase", "École", ["ÉCOLE"]),
    ("asciifolding", "École", ["Ecole"]),
    ({"type": "asciifolding", "preserve_original": True}, "École", ["Ecole", "École"]),
    ("elision", "l'eau d’ici", ["eau", "ici"]),
    ({"type": "stemmer", "language": "minimal_french"}, "chevaux", ["cheval"]),
    ({"type": "stemmer", "language": "french"}, "rénovations", ["rénov"]),
    ({"type": "stemmer", "language": "light_english"}, "houses", ["house"]),
    ({"type": "stemmer", "language": "light_german"}, "inhalten", ["inhalt"]),
    ("german_normalization", "straße übung uebung", ["strasse", "ubung", "ubung"]),
    ({"type": "stop", "stopwords": "_french_"}, "la rue des lilas", ["rue", "lilas"]),
    ({"type": "edge_ngram", "min_gram": 2, "max_gram": 4}, "mairie", ["ma", "mai", "mair"]),
    ("unique", "a b a", ["a", "b"]),
    ({"type": "length", "min": 2, "max": 3}, "a bb ccc dddd", ["bb", "ccc"]),
    ({"type": "truncate", "length": 3}, "mairie", ["mai"]),
    ({"type": "pattern_replace", "pattern": "[0-9]", "replacement": "#"}, "a12", ["a##"]),
    ({"type": "stemmer_override", "rules": ["eaux, eau => onde"]}, "eaux", ["onde"]),
]


@pytest.mark.parametrize(("filtered", "text", "expected"), _FILTERS)
def test_each_token_filter(
    client: Elasticsearch, filtered: Any, text: str, expected: list[str]
) -> None:
    assert _tokens(client, text, filter=[filtered]) == expected


def test_an_override_or_a_marked_keyword_is_not_stemmed(client: Elasticsearch) -> None:
    override = {"type": "stemmer_override", "rules": ["marchés => marché"]}
    assert _tokens(client, "marchés", filter=[override, _STEMMER]) == ["marché"]
    marked = {"type": "keyword_marker", "keywords": ["marchés"]}
    assert _tokens(client, "marchés", filter=[marked, _STEMMER]) == ["marchés"]


def test_stem_and_original_stand_at_one_position(client: Elasticsearch) -> None:
    chain = ["keyword_repeat", _STEMMER, "remove_duplicates"]
    assert _positions(client, "écoles rue", filter=chain) == [
        ("écoles", 0),
        ("ecol", 0),
        ("rue", 1),
    ]


def test_words_with_hyphens_and_numbers_are_cut_and_joined(client: Elasticsearch) -> None:
    chain = [{"type": "word_delimiter_graph", "catenate_all": True}, "flatten_graph"]
    tokens = _tokens(client, "eco-quartier", tokenizer="whitespace", filter=chain)
    assert sorted(tokens) == ["eco", "ecoquartier", "quartier"]


def test_synonym_rules_are_read_through_the_filters_before_them(client: Elasticsearch) -> None:
    """A rule is written as people write: accents, plurals and case do not matter."""
    synonyms = {"type": "synonym_graph", "synonyms": ["Collèges, établissement scolaire"]}
    chain = ["lowercase", "asciifolding", _STEMMER, synonyms]
    assert _positions(client, "college", filter=chain) == [
        ("etabli", 0),
        ("coleg", 0),
        ("scolair", 1),
    ]


def test_one_way_and_flat_synonyms(client: Elasticsearch) -> None:
    for kind in ("synonym", "synonym_graph"):
        rule = {"type": kind, "synonyms": ["piscine => centre, bassin"]}
        assert sorted(_tokens(client, "piscine", filter=[rule])) == ["bassin", "centre"]


def test_a_bad_synonym_rule_is_refused_unless_lenient(client: Elasticsearch) -> None:
    emptied = {"type": "stop", "stopwords": ["rien"]}
    rule = {"type": "synonym_graph", "synonyms": ["rien => tout", "un => deux"]}
    with pytest.raises(BadRequestError, match="failed to build synonyms"):
        _tokens(client, "un", filter=[emptied, rule])
    assert _tokens(client, "un", filter=[emptied, {**rule, "lenient": True}]) == ["deux"]


@pytest.mark.parametrize(
    ("changed", "text", "expected"),
    [
        ({"type": "mapping", "mappings": ["œ => oe", "\\u0026 => et"]}, "œuvre&", "oeuvreet"),
        ({"type": "pattern_replace", "pattern": "(\\d) (\\d)", "replacement": "$1$2"}, "1 2", "12"),
        ("html_strip", "<b>eau</b>", "eau"),
    ],
)
def test_each_character_filter(
    client: Elasticsearch, changed: Any, text: str, expected: str
) -> None:
    assert _tokens(client, text, tokenizer="keyword", char_filter=[changed]) == [expected]


@pytest.mark.parametrize(
    ("tokenizer", "text", "expected"),
    [
        ("keyword", "a b", ["a b"]),
        ("whitespace", "a-b c", ["a-b", "c"]),
        ("letter", "a1b", ["a", "b"]),
        ({"type": "pattern", "pattern": ","}, "a,b c", ["a", "b c"]),
        (
            {"type": "edge_ngram", "min_gram": 1, "max_gram": 2, "token_chars": ["letter"]},
            "ab-cd",
            ["a", "ab", "c", "cd"],
        ),
    ],
)
def test_each_tokenizer(
    client: Elasticsearch, tokenizer: Any, text: str, expected: list[str]
) -> None:
    assert _tokens(client, text, tokenizer=tokenizer) == expected


def test_keywords_are_normalized(client: Elasticsearch) -> None:
    """Normalizers take the filters that work character by character, and refuse the others."""
    name = "traverse-normalizer-contract"
    client.options(ignore_status=404).indices.delete(index=name)

    def settings(*filters: str) -> dict[str, Any]:
        return {"analysis": {"normalizer": {"plain": {"type": "custom", "filter": filters}}}}

    with pytest.raises(BadRequestError):
        client.indices.create(index=name, settings=settings("stemmer"))
    client.indices.create(index=name, settings=settings("lowercase", "asciifolding"))
    try:
        answer = client.indices.analyze(index=name, normalizer="plain", text="Île-de-FRANCE")
        assert [each["token"] for each in answer["tokens"]] == ["ile-de-france"]
    finally:
        client.indices.delete(index=name)
