"""Where the words of a search are looked for: the fields and their weights, how much at once."""

from typing import Final

_WEIGHTS: Final = {
    "title": 4,
    "institutions.name": 2,
    "place_names": 2,
    "description": 1,
    "cpv_labels": 1,
    "holders.name": 1,
}
SEARCHED: Final = tuple(_WEIGHTS)
"""The fields in which words are found: by stems in one for them all, `index_mapping.WORDS`."""

EXACT: Final = tuple(f"{name}.exact^{weight}" for name, weight in _WEIGHTS.items())
"""They by the very forms of their words, with their weights."""

SUBJECT: Final = ("title.exact^4", "description.exact", "cpv_labels.exact")
"""Where a record says what it is about."""

PHRASE: Final = "french_index"
"""The analyzer of expressions, which are searched as they stand: without the stop words that the
search leaves out."""

MOST_TOGETHER: Final = 24
"""Words that are searched as one clause: Elasticsearch bounds the depth and the clauses of a
query."""
