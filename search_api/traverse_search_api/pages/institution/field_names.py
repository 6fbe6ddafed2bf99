"""What the schema calls a field, and what people call it: the faults of an event in the words of
the pages. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

FIELDS: Final[dict[str, str]] = {
    "title": "Titre",
    "description": "Description",
    "language": "Langue",
    "subtype": "Type",
    "references": "Références",
    "url": "Adresse",
    "owner": "Porteur",
    "place": "Lieu",
    "eligible_area": "Territoire des réponses",
    "zones": "Zones",
    "location": "Point sur la carte",
    "lat": "latitude",
    "lon": "longitude",
    "themes": "Thèmes",
    "amounts": "Montant",
    "amount": "Montant",
    "tax": "taxe",
    "deadlines": "Échéance",
    "deadline": "Échéance",
    "actions": "Lien pour répondre",
    "contact": "Contact",
    "email": "adresse électronique",
    "phone": "téléphone",
    "visibility": "Qui peut le lire",
    "audience": "Destinataires",
    "licence": "Licence",
    "expires": "Valable jusqu’au",
    "stage": "Avancement",
    "cpv": "Achat (CPV)",
    "naf": "Activité (NAF)",
    "window": "Période",
    "from": "début",
    "to": "fin",
    "recurrence": "Répétition",
    "financing": "Financement",
    "funder": "financeur",
    "nature": "Nature",
    "procedure": "Procédure",
    "techniques": "Techniques d’achat",
    "lots": "Lots",
    "number": "numéro",
    "outcome": "Issue",
    "holders": "Titulaires",
    "role": "rôle",
    "published_on": "Publié le",
    "notified": "Notifié le",
    "duration_months": "Durée en mois",
    "renewals": "Reconductions",
    "end_min": "Fin du contrat, au plus tôt",
    "end_max": "Fin du contrat, au plus tard",
    "joint": "Groupement",
    "coordinator": "coordonnateur",
    "members": "membres",
    "access": "Accès facilité",
    "on_behalf": "Pour une entreprise",
    "on_behalf_id": "Entreprise, numéro",
    "consent": "accord",
    "reason": "Raison",
    "on": "Clos le",
    "kind": "type",
    "name": "nom",
    "id": "identifiant",
    "zone": "fuseau horaire",
    "label": "libellé",
    # The same for every field: the field itself says it.
    "at": "",
    "value": "",
    "data": "",
    "record": "",
}
_ENVELOPE: Final = {
    "id": "Identifiant de l’événement",
    "source": "Source de l’événement",
    "type": "Type de l’événement",
    "subject": "Référence",
    "time": "Date de l’événement",
    "sequence": "Rang de l’événement",
    "specversion": "Version de CloudEvents",
    "datacontenttype": "Format du contenu",
    "dataschema": "Schéma du contenu",
}
NEED_FIELDS: Final = {
    "title": ("titre", "De quoi a-t-on besoin ?"),
    "description": ("description", "Précisions"),
    "place": ("lieu", "Où ?"),
    "subtype": ("type", "Qui en a besoin ?"),
    "window": ("quand", "Pour quand ?"),
    "visibility": ("visibilite", "Qui peut le lire ?"),
    "amounts": ("montant", "Montant estimé"),
    "contact": ("joindre", "Courriel ou téléphone"),
}
"""Of a field of a need: its name in the form of « Signaler un besoin », and what it is called
there."""
_TOLD: Final = r"\b(champ|liste) {}(?= )"
_CODE: Final = re.compile(r" \((?:\^.*|[a-z_]+)\)\.$")  # a pattern, or pydantic's own name


def field_of(pointer: str) -> str:
    """What is at a JSON pointer (RFC 6901), as the pages call it: `/data/lots/2/deadline/at` is
    « Lots (n° 3), échéance », `/data/place/0` is « Lieu ». What has no name there keeps its own."""
    steps = _steps(pointer)
    if len(steps) == 1 and steps[0] in _ENVELOPE:
        return _ENVELOPE[steps[0]]
    found: list[str] = []
    for before, step in zip(["", *steps], steps, strict=False):
        if step.isdigit() and found:
            if step != "0" or before == "lots":
                found[-1] += f" (n° {int(step[:9]) + 1})"
        elif name := FIELDS.get(step, step):
            found.append(name if not found else name[0].lower() + name[1:])
    whole = ", ".join(found)
    return whole[:1].upper() + whole[1:]


def fault_of(pointer: str, sentence: str) -> str:
    """A sentence that names a field by its name in the schema (`sentences.explain`) names it as
    the pages do: « Le champ title a plus de… » is « Le champ « Titre » a plus de… »."""
    return _renamed(pointer, sentence, field_of(pointer))


def need_faults(faults: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What the gateway refuses of a need, each (JSON pointer, sentence), by the field of the form
    that says it; nothing where one of them is of none."""
    found: dict[str, str] = {}
    for pointer, sentence in faults:
        name = _first_of(pointer)
        if name not in NEED_FIELDS:
            return {}
        found.setdefault(NEED_FIELDS[name][0], need_fault(pointer, sentence))
    return found


def need_fault(pointer: str, sentence: str) -> str:
    """`fault_of`, by the names of the form of a need."""
    name = _first_of(pointer)
    label = NEED_FIELDS[name][1] if name in NEED_FIELDS else field_of(pointer)
    return _renamed(pointer, sentence, label)


def _first_of(pointer: str) -> str:
    """The field of the record that a pointer leads into."""
    return next((step for step in _steps(pointer) if step != "data"), "")


def _renamed(pointer: str, sentence: str, label: str) -> str:
    steps = _steps(pointer)
    plain = _CODE.sub(".", sentence)
    if not steps or not label:
        return plain
    name = steps[-1] if not steps[-1].isdigit() else pointer.removeprefix("/data/")
    told = _TOLD.format(re.escape(name))
    return re.sub(told, lambda found: f"{found[1]} « {label} »", plain, count=1)


def _steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


FILTERS: Final[Mapping[str, str]] = {
    "q": "Chercher",
    "kind": "Nature",
    "status": "Statut",
    "theme": "Thème",
    "territory": "Territoire",
    "subtype": "Type",
    "institution": "Institution",
    "institution_kind": "Institution",
    "cpv": "Achat (CPV)",
    "reach": "Territoire",
    "near": "Autour de",
    "radius": "Autour de",
    "as_of": "Vu du",
    "deadline_from": "Échéance à partir du",
    "deadline_to": "Échéance jusqu’au",
    "published_from": "Publié à partir du",
    "published_to": "Publié jusqu’au",
    "amount_min": "Au moins",
    "amount_max": "Au plus",
    "literal": "Au mot",
    "as_typed": "Texte tel quel",
    "sort": "Trier par",
    "size": "Résultats par page",
    "cursor": "Résultats suivants",
    "facets": "Affiner la recherche",
    "explain": "Rang expliqué",
}
"""The parameters of a search, as the pages call them."""
