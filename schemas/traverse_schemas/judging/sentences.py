"""What is wrong with an event, said in French: pydantic's report turned into sentences.

Each problem has a JSON pointer (RFC 6901) and one sentence that says what is wrong and how to
mend it. Errors that our own validators raise already carry their sentence.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, get_args

from pydantic import ValidationError
from pydantic_core.core_schema import ErrorType

_PYDANTIC = frozenset(get_args(ErrorType))


class Problem(NamedTuple):
    """One thing that is wrong: where (JSON pointer, "" for the whole), and the sentence."""

    pointer: str
    sentence: str


Context = Mapping[str, Any]
_Sentence = Callable[[str, Context], str]


def _expected(what: str) -> _Sentence:
    return lambda name, _: f"Le champ {name} doit être {what}."


def _bound(words: str, key: str) -> _Sentence:
    return lambda name, context: f"Le champ {name} doit être {words} {_plain(context[key])}."


def _counted(number: int, name: str) -> str:
    return f"{number} {name}{'s' if number > 1 else ''}"


_FOR_SO_MANY = "pour autant de destinataires, dites « members » ou « buyers » dans visibility."

_SENTENCES: dict[str, _Sentence] = {
    "missing": lambda name, _: f"Le champ {name} est obligatoire : ajoutez-le.",
    "extra_forbidden": lambda name, _: (
        f"Le champ {name} n'existe pas dans ce schéma : retirez-le, ou corrigez son nom."
    ),
    "enum": lambda name, context: (
        f"Le champ {name} doit être l'une de ces valeurs : {_listed(context['expected'])}."
    ),
    "literal_error": lambda name, context: (
        f"Le champ {name} doit être {_listed(context['expected'])}."
    ),
    "string_type": _expected("un texte, entre guillemets"),
    "string_too_short": lambda name, context: (
        f"Le champ {name} doit avoir au moins {_counted(context['min_length'], 'caractère')}."
    ),
    "string_too_long": lambda name, context: (
        f"Le champ {name} a plus de {context['max_length']} caractères : raccourcissez-le."
    ),
    "string_pattern_mismatch": lambda name, context: (
        f"Le champ {name} n'a pas la forme attendue ({context['pattern']})."
    ),
    "too_short": lambda name, context: (
        f"La liste {name} doit avoir au moins {_counted(context['min_length'], 'élément')}."
    ),
    "too_long": lambda name, context: (
        f"La liste {name} a plus de {context['max_length']} éléments : "
        + (_FOR_SO_MANY if name == "audience" else "n'en gardez pas davantage.")
    ),
    "tuple_type": _expected("une liste, entre crochets"),
    "list_type": _expected("une liste, entre crochets"),
    "model_type": _expected("un objet JSON, entre accolades"),
    "model_attributes_type": _expected("un objet JSON, entre accolades"),
    "dict_type": _expected("un objet JSON, entre accolades"),
    "int_type": _expected("un nombre entier, sans guillemets"),
    "int_parsing": _expected("un nombre entier, sans guillemets"),
    "int_from_float": _expected("un nombre entier, sans décimales"),
    "float_type": _expected("un nombre, sans guillemets"),
    "float_parsing": _expected("un nombre, sans guillemets"),
    "decimal_type": _expected("un nombre, sans guillemets"),
    "finite_number": _expected("un nombre fini"),
    "bool_type": _expected("true ou false"),
    "bool_parsing": _expected("true ou false"),
    "greater_than_equal": _bound("supérieur ou égal à", "ge"),
    "greater_than": _bound("supérieur à", "gt"),
    "less_than_equal": _bound("inférieur ou égal à", "le"),
    "less_than": _bound("inférieur à", "lt"),
    "date_type": _expected("une date, comme 2026-03-12"),
    "date_parsing": _expected("une date qui existe, comme 2026-03-12"),
    "date_from_datetime_parsing": _expected("une date qui existe, comme 2026-03-12"),
    "date_from_datetime_inexact": _expected("une date sans heure, comme 2026-03-12"),
    "datetime_type": _expected("un instant, comme 2026-03-12T12:00:00+01:00"),
    "datetime_parsing": _expected("un instant qui existe, comme 2026-03-12T12:00:00+01:00"),
    "datetime_from_date_parsing": _expected("un instant, comme 2026-03-12T12:00:00+01:00"),
    "timezone_aware": lambda name, _: (
        f"Le champ {name} n'a pas de fuseau : ajoutez Z ou le décalage, comme "
        "2026-03-12T12:00:00+01:00."
    ),
    "json_invalid": lambda _, __: "Ce n'est pas du JSON valide : envoyez un CloudEvent structuré.",
    "json_type": lambda _, __: "Ce n'est pas du JSON : envoyez un CloudEvent structuré.",
    "value_error": lambda name, context: (
        f"Le champ {name} est refusé : {str(context['error']).rstrip('.')}."
    ),
    "recursion_loop": lambda name, _: f"Le champ {name} est imbriqué sur trop de niveaux.",
}


def explain(error: ValidationError) -> list[Problem]:
    """Every problem of the report, in its order; at least one."""
    found = [problem_of(each) for each in error.errors(include_url=False, include_input=False)]
    # A list whose items are all refused is also reported as too short: that says nothing more.
    # (In one pass: an event of half a megabyte can have a hundred thousand problems.)
    above: set[str] = set()
    for pointer, _ in found:
        parent = pointer
        while parent:
            parent = parent.rpartition("/")[0]
            if parent in above:
                break
            above.add(parent)
    return [one for one in found if one.pointer not in above]


def problem_of(error: Mapping[str, Any]) -> Problem:
    """One entry of such a report (`ValidationError.errors()`)."""
    pointer = "".join(f"/{_escaped(str(part))}" for part in error["loc"])
    name = str(error["loc"][-1]) if error["loc"] else "de l'événement"
    if error["loc"] and isinstance(error["loc"][-1], int):
        name = pointer.removeprefix("/data/")
    say = _SENTENCES.get(error["type"])
    if say is not None:
        sentence = say(name, error.get("ctx", {}))
        return Problem(pointer, sentence.replace("Le champ de l'événement", "L'événement"))
    if error["type"] not in _PYDANTIC:
        # Raised by our own typed values: the message is already the sentence.
        return Problem(pointer, error["msg"])
    return Problem(pointer, f"Le champ {name} n'a pas la valeur attendue ({error['type']}).")


def _listed(expected: object) -> str:
    return str(expected).replace("'", "").replace(" or ", " ou ")


def _plain(number: object) -> str:
    return f"{number:g}" if isinstance(number, float) else str(number)


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")
