"""Words of procurement that mean a filter: MAPA, appel d'offres, AMI, DSP, sans suite, réservé."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from traverse_schemas.documents.status import Status
from traverse_schemas.french.synonyms import key_of
from traverse_schemas.reference.names import fold_name
from traverse_search_api.filters.status_query import status_filter

Query = dict[str, Any]


class Procedure(NamedTuple):
    """What such words mean as a parameter of the search, and the query that says it; not where the
    text also holds one of the words of `unless`."""

    parameter: str
    value: str
    label: str
    query: Query
    unless: frozenset[str] = frozenset()


_SANS_SUITE: Final[Query] = {"terms": {"outcome": ["unsuccessful", "dropped"]}}
_ADAPTED: Final[Query] = {"terms": {"procedure": ["Procédure adaptée", "adapted"]}}
_OPEN: Final[Query] = {"terms": {"procedure": ["Appel d'offres ouvert", "Procédure ouverte"]}}
_RESTRICTED: Final[Query] = {
    "terms": {"procedure": ["Appel d'offres restreint", "Procédure restreinte"]}
}

_CONTRACT: Final[Query] = {"term": {"subtype": "contract"}}
_AWARDED: Final[Query] = {"terms": {"outcome": ["awarded"]}}
# A cemetery sells concessions and a garage has one; neither is a contract of the Code.
_OTHER_CONCESSIONS: Final = frozenset(
    {"cimetiere", "cimetieres", "funeraire", "funeraires", "automobile", "automobiles", "tombe",
     "tombes", "perpetuelle", "perpetuelles", "columbarium", "reprise"}
)  # fmt: skip

_MEANINGS: Final = (
    (
        ("marché public", "marchés publics", "appel d'offres", "AO", "avis de marché", "AAPC",
         "avis d'appel public à la concurrence", "avis d'appel à la concurrence"),
        Procedure("subtype", "contract", "marché public", _CONTRACT),
    ),
    # L.2123-1 and R.2123-1 of the Code de la commande publique.
    (
        ("MAPA", "marché à procédure adaptée", "procédure adaptée", "marché en procédure adaptée"),
        Procedure("procedure", "adapted", "procédure adaptée", _ADAPTED),
    ),
    (
        ("appel d'offres ouvert", "AOO"),
        Procedure("procedure", "open", "appel d’offres ouvert", _OPEN),
    ),
    (
        ("appel d'offres restreint", "AOR"),
        Procedure("procedure", "restricted", "appel d’offres restreint", _RESTRICTED),
    ),
    (
        ("AMI", "appel à manifestation d'intérêt", "manifestation d'intérêt"),
        Procedure(
            "subtype",
            "expression_of_interest",
            "manifestation d’intérêt",
            {"term": {"subtype": "expression_of_interest"}},
        ),
    ),
    (
        ("appel à projets", "AAP"),
        Procedure(
            "subtype", "call_for_projects", "appel à projets",
            {"term": {"subtype": "call_for_projects"}},
        ),
    ),
    (
        ("DSP", "délégation de service public", "délégations de service public", "concession"),
        Procedure(
            "subtype", "concession", "concession", {"term": {"subtype": "concession"}},
            _OTHER_CONCESSIONS,
        ),
    ),
    (
        ("subvention", "demande de subvention", "aide financière"),
        Procedure(
            "subtype", "call_for_projects", "appel à projets ou aide",
            {"term": {"subtype": "call_for_projects"}},
        ),
    ),
    (
        ("marché attribué", "avis d'attribution", "attribué"),
        Procedure("status", "awarded,running,ended", "attribué", _AWARDED),
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

_BY_KEY: Final = {key_of(word): meaning for words, meaning in _MEANINGS for word in words}
# A réserve or a réservation is nothing réservé, and attribuer is not attribué: their accent counts.
_ACCENTED: Final = {"reserv": "réservé", "atribu": "attribué"}
_OPEN_WORDS: Final = frozenset({"ouvert", "ouverts", "ouverte", "ouvertes", "en cours"})


def procedure_of(text: str, keys: Sequence[str], words: Sequence[str]) -> Procedure | None:
    """What exactly this text means, or None. `keys` are its own (`synonyms.keys_of`), `words` those
    of the whole search, folded."""
    for key in keys:
        found = _BY_KEY.get(key)
        if found is None or not found.unless.isdisjoint(words):
            continue
        accented = _ACCENTED.get(key)
        if accented is None or text.lower().startswith(accented):
            return found
    return None


def open_words(text: str, as_of: datetime) -> Procedure | None:
    """« Ouverts », « en cours », said of calls: what can still be answered at `as_of`."""
    if fold_name(text) not in _OPEN_WORDS:
        return None
    return Procedure("status", "open", "encore ouvert", status_filter([Status.OPEN], as_of))
