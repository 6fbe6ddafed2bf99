"""What the free text of a place names: a commune with its address around it, a département…"""

import re

from traverse_schemas.reference.names import fold_name

_AFTER_POSTAL = re.compile(r"(?<![0-9])[0-9]{5}\s+([^0-9].*)$")
_BODY = re.compile(
    r"^(?:ville|mairie|commune|hotel de ville|territoire de la commune)"
    r" (?:de la|de l|des|de|du|d) (?P<name>.+)$"
)
_FILLERS = frozenset(
    {
        "departement",
        "departemental",
        "conseil",
        "general",
        "region",
        "territoire",
        "toutes",
        "communes",
        "ensemble",
        "de",
        "du",
        "des",
        "d",
        "la",
        "le",
        "les",
        "l",
        "et",
        "sur",
        "en",
    }
)


def commune_names(text: str) -> tuple[str, ...]:
    """What might be a commune's name in the text, the most faithful first.

    The text, what follows a postal code (`12 rue X 59066 ROUBAIX`), and both without the body
    that is named with them (`Mairie de Villeurbanne`).
    """
    names = [text.strip(" .")]
    if match := _AFTER_POSTAL.search(text):
        names.append(match[1].strip(" ."))
    bodies = [match["name"] for name in names if (match := _BODY.match(fold_name(name)))]
    return tuple(dict.fromkeys(name for name in names + bodies if name))


def core(text: str) -> str:
    """The words of a département's or région's name, without those that say that it is one.

    `"Toutes les communes de Loire-Atlantique"` -> `"loire atlantique"`.
    """
    return " ".join(word for word in fold_name(text).split() if word not in _FILLERS)
