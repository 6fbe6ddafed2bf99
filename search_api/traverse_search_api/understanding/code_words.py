"""Codes and numbers in the words of a search: SIREN, CPV, NAF, postal codes, départements, `Paris
15e`.

A bare number is a territory only where nothing else claims it: "75 logements", "ligne 12" and
"avant le 30 juin" name none.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from traverse_schemas.reference.cpv import cpv_label
from traverse_schemas.reference.names import fold_name
from traverse_schemas.reference.territories import Territories
from traverse_schemas.values.place import is_territory, territory_guesses
from traverse_schemas.values.siren import is_siren, normalise_siret
from traverse_search_api.understanding.trades import trades_by_naf

_CPV_LABEL: Final = frozenset({"cpv", "code cpv", "codes cpv"})
_NAF_LABEL: Final = frozenset({"naf", "ape", "code naf", "code ape", "codes naf", "codes ape"})
# NAF rév. 2, level 5 (annex of décret n° 2007-1888): its letters are A to F and Z. Without the
# dot, as registers have it, other things look so too (2024A): Z alone, or what is said to be one.
_NAF: Final = re.compile(r"\d\d\.\d\d[A-FZ]|\d{4}Z", re.ASCII)
_SAID_NAF: Final = re.compile(r"\d\d\.?\d\d[A-FZ]", re.ASCII | re.IGNORECASE)
_FIRM_LABEL: Final = frozenset({"siren", "siret", "n siren", "n siret", "numero siren",
                                "numero siret"})  # fmt: skip
_LEVEL_LABELS: Final = {
    "dep": "dep", "dept": "dep", "dpt": "dep", "departement": "dep", "departement du": "dep",
    "departement de": "dep", "cp": "cp", "code postal": "cp", "insee": "com", "code insee": "com",
}  # fmt: skip
_LEVELS: Final = {
    "com": "code INSEE", "cp": "code postal", "dep": "département", "reg": "région", "epci": "EPCI",
}  # fmt: skip
# What is numbered by two or three digits, and no département.
_NUMBERED_TEXT: Final = """
    a agenda allee annexe art article autoroute avenant avenue axe bassin bat batiment
    batiments bis boulevard bureau bus canton chapitre chemin classe covid cpv d echangeur
    entree et etape horizon ilot iso kilometre km ligne lignes loi lot lots ltn m mission n
    niveau no norme num numero numeros objectif ou ouvrage page parcelle phase place plan pont
    porte poste projet quai quartier r rd rm rn route rt rue salle secteur section segment
    sortie station t tramway tranche type vc version voie volet zone
"""
_NUMBERED: Final = frozenset(_NUMBERED_TEXT.split())
_OF_ROADS: Final = frozenset({"departementale", "nationale", "metropolitaine", "communale"})
# What counts or measures: "sous 15 jours", "13 m²".
_COUNTED_TEXT: Final = """
    an annee ans aout avril bar bars cm decembre eur euro fevrier h ha hab habitant heure
    janvier jour juillet juin ke km kva kw kwc kwh l litre m m2 m3 mai mars mm mois mw mwh
    novembre octobre septembre t tonne
"""
_COUNTED: Final = frozenset(_COUNTED_TEXT.split())
_NO_PLURAL: Final = frozenset({"travaux", "dans", "sans", "sous", "vers", "acces", "concours",
                               "process", "gaz", "voies"})  # fmt: skip
_AMOUNT_BEFORE: Final = frozenset({"moins", "plus", "budget", "montant", "environ"})
_DISTRICTS: Final = {
    # Town -> its code, the stem of its arrondissements' codes, how many there are, its département.
    "paris": ("com:75056", "com:751{:02}", 20, "75"),
    "marseille": ("com:13055", "com:132{:02}", 16, "13"),
    "lyon": ("com:69123", "com:6938{}", 9, "69"),
}  # fmt: skip
_TOWN_DISTRICT: Final = re.compile(
    r"^(?P<town>paris|lyon|marseille) (?P<number>\d{1,2})(?P<rank> ?(?:er|e|eme|ere|nd|nde))?"
    r"(?P<word> (?:arrondissement|arr|ardt))?$"
)
_DISTRICT_TOWN: Final = re.compile(
    r"^(?P<number>\d{1,2}) ?(?:er|e|eme|ere|nd|nde) (?:arrondissement|arr|ardt)"
    r"(?: (?:de|a))? (?P<town>paris|lyon|marseille)$"
)
_DIGITS: Final = re.compile(r"\d[\dAB]?\d{0,12}(?:-\d)?", re.ASCII | re.IGNORECASE)

_AROUND: Final = "(),;."
_MOST_WORDS: Final = 5  # of a code with the words around it

Choices = tuple[tuple[str, str], ...]


class Code(NamedTuple):
    """What a code is: `institution`, `cpv`, `naf` or `territory` with its value and label;
    `choices` where it could be several territories. `said` is the code without the word in front
    of it."""

    parameter: str
    value: str
    label: str
    said: str
    choices: Choices = ()


def code_words(
    span: Sequence[str], before: str, after: str, territories: Territories
) -> Code | None:
    """What exactly these words are as a code, or None; `before` and `after` are the words around.

    Not a bare number of two or three digits: whether that may be a département depends on what the
    rest was understood as (`bare_departments`).
    """
    if len(span) > _MOST_WORDS:
        return None
    if len(span) > 1:
        return _labelled(span, territories) or district(span, after, territories)
    word = span[0].strip(_AROUND)
    if is_territory(word.lower()) and ":" in word:
        chain = territories.chain(_typed_code(word))
        return _territory(word, ((chain.code, chain.name),)) if chain else None
    if _NAF.fullmatch(word) or dotted_naf(word) in trades_by_naf():
        return _naf(word)
    if not _DIGITS.fullmatch(word):
        return None
    digits = normalise_siret(word)
    # Registers hold SIRET whose check digit is wrong: 14 digits are one all the same.
    if digits and (len(digits) == 14 or is_siren(digits)):
        return _institution(word, digits)
    code = word.partition("-")[0]
    if len(code) == 8:
        return _cpv(word, code)
    if len(word) == 5 and not _claimed(word, before, after):
        choices = _places(word, territories)
        return _territory(word, choices) if choices else None
    return None


def bare_departments(
    numbers: Sequence[str], before: str, after: str, territories: Territories
) -> Choices:
    """The départements of numbers of two or three digits, or of 2A and 2B, that stand together at
    an end of a search; () where one of them is none."""
    found = []
    for word in numbers:
        number = _bare(word)
        row = territories.department(number) if is_department_number(word) else None
        if row is None or _claimed(number, before, after):
            return ()
        found.append((row.code, f"{row.name} ({_LEVELS['dep']})"))
    return tuple(dict.fromkeys(found))


def district(span: Sequence[str], after: str, territories: Territories) -> Code | None:
    """The arrondissement of `Paris 15e`, `Lyon 3` or `15e arrondissement de Paris`."""
    folded = fold_name(" ".join(span))
    said = _TOWN_DISTRICT.match(folded) or _DISTRICT_TOWN.match(folded)
    if said is None:
        return None
    groups = said.groupdict()
    ranked = "town" in groups and (said.re is _DISTRICT_TOWN or groups["rank"] or groups["word"])
    town, form, most, department = _DISTRICTS[said["town"]]
    number = int(said["number"])
    if not ranked and is_counted(after):
        return None
    codes = [form.format(number)] if 1 <= number <= most else []
    if said["number"] == department and not ranked:
        codes.insert(0, town)
    choices = tuple((code, chain.name) for code in codes if (chain := territories.chain(code)))
    return _territory(" ".join(span), choices) if choices else None


def within_number(choices: Choices, number: str, territories: Territories) -> Choices:
    """Of the territories that a name may mean, those in the département of this number, or that
    this postal code serves: `Saint-Denis 93`, `13090 Aix`."""
    number = _bare(number)
    if len(number) == 5:
        served = {row.code for row in territories.communes_of_postal(number)}
        if any(code in served for code, _ in choices):
            return _places_of(f"cp:{number}", territories)
        return ()
    row = territories.department(number)
    return tuple(
        (code, label)
        for code, label in choices
        if row is not None
        and code.startswith("com:")
        and (chain := territories.chain(code)) is not None
        and chain.first("dep") is not None
        and row.code in chain.codes
    )


def _labelled(span: Sequence[str], territories: Territories) -> Code | None:
    word = span[-1].strip(_AROUND)
    label = fold_name(" ".join(span[:-1]))
    if label in _NAF_LABEL:
        return _naf(word) if _SAID_NAF.fullmatch(word) else None
    if not _DIGITS.fullmatch(word):
        return None
    if label in _CPV_LABEL:
        digits = word.partition("-")[0]
        return _cpv(word, digits.ljust(8, "0")) if 2 <= len(digits) <= 8 else None
    if label in _FIRM_LABEL:
        number = normalise_siret(word)
        return _institution(word, number) if number else None
    named = _LEVEL_LABELS.get(label)
    choices = _places_of(f"{named}:{word.upper()}", territories) if named else ()
    return _territory(word, choices) if choices else None


def _typed_code(word: str) -> str:
    level, _, value = word.partition(":")
    return f"{level.lower()}:{value.upper()}"


def _institution(word: str, digits: str) -> Code:
    return Code("institution", digits, f"SIREN {digits[:9]}", word)


def _cpv(word: str, code: str) -> Code | None:
    label = cpv_label(code)
    return None if label is None else Code("cpv", code, f"{code} {label}", word)


def _naf(word: str) -> Code:
    code = dotted_naf(word.upper())
    named = ", ".join(trade.words[0] for trade in trades_by_naf().get(code, ()))
    return Code("naf", code, f"code NAF {code}" + (f" : {named}" if named else ""), word)


def dotted_naf(code: str) -> str:
    """4399C as 43.99C, as the nomenclature writes it; what has its dot as it is."""
    return code if "." in code else f"{code[:2]}.{code[2:]}"


def _territory(word: str, choices: Choices) -> Code:
    alone = len(choices) == 1
    return Code(
        "territory",
        choices[0][0] if alone else "",
        choices[0][1] if alone else "territoire à préciser",
        word,
        choices,
    )


def _places(word: str, territories: Territories) -> Choices:
    found = (choice for code in territory_guesses(word) for choice in _places_of(code, territories))
    return tuple(dict.fromkeys(found))


def _places_of(code: str, territories: Territories) -> Choices:
    chain = territories.chain(code) if is_territory(code) else None
    if chain is None:
        return ()
    # The commune of today, for the code of one that has merged into it.
    return ((chain.code, f"{chain.name} ({_LEVELS[code.partition(':')[0]]})"),)


def _claimed(number: str, before: str, after: str) -> bool:
    """Whether the words around say that a number numbers, counts or measures something."""
    postal = len(number) == 5
    # A postal code may stand before a plural, 10000 trees hardly.
    if before in _NUMBERED or is_counted(after, plural=not postal or number.endswith("000")):
        return True
    return postal and before in _AMOUNT_BEFORE


def numbered_word(before: Sequence[str]) -> str:
    """Of the words in front of a number, the one that it may number: the road of "route
    départementale", not what "voirie départementale" or "école communale" says."""
    if len(before) > 1 and before[-1].removesuffix("s") in _OF_ROADS:
        return before[-2].removesuffix("s")
    return before[-1] if before else ""


def is_department_number(word: str) -> bool:
    """Whether it has the form of one."""
    number = _bare(word)
    return len(number) in (2, 3) and _DIGITS.fullmatch(number) is not None


def is_postal_code(word: str) -> bool:
    """Whether it has the form of one."""
    number = _bare(word)
    return len(number) == 5 and _DIGITS.fullmatch(number) is not None


def _bare(word: str) -> str:
    return word.strip(_AROUND).upper()


def is_counted(after: str, *, plural: bool = True) -> bool:
    """Whether the word behind a number is what is counted or measured, as any `plural` is."""
    if after in _COUNTED:
        return True
    return plural and len(after) > 3 and after.endswith(("s", "x")) and after not in _NO_PLURAL
