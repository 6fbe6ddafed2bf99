"""Who else may read a record, as its page and the form of a need say it. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from traverse_schemas.signing.sources import siren_in
from traverse_schemas.visibility import Visibility

SEEN_BY: Final[dict[Visibility, str]] = {
    Visibility.PUBLIC: "Visible de tous, sans compte",
    Visibility.MEMBERS: "Visible des institutions membres",
    Visibility.BUYERS: "Visible des acheteurs : les institutions membres qui achètent selon le "
    "Code de la commande publique",
}


def seen_by(document: Mapping[str, Any], siren: str, name_of: Callable[[str], str]) -> str:
    """For somebody of an institution (`siren`, "" for anybody) who reads a whole document. Whom a
    record names is told to who alone published it; the others are told that they are not alone."""
    visibility = Visibility(document["visibility"])
    if visibility is not Visibility.RESTRICTED:
        return f"{SEEN_BY[visibility]}."
    sources = {siren_in(one["source"]) for one in document["sources"]}
    if sources != {siren}:
        names = ", ".join(name_of(one) for one in sorted(sources - {siren}))
        return f"Visible de vous, de {names} et des destinataires choisis par qui le publie."
    others = [name_of(one) for one in document.get("audience", ()) if one != siren]
    return f"Visible de vous et de {', '.join(others)}." if others else "Visible de vous seulement."
