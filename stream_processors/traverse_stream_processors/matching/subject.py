"""Subject: how much two records are about the same thing, and in which words. Pure."""

from functools import lru_cache
from typing import Final, NamedTuple, Protocol, cast

from traverse_stream_processors.likeness.model import nearness
from traverse_stream_processors.linking.words import likeness as shared_words
from traverse_stream_processors.matching.texts import Texts

# By how many significant digits of the CPV two codes begin alike: division, group, class, category.
_BY_DEPTH: Final = {0: 0.0, 1: 0.0, 2: 0.25, 3: 0.5, 4: 0.68, 5: 0.82, 6: 0.9, 7: 0.95, 8: 1.0}
_NEAR: Final = 0.75  # a cosine from which two short texts say the same
_WORDS: Final = 0.6
_BY_WORDS: Final = 0.7  # of the words' score, where no theme is common
_ROUNDED: Final = 0.001  # what rounding may add to a score


class Subject(Protocol):
    """What is about something: a record, or a lot of one."""

    @property
    def cpv(self) -> tuple[str, ...]: ...

    @property
    def themes(self) -> tuple[str, ...]: ...

    @property
    def texts(self) -> Texts: ...


class Alike(NamedTuple):
    """`score` is 0 to 1; `depth` the significant CPV digits in common; `near` the cosine of the
    texts, `words` how many words the titles share, `text` what both come to, 0 to 1."""

    score: float
    depth: int
    near: float
    words: float
    text: float
    theme: bool


def alike(left: Subject, right: Subject) -> Alike:
    """How much two records are about the same thing: codes where both have them, words always. A
    few microseconds."""
    return cast("Alike", alike_from(left, right, 0.0))  # no score is below


def alike_from(left: Subject, right: Subject, least: float) -> Alike | None:
    """As `alike`; None where the score is below `least`, which what costs least most often tells:
    the codes, then the vectors, then the words."""
    coded = bool(left.cpv and right.cpv)
    depth = common_depth(left.cpv, right.cpv)
    least -= _ROUNDED
    if coded and _score(depth, 1.0) < least:
        return None
    theme = not set(left.themes).isdisjoint(right.themes)
    by_text = 1.0 if theme else _BY_WORDS
    if not coded and by_text < least:
        return None
    cosine = nearness(left.texts.vector, right.texts.vector)
    near = max(0.0, cosine) / _NEAR
    most = min(1.0, max(near, 0.7 * near + _WORDS))
    if (_score(depth, most) if coded else by_text * most) < least:
        return None
    words = shared_words(left.texts.words, right.texts.words)
    text = min(1.0, max(near, 0.7 * near + _WORDS * words))
    score = _score(depth, text) if coded else by_text * text
    if score < least:
        return None
    return Alike(round(score, 3), depth, round(cosine, 3), round(words, 3), round(text, 3), theme)


def _score(depth: int, text: float) -> float:
    """Of two that have codes. Equal codes that say little ("15: food") are told apart by the
    words."""
    code = _BY_DEPTH[depth]
    return 0.6 * code + 0.4 * text if depth >= 3 else max(0.0, 0.35 * code + 0.65 * text - 0.1)


def common_depth(left: tuple[str, ...], right: tuple[str, ...]) -> int:
    """The most significant digits with which a code of one and a code of the other begin alike;
    equal codes that are short count one more, since neither says more."""
    if not left or not right:
        return 0
    if len(left) == len(right) == 1:
        return _depth(left[0], right[0])
    return max(_depth(mine, theirs) for mine in left for theirs in right)


@lru_cache(maxsize=200_000)
def _depth(mine: str, theirs: str) -> int:
    depth = 0
    for one, other in zip(mine, theirs, strict=False):
        if one != other:
            break
        depth += 1
    if mine == theirs:
        depth = max(depth + 1, 5) if depth >= 3 else depth + 1
    return min(depth, 8)
