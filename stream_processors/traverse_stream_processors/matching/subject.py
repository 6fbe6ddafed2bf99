"""Subject: how much two records are about the same thing, and in which words. Pure."""

from typing import Final, NamedTuple

from traverse_stream_processors.likeness.model import nearness
from traverse_stream_processors.linking.words import likeness as shared_words
from traverse_stream_processors.matching.facts import Facts

# By how many significant digits of the CPV two codes begin alike: division, group, class, category.
_BY_DEPTH: Final = {0: 0.0, 1: 0.0, 2: 0.25, 3: 0.5, 4: 0.68, 5: 0.82, 6: 0.9, 7: 0.95, 8: 1.0}
_NEAR: Final = 0.75  # a cosine from which two short texts say the same
_WORDS: Final = 0.6


class Alike(NamedTuple):
    """`score` is 0 to 1; `depth` the significant CPV digits in common; `near` the cosine of the
    texts, `words` how many words the titles share, `text` what both come to, 0 to 1."""

    score: float
    depth: int
    near: float
    words: float
    text: float
    theme: bool


def alike(left: Facts, right: Facts) -> Alike:
    """How much two records are about the same thing: codes where both have them, words always. A
    few microseconds."""
    cosine = nearness(left.texts.vector, right.texts.vector)
    near = max(0.0, cosine) / _NEAR
    words = shared_words(left.texts.words, right.texts.words)
    text = min(1.0, max(near, 0.7 * near + _WORDS * words))
    theme = not set(left.themes).isdisjoint(right.themes)
    depth = common_depth(left.cpv, right.cpv)
    if left.cpv and right.cpv:
        code = _BY_DEPTH[depth]
        # Equal codes that say little ("15: food") are told apart by the words.
        score = 0.6 * code + 0.4 * text if depth >= 3 else 0.35 * code + 0.65 * text - 0.1
    else:
        score = text if theme else 0.7 * text
    return Alike(
        round(max(0.0, score), 3), depth, round(cosine, 3), round(words, 3), round(text, 3), theme
    )


def common_depth(left: tuple[str, ...], right: tuple[str, ...]) -> int:
    """The most significant digits with which a code of one and a code of the other begin alike;
    equal codes that are short count one more, since neither says more."""
    best = 0
    for mine in left:
        for theirs in right:
            depth = 0
            for one, other in zip(mine, theirs, strict=False):
                if one != other:
                    break
                depth += 1
            if mine == theirs:
                depth = max(depth + 1, 5) if depth >= 3 else depth + 1
            best = max(best, min(depth, 8))
    return best
