"""Why an item ranks where it does (`explain=true`): the parts of its score, in words."""

from datetime import datetime
from typing import Any, Final

from traverse_schemas.documents.status import OPEN_STATUSES, status_of
from traverse_schemas.reference.territories import Territories
from traverse_schemas.visibility import Visibility
from traverse_search_api.filters.territory_query import nearness
from traverse_search_api.query.queries import FRESH_BOOST, FRESH_DAYS, OPEN_BOOST
from traverse_search_api.text.finding import HOLDS

_PARTS: Final = {
    "reference": "référence exacte",
    "words": "mots du titre et dérivés",
    "exact": "formes exactes dans le titre",
    "title": "expression dans le titre",
    "synonym": "synonyme dans le titre",
    "territory": "territoire compris",
    "cpv": "métier ou code CPV compris",
    "institution": "institution comprise",
    "subtype": "type compris",
    "procedure": "procédure comprise",
    "technique": "technique d’achat comprise",
    "status": "statut compris",
    "access": "accès compris",
}


def explained(
    hit: dict[str, Any], as_of: datetime, places: tuple[str, ...], territories: Territories
) -> dict[str, Any]:
    """The score, what of the text gave how much of it, and the factors that it was multiplied by.

    Takes a hit with `matched_queries` and its scores. The factors are computed as the index
    computes them (`docs/search.md`).
    """
    document = hit["_source"]
    matched = hit.get("matched_queries") or {}
    if document.get("visibility") == Visibility.RESTRICTED:
        # Its words gave nothing (`queries.unrevealing`); what they would give tells of others.
        matched = {}
    text = [
        {"part": _PARTS.get(name, name), "score": round(score, 3)}
        for name, score in sorted(matched.items(), key=lambda pair: -pair[1])
        if not name.startswith(HOLDS)
    ]
    factors = []
    if status_of(document, as_of) in OPEN_STATUSES:
        factors.append({"part": "ouvert", "factor": OPEN_BOOST})
    published = datetime.fromisoformat(document["published_at"])
    days = abs((as_of - published).total_seconds()) / 86_400
    # Elasticsearch's gauss decay, 0.5 at the scale.
    fresh = FRESH_BOOST * 0.5 ** ((days / FRESH_DAYS) ** 2)
    if fresh >= 0.001:
        factors.append({"part": "récent", "factor": round(fresh, 3)})
    within = set(document.get("within", ()))
    near = [
        one["weight"]
        for one in nearness(places, territories)
        if one["filter"]["term"]["within"] in within
    ]
    if near:
        factors.append({"part": "proche", "factor": round(sum(near), 3)})
    total = 1 + sum(float(str(one["factor"])) for one in factors)
    return {
        "score": hit.get("_score"),
        "text": text,
        "factors": factors,
        "multiplied_by": round(total, 3),
    }
