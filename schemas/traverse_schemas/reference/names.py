"""Names of communes as people and feeds write them, reduced to one form."""

import re
import unicodedata

_SEPARATORS = re.compile(r"[^a-z0-9]+")
_SAINT = re.compile(r"\bst(e?s?)\b")
_SUR = re.compile(r"\bs\b(?= )")
_ARTICLE = re.compile(r"^(?:l|le|la|les) ")
_TAIL = re.compile(
    r" (?:cedex|ville|mairie|[0-9]{1,2}(?: ?(?:er|e|eme|ere))?(?: arrondissement)?)$"
)
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae"})


def fold_name(name: str) -> str:
    """A name without case, accents, hyphens and the abbreviation of Saint(e)(s).

    `"ST-RÉMY-DE-PROVENCE"` -> `"saint remy de provence"`; `"CHÂTEAUNEUF S/ LOIRE"` ->
    `"chateauneuf sur loire"`.
    """
    text = name.lower()
    if not text.isascii():
        decomposed = unicodedata.normalize("NFD", text.translate(_LIGATURES))
        text = "".join(char for char in decomposed if not unicodedata.combining(char))
    text = _SEPARATORS.sub(" ", text).strip()
    if "s" in text:
        text = _SUR.sub("sur", _SAINT.sub(r"saint\1", text))
    return text


def name_variants(name: str) -> tuple[str, ...]:
    """The folded forms to try, the most faithful first.

    Then without what the post adds (CEDEX, an arrondissement's number), then without the article
    in front: `"MARSEILLE CEDEX 02"` -> `("marseille cedex 02", "marseille")`.
    """
    folded = fold_name(name)
    forms = [folded]
    shorter = folded
    while (cut := _TAIL.sub("", shorter)) != shorter:
        shorter = cut
    forms.append(shorter)
    forms.append(_ARTICLE.sub("", shorter))
    return tuple(dict.fromkeys(form for form in forms if form))
