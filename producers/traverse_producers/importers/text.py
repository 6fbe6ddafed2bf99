"""Text of feeds made fit to publish: one line of words, no contact details, no more than allowed.

HTML, capitals and mojibake are the pipeline's to clean; here only what must not leave (personal
data: design, decision 11) and what the schema would refuse.
"""

import re

from traverse_schemas.judging.contacts import EMAIL, without_contacts

TITLE_LIMIT = 500
DESCRIPTION_LIMIT = 50_000
# Lone surrogates (a JSON escape cut in two) are no characters: no UTF-8 can hold them.
_SPACES = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b\ufeff\ud800-\udfff]+")


def clean(value: object) -> str:
    """A feed's value as one line without contact details; "" for None and for NULL in words."""
    if value is None:
        return ""
    text = _SPACES.sub(" ", str(value)).strip()
    return "" if text.upper() in ("NULL", "NC", "N/A") else without_contacts(text)


def cut(text: str, limit: int) -> str:
    """The text, cut at a word with « … » when it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    head = text[: limit - 2]
    return head[: head.rfind(" ", limit // 2) if " " in head[limit // 2 :] else None] + " …"


def title_and_description(title: str, *paragraphs: str) -> tuple[str, str | None]:
    """A title that the schema takes, and a description that keeps all that was cut or adds to it.

    Paragraphs that only repeat the title, or what is in one before, are left out.
    """
    kept = [title] if len(title) > TITLE_LIMIT else []
    for text in paragraphs:
        said = text.casefold().rstrip(" .")
        if said and said != title.casefold().rstrip(" .") and not any(text in one for one in kept):
            kept.append(text)
    return cut(title, TITLE_LIMIT), cut("\n".join(kept), DESCRIPTION_LIMIT) or None


def web_address(value: object) -> str | None:
    """An http(s) address as feeds write it (`www.example.fr` too), or None when it is none.

    One that holds an e-mail address is none.
    """
    text = str(value or "").strip()
    if text.lower().startswith("www."):
        text = f"http://{text}"
    if not re.match(r"https?://[^\s/.]+\.\S+$", text, re.IGNORECASE) or EMAIL.search(text):
        return None
    scheme, _, rest = text.partition("://")
    text = f"{scheme.lower()}://{rest}"
    return text if 10 <= len(text) <= 2000 and without_contacts(text) == text else None
