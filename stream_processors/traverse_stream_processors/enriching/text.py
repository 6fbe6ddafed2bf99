"""Clean text: no HTML, no shouting capitals, no mojibake; and the language it is in. Pure."""

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

import ftfy
import nh3
import pycld2

# Two characters that UTF-8 read as cp1252 leaves behind, as in "RÃ©novation" or "lâ€™Ã©cole".
_MOJIBAKE: Final = re.compile("[ÂÃâ][\u0080-\u00bf\u2018-\u203a€™œ…‚„†‡ˆ‰Š‹ŒŽ¡-¿]|ï¿½")
_MARKUP: Final = re.compile(r"<[a-zA-Z/!]|&[a-zA-Z#][a-zA-Z0-9]{1,30};")
# What a terminal would obey: escape sequences, C0 and C1 controls but the white space; and the two
# that are no characters, which no XML document may hold.
_CONTROL: Final = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ufffe\uffff]+")
_BLOCK_END: Final = re.compile(r"(?i)<(?:br|/p|/div|/li|/tr|/h[1-6])\s*/?>")
_INLINE_SPACE: Final = re.compile(r"[ \t\u00a0\u2007\u202f\u200b\ufeff]+")
_ODD_SPACE: Final = re.compile("[\t\u00a0\u2007\u202f\u200b\ufeff]|  ")
_WORD: Final = re.compile(r"[^\W_]+(?:\.[^\W_])*")
_VOWEL: Final = re.compile(r"[AEIOUYÀÂÄÉÈÊËÎÏÔÖÙÛÜŒÆ]")
_SENTENCE_START: Final = re.compile(r"(?:^|[.!?:]\s+|\n)([a-zàâäéèêëîïôöùûüçœ])")

# Shouting: at least this many letters, and this share of them in capitals.
_SHOUT_LETTERS: Final = 12
_SHOUT_SHARE: Final = 0.7
_SHOUT_SEEN: Final = 120  # characters: who shouts does so from the start
_NO_LETTER: Final = re.compile(r"[\W\d_]+")
_CAPITAL: Final = re.compile(r"[A-ZÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŒÆ]+")

# Acronyms of the trade that hold a vowel and so look like words (those without one are kept).
_ACRONYMS: Final = frozenset(
    [
        "ADEME", "ADSL", "AEP", "AESN", "AMI", "AMO", "ANCT", "ANRU", "AO", "AOO", "AOT",
        "APD", "APS", "ARS", "ASTREE", "ATEX", "AVP", "BEA", "BIM", "BOAMP", "BTP", "CAF",
        "CAO", "CAUE", "CCAG", "CCAP", "CCAS", "CCI", "CCTP", "CEE", "CEREMA", "CETE",
        "CFA", "CHU", "CIAS", "COFOR", "CPE", "CREPS", "CRTE", "DAE", "DCE", "DDT", "DDTM",
        "DECI", "DETR", "DOE", "DPE", "DREAL", "DSI", "DSIL", "DSP", "DUP", "EHPAD",
        "ENEDIS", "ENR", "ENT", "EPCI", "EPA", "EPF", "EPFL", "EPL", "ERP", "ESAT", "ESS",
        "EU", "EUR", "FEADER", "FEDER", "GEMAPI", "GER", "HLM", "HQE", "HT", "IA", "IME",
        "INSEE", "IRVE", "IT", "IUT", "JEI", "LED", "MAPA", "MOE", "MOA", "MSAP", "NTIC",
        "OAP", "OM", "OPAC", "OPAH", "OPH", "OPC", "OTI", "PAE", "PAPI", "PCAET", "PLIE",
        "PLU", "PLUI", "PMI", "PMR", "PNR", "PPI", "QPV", "RAM", "REP", "RGAA", "RGPD",
        "RIA", "SAE", "SAMU", "SATESE", "SAU", "SCOT", "SDIS", "SEM", "SIAO", "SIG",
        "SIVOM", "SIVU", "SMUR", "SPL", "SPANC", "SPS", "TAD", "TCE", "TEPOS", "TIC", "TPE",
        "TTC", "TVA", "UE", "ULIS", "USEP", "UTA", "VAE", "VEFA", "VMC", "ZA", "ZAC", "ZAE",
        "ZAD", "ZAN", "ZFE", "ZI", "ZPPAUP",
    ]
)  # fmt: skip

_SMALL_WORDS: Final = frozenset(
    {"à", "a", "au", "aux", "de", "des", "du", "en", "et", "la", "le", "les", "lès", "ou", "par",
     "pour", "sous", "sur", "un", "une"}
)  # fmt: skip

_FRENCH_LENGTH: Final = 40  # below this a guess of the language is worth less than "French"


def clean_line(text: str, proper_names: Iterable[str] = ()) -> str:
    """One line of clean text: a title, a name. `proper_names` keep their capitals."""
    return " ".join(clean_text(text, proper_names).split())


def clean_name(text: str, proper_names: Iterable[str] = ()) -> str:
    """The name of an institution or a firm: one line, a capital on each word that bears one.

    Only names that shout are changed; known names and acronyms are kept as they are written.
    """
    name = " ".join(_unspoilt(text).split())
    if not name.isupper() or len(name) < _SHOUT_LETTERS:
        return name
    calm = _calm(name, proper_names)
    return _WORD.sub(lambda match: _capital(match[0], calm, match.start()), calm)


def _capital(word: str, name: str, start: int) -> str:
    """Small words stay small, but at the start; so does what follows no word (d'…, l'…)."""
    elided = len(word) == 1 and name[start + 1 : start + 2] in ("'", "’")
    if (start and (word in _SMALL_WORDS or elided)) or not word.islower():
        return word
    return word[0].upper() + word[1:]


def clean_text(text: str, proper_names: Iterable[str] = ()) -> str:
    """Clean text that may keep its line breaks."""
    text = _unspoilt(text)
    return _calm(text, proper_names) if _shouts(text) else text


def _unspoilt(text: str) -> str:
    """Without mojibake, markup, controls and odd white space; capitals as they are."""
    # Most text is clean: what is quick to rule out is ruled out before any pattern runs.
    if not text.isascii() and any(sign in text for sign in "ÂÃâï") and _MOJIBAKE.search(text):
        text = str(ftfy.fix_encoding(text))
    if ("<" in text or "&" in text) and _MARKUP.search(text):
        # Ammonia drops scripts and styles with what they hold, and escapes what it keeps.
        text = html.unescape(nh3.clean(_BLOCK_END.sub("\n", html.unescape(text)), tags=set()))
    if not text.isascii():
        # Accents that stand apart from their letters (NFD) are found by nobody who types.
        text = unicodedata.normalize("NFC", text)
    if _CONTROL.search(text):
        text = _CONTROL.sub(" ", text)
    if _ODD_SPACE.search(text):
        text = _INLINE_SPACE.sub(" ", text)
    if "\n" in text or "\r" in text:
        # No pattern: one that looks for white space before a line break is slow to find none.
        lines = (line.strip() for line in text.replace("\r", "\n").split("\n"))
        text = "\n".join(line for line in lines if line)
    return text.strip()


def language_of(text: str) -> str:
    """ISO 639-1 code of the language; French unless something else is certain."""
    if len(text) < _FRENCH_LENGTH:
        return "fr"
    try:
        certain, _, guesses = pycld2.detect(text)
    except pycld2.error:
        # Characters that are no valid interchange text; the rest of the record is still good.
        return "fr"
    code = str(guesses[0][1])
    return code if certain and code != "un" else "fr"


def _shouts(text: str) -> bool:
    beginning = text[:_SHOUT_SEEN]
    letters = _NO_LETTER.sub("", beginning)
    capitals = len(letters) - len(_CAPITAL.sub("", letters))
    return capitals >= _SHOUT_LETTERS and capitals >= _SHOUT_SHARE * len(letters)


@lru_cache(maxsize=64)
def _by_capitals(names: tuple[str, ...]) -> Mapping[str, str]:
    """The words of names, by their capitals. A record with a thousand places and as many lots
    asks for the same ones a thousand times."""
    return {word.upper(): word for name in names for word in _WORD.findall(name) if len(word) > 2}


def _calm(text: str, proper_names: Iterable[str]) -> str:
    """Sentence case that keeps acronyms, codes with digits, and the names that are known."""
    names = _by_capitals(tuple(proper_names))

    def word(match: re.Match[str]) -> str:
        found: str = match[0]
        if found in _ACRONYMS or any(map(str.isdigit, found)) or "." in found:
            return found
        if len(found) > 1 and not _VOWEL.search(found):
            return found  # VRD, CVC, SDIS…: no word of French is without a vowel
        if not found.isupper():
            return found
        return names.get(found, found.lower())

    calm = _WORD.sub(word, text)
    return _SENTENCE_START.sub(lambda match: match[0][:-1] + match[1].upper(), calm)
