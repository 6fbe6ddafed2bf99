"""Trades as people name themselves: `trades_fr.txt`, read and checked.

A mason who types "maçon", or the NAF code of the firm, looks for what a buyer calls gros œuvre: the
trade is understood as CPV codes beside the word.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from traverse_schemas.french.synonyms import conflate
from traverse_schemas.french.word_lists import lines_of, words_of
from traverse_schemas.reference.cpv import cpv_table
from traverse_search_api.errors import SearchError

_NAF: Final = re.compile(r"\d\d\.\d\d[A-Z]", re.ASCII)


class TradesError(SearchError):
    """The file of trades has faults; the sentence names the first lines to mend."""


@dataclass(frozen=True, slots=True)
class Trade:
    """One line: its words, the first of which names it, other words searched beside them, its CPV
    codes (8 digits) and its NAF codes (`43.99C`)."""

    line: int
    words: tuple[str, ...]
    beside: tuple[str, ...]
    cpv: tuple[str, ...]
    naf: tuple[str, ...] = ()


def parse_trades(text: str) -> tuple[Trade, ...]:
    """The trades of a file; comments (#) and blank lines are passed over. Refuses nothing."""
    found = []
    for line in lines_of(text):
        named, _, beside = line.left.partition("|")
        codes = line.right.split()
        cpv = tuple(code.ljust(8, "0") for code in codes if "." not in code)
        naf = tuple(code for code in codes if "." in code)
        found.append(Trade(line.number, words_of(named), words_of(beside), cpv, naf))
    return tuple(found)


def trade_faults(trades: tuple[Trade, ...]) -> list[str]:
    """What is wrong, one French sentence each; [] when all is well."""
    found: list[str] = []
    owner: dict[str, int] = {}
    known = cpv_table()
    for trade in trades:
        where = f"Ligne {trade.line} :"
        if not trade.words or not trade.cpv:
            found.append(f"{where} il faut au moins un mot, « => » et un code CPV.")
        found += [
            f"{where} « {code} » n’est pas un code de la nomenclature CPV."
            for code in trade.cpv
            if code not in known
        ]
        found += [
            f"{where} « {code} » n’a pas la forme d’un code NAF (43.99C)."
            for code in trade.naf
            if _NAF.fullmatch(code) is None
        ]
        for key in dict.fromkeys(conflate(word) for word in trade.words):
            first = owner.setdefault(key, trade.line)
            if first != trade.line:
                found.append(f"{where} « {key} » est déjà à la ligne {first}.")
    return found


@cache
def trades() -> dict[str, Trade]:
    """The product's trades by conflated word. Raises TradesError."""
    text = Path(__file__).with_name("trades_fr.txt").read_text(encoding="utf-8")
    found = parse_trades(text)
    wrong = trade_faults(found)
    if wrong:
        raise TradesError("Le fichier trades_fr.txt est à corriger : " + " ".join(wrong[:5]))
    return {conflate(word): trade for trade in found for word in trade.words}


@cache
def trades_by_naf() -> dict[str, tuple[Trade, ...]]:
    """The trades that have each NAF code, in the order of the file. Raises TradesError."""
    found: dict[str, tuple[Trade, ...]] = {}
    for trade in dict.fromkeys(trades().values()):
        for code in trade.naf:
            found[code] = (*found.get(code, ()), trade)
    return found


def trade_of(text: str, key: str) -> Trade | None:
    """The trade that a text names (`key` is the text conflated), or None. Accents may be left out,
    but not be others: a maçon is no Mâcon."""
    trade = trades().get(key)
    if trade is None:
        return None
    known = {char for word in trade.words for char in word if not char.isascii()}
    others = {char for char in text.lower() if char.isalpha() and not char.isascii()}
    return trade if others <= known else None
