"""How French is read, in the index and in what people type: the analysis of the index.

Only type names and parameters of Elasticsearch's own `analysis-common` are used, so that any
Elasticsearch 8 takes the same settings. A contract test reads the tokens.

    typed or stored text
      characters   ’ is ', soft hyphens vanish, éco-quartier is écoquartier, RD543 is RD 543
      words        the standard tokenizer (Unicode UAX #29); hyphens separate
      french_*     l'école is école, case, A.M.O. is AMO, accents
      stems        plurals and endings (light French), in `french_index` and `french_search`
      stop words   `french_search` only: "de la" excludes nothing, and a stored phrase keeps its
                   small words, which `french_exact` (phrases, prefixes, exact forms) still finds

Stop words are marked before the stemmer: otherwise "plus" becomes "plu", which is PLU.
"""

from typing import Any, Final

# Not "est" (Grand Est), "sans", "hors" or "sous", which carry meaning in titles.
_STOP_TEXT: Final = """
    a afin ai as au aux avec c ce ceci cela celle celles celui ces cet cette ceux chez ci d dans de
    depuis des donc du elle elles en entre et etc eu il ils j je l la le les leur leurs lors lui m
    ma mais me mes mon n ne ni nos notre nous on ont or ou par pas plus pour puis qu quand que quel
    quelle quelles quels qui quoi s sa se selon ses si son sont sur t ta te tes ton tu un une vos
    votre vous y
"""
STOP_WORDS: Final = tuple(_STOP_TEXT.split())

# Prefixes whose joined spelling is a usual one; not multi-, micro-, mini-: what follows them is
# searched alone (a multi-accueil is an "accueil" too).
_JOINED: Final = (
    "agro|anti|auto|bio|co|éco|eco|électro|electro|extra|géo|geo|hydro|inter|péri|peri|photo|"
    "socio|télé|tele|vidéo|video"
)

_BEFORE: Final = ["french_characters", "french_prefixes", "road_numbers"]
_WORDS: Final = ["french_elision", "lowercase", "dotted_acronyms", "asciifolding"]
_STEMS: Final = [*_WORDS, "french_stop_marker", "french_stemmer"]


def analysis() -> dict[str, Any]:
    """The `analysis` of the index settings. Synonyms are no part of it: the search adds them."""
    return {
        "char_filter": {
            "french_characters": {
                "type": "mapping",
                "mappings": [
                    "\\u2019 => '", "\\u2018 => '", "\\u02BC => '", "\\u00B4 => '", "\\u0060 => '",
                    "\\u2010 => -", "\\u2011 => -", "\\u00AD =>",
                ],
            },
            "french_prefixes": {
                "type": "pattern_replace",
                "pattern": rf"(?<![\p{{L}}\p{{N}}-])({_JOINED})-(?=\p{{L}}{{3}})",
                "flags": "CASE_INSENSITIVE|UNICODE_CASE",
                "replacement": "$1",
            },
            "road_numbers": {
                "type": "pattern_replace",
                "pattern": r"(?<![\p{L}\p{N}])(RD|RN|RM|RT|VC|lot)(?=[0-9])",
                "flags": "CASE_INSENSITIVE",
                "replacement": "$1 ",
            },
        },
        "filter": {
            "french_elision": {
                "type": "elision",
                "articles_case": True,
                "articles": [
                    "l", "m", "t", "qu", "n", "s", "j", "d", "c",
                    "jusqu", "quoiqu", "lorsqu", "puisqu",
                ],
            },
            "dotted_acronyms": {
                "type": "pattern_replace",
                "pattern": r"(?<=(?:^|\.)\p{L})\.(?=\p{L}(?:\.|$))",
                "replacement": "",
            },
            "french_stop_marker": {"type": "keyword_marker", "keywords": list(STOP_WORDS)},
            "french_stemmer": {"type": "stemmer", "language": "light_french"},
            "french_stop": {"type": "stop", "stopwords": list(STOP_WORDS)},
        },
        "analyzer": {
            "french_index": {"tokenizer": "standard", "char_filter": _BEFORE, "filter": _STEMS},
            "french_search": {
                "tokenizer": "standard",
                "char_filter": _BEFORE,
                "filter": [*_STEMS, "french_stop"],
            },
            "french_exact": {"tokenizer": "standard", "char_filter": _BEFORE, "filter": _WORDS},
        },
    }  # fmt: skip
