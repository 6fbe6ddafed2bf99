"""Words of procurement that mean a filter: MAPA, AMI, appel à projets, DSP, sans suite, réservé."""

from typing import Any, Final, NamedTuple

from traverse_schemas.synonyms import conflate

Query = dict[str, Any]


class Procedure(NamedTuple):
    """What such words mean as a parameter of the search, and the query that says it."""

    parameter: str
    value: str
    label: str
    query: Query


_SANS_SUITE: Final[Query] = {"terms": {"outcome": ["unsuccessful", "dropped"]}}
_ADAPTED: Final[Query] = {"terms": {"procedure": ["Procédure adaptée", "adapted"]}}
_OPEN: Final[Query] = {"terms": {"procedure": ["Appel d'offres ouvert", "Procédure ouverte"]}}
_RESTRICTED: Final[Query] = {
    "terms": {"procedure": ["Appel d'offres restreint", "Procédure restreinte"]}
}

_MEANINGS: Final = (
    # L.2123-1 and R.2123-1 of the Code de la commande publique.
    (
        ("mapa", "marché à procédure adaptée", "procédure adaptée", "marché en procédure adaptée"),
        Procedure("procedure", "adapted", "procédure adaptée", _ADAPTED),
    ),
    (
        ("appel d'offres ouvert", "aoo"),
        Procedure("procedure", "open", "appel d’offres ouvert", _OPEN),
    ),
    (
        ("appel d'offres restreint", "aor"),
        Procedure("procedure", "restricted", "appel d’offres restreint", _RESTRICTED),
    ),
    (
        ("ami", "appel à manifestation d'intérêt", "manifestation d'intérêt"),
        Procedure(
            "subtype",
            "expression_of_interest",
            "manifestation d’intérêt",
            {"term": {"subtype": "expression_of_interest"}},
        ),
    ),
    (
        ("appel à projets", "aap"),
        Procedure(
            "subtype", "call_for_projects", "appel à projets",
            {"term": {"subtype": "call_for_projects"}},
        ),
    ),
    (
        ("dsp", "délégation de service public", "délégations de service public", "concession"),
        Procedure("subtype", "concession", "concession", {"term": {"subtype": "concession"}}),
    ),
    (
        ("sans suite", "marché sans suite", "infructueux", "marché infructueux"),
        Procedure("status", "without_award", "sans suite", _SANS_SUITE),
    ),
    (
        ("réservé", "marché réservé", "marchés réservés", "lot réservé"),
        Procedure("access", "reserved", "marché réservé", {"term": {"access": "reserved"}}),
    ),
    (
        ("accord-cadre", "accords-cadres"),
        Procedure(
            "technique", "framework_agreement", "accord-cadre",
            {"term": {"techniques": "framework_agreement"}},
        ),
    ),
    (
        ("concours", "concours d'architecture", "concours de maîtrise d'œuvre"),
        Procedure(
            "technique", "design_contest", "concours", {"term": {"techniques": "design_contest"}}
        ),
    ),
)  # fmt: skip

PROCEDURES: Final = {conflate(word): meaning for words, meaning in _MEANINGS for word in words}
"""By what people may type, conflated."""
