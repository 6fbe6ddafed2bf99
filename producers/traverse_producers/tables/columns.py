"""The columns that a CSV file may have: an English name, French ones, and where the value goes.

Headers are compared without case, accents and signs. One column is one field of the record (see
`traverse_schemas.records.models`); what a table cannot hold (lots, holders, financing, actions)
is published as a JSON event.
"""

from typing import Any, NamedTuple

from traverse_producers.tables import cells
from traverse_producers.tables.cells import Reader, one_of, plain, some_of
from traverse_schemas.events import Action
from traverse_schemas.records.codes import (
    INSTITUTION_KIND_LABELS,
    SUBTYPE_LABELS,
    Access,
    AmountKind,
    CallSubtype,
    DeadlineKind,
    InstitutionKind,
    Kind,
    Nature,
    NeedStage,
    NeedSubtype,
    Outcome,
    ProjectStage,
    ProjectSubtype,
    Recurrence,
    Tax,
    Technique,
)
from traverse_schemas.visibility import VISIBILITY_LABELS, Visibility


class Column(NamedTuple):
    """A column. `path` is the field in the event (`data/owner/id`); lists of one path add up."""

    name: str
    aliases: tuple[str, ...]
    path: str
    read: Reader
    example: str


def _codes(codes: Any, labels: dict[Any, str] | None = None, **french: Any) -> dict[str, Any]:
    """A closed list by its codes, its labels on screen and further French words."""
    table = {plain(label): str(code) for code, label in (labels or {}).items()}
    table |= {word: str(code) for word, code in french.items()}
    return table | {str(code): str(code) for code in codes}


def _kinds() -> dict[str, tuple[str, str | None]]:
    """`type` may say the kind, or the subtype, from which the kind follows."""
    table: dict[str, tuple[str, str | None]] = {}
    for kind, subtypes in (
        (Kind.PROJECT, ProjectSubtype),
        (Kind.CALL, CallSubtype),
        (Kind.NEED, NeedSubtype),
    ):
        for subtype in subtypes:
            table[plain(SUBTYPE_LABELS[subtype])] = (kind.value, subtype.value)
            table[subtype.value] = (kind.value, subtype.value)
    # The kind alone: the column sous_type says the rest (of a project it need not).
    alone = {"project": "project projet", "call": "call appel", "need": "need besoin"}
    for name, words in alone.items():
        table |= dict.fromkeys(words.split(), (name, None))
    return table


_SUBTYPES = _codes(
    [*ProjectSubtype, *CallSubtype, *NeedSubtype], SUBTYPE_LABELS, marche=CallSubtype.CONTRACT
)
_STAGES = _codes(
    [*ProjectStage, *NeedStage],
    idee=ProjectStage.IDEA, etudes=ProjectStage.STUDIES, finance=ProjectStage.FUNDED,
    consultation=ProjectStage.TENDERING, travaux=ProjectStage.WORKS,
    livre=ProjectStage.DELIVERED, abandonne=ProjectStage.ABANDONED,
    signale=NeedStage.REPORTED, qualifie=NeedStage.QUALIFIED, oriente=NeedStage.DIRECTED,
)  # fmt: skip
_OUTCOMES = _codes(
    Outcome,
    attribue=Outcome.AWARDED, infructueux=Outcome.UNSUCCESSFUL, sans_suite=Outcome.DROPPED,
    satisfait=Outcome.MET, realise=Outcome.COMPLETED, abandonne=Outcome.ABANDONED,
    resilie=Outcome.TERMINATED,
)  # fmt: skip
_ACTIONS = _codes(
    Action,
    publie=Action.PUBLISHED, modifie=Action.UPDATED, mis_a_jour=Action.UPDATED,
    clos=Action.CLOSED, retire=Action.WITHDRAWN,
)  # fmt: skip
_AMOUNT_KINDS = _codes(
    AmountKind,
    estimation=AmountKind.ESTIMATE, maximum=AmountKind.MAXIMUM, attribue=AmountKind.AWARDED,
    subvention=AmountKind.SUBSIDY, cout=AmountKind.COST,
)  # fmt: skip
_DEADLINE_KINDS = _codes(
    DeadlineKind,
    offres=DeadlineKind.TENDER, candidatures=DeadlineKind.APPLICATION,
    dossiers=DeadlineKind.APPLICATION, questions=DeadlineKind.QUESTION,
)  # fmt: skip
_NATURES = _codes(
    Nature, travaux=Nature.WORKS, fournitures=Nature.SUPPLIES, services=Nature.SERVICES
)
_TECHNIQUES = _codes(
    Technique,
    accord_cadre=Technique.FRAMEWORK_AGREEMENT, concours=Technique.DESIGN_CONTEST,
    systeme_d_acquisition_dynamique=Technique.DYNAMIC_PURCHASING_SYSTEM,
    catalogue_electronique=Technique.ELECTRONIC_CATALOGUE,
    encheres_electroniques=Technique.ELECTRONIC_AUCTION,
)  # fmt: skip
_ACCESS = _codes(Access, pme=Access.SME, reserve=Access.RESERVED, environnement=Access.GREEN)
_RECURRENCES = _codes(
    Recurrence,
    une_fois=Recurrence.ONCE, mensuel=Recurrence.MONTHLY, annuel=Recurrence.YEARLY,
    continu=Recurrence.CONTINUOUS,
)  # fmt: skip
_TAXES = _codes(Tax, ht=Tax.EXCLUDED, ttc=Tax.INCLUDED)


_TABLE = (
    ("reference", "numero", "/subject", cells.read_text, "VOIRIE-2026"),
    ("kind", "type", "/kind", one_of(_kinds()), "Marché public"),
    ("action", "evenement", "/action", one_of(_ACTIONS), "publié"),
    ("event_id", "identifiant_evenement", "/id", cells.read_text, ""),
    ("time", "date date_evenement", "/time", cells.read_instant, "02/03/2026 09:00"),
    ("sequence", "version", "/sequence", cells.read_integer, "2"),
    ("outcome", "issue", "/outcome", one_of(_OUTCOMES), "attribué"),
    ("on", "date_issue", "/on", cells.read_date, "12/05/2026"),
    ("reason", "motif", "/reason", cells.read_text, "prolongation"),
    ("subtype", "sous_type", "data/subtype", one_of(_SUBTYPES), "Concession"),
    ("title", "titre intitule objet", "data/title", cells.read_text, "Réfection de la voirie"),
    ("description", "texte", "data/description", cells.read_text, ""),
    ("language", "langue", "data/language", cells.read_text, "fr"),
    ("references", "autres_references", "data/references", cells.read_texts, "26-1234|26-1235"),
    ("url", "lien adresse_web", "data/url", cells.read_text, "https://exemple.fr/avis/1"),
    ("owner_id", "proprietaire_siren proprietaire_siret siren siret porteur_siren porteur_siret "
     "acheteur_siren acheteur_siret", "data/owner/id", cells.read_number, "211300553"),
    ("owner_name", "proprietaire_nom proprietaire porteur acheteur", "data/owner/name",
     cells.read_text, "Ville de Marseille"),
    ("owner_kind", "type_proprietaire type_porteur type_acheteur", "data/owner/kind",
     one_of(_codes(InstitutionKind, dict(INSTITUTION_KIND_LABELS))), "Commune"),
    ("place", "territoire territoires lieu", "data/place", cells.read_territories,
     "com:13055 dep:83"),
    ("commune", "code_insee insee code_commune", "data/place", cells.territories_of("com", 5),
     "13055"),
    ("postal_code", "code_postal", "data/place", cells.territories_of("cp", 5), "13001"),
    ("department", "departement code_departement", "data/place", cells.territories_of("dep", 2),
     "13"),
    ("region", "code_region", "data/place", cells.territories_of("reg", 2), "93"),
    ("epci", "siren_epci", "data/place", cells.territories_of("epci", 9), "200054807"),
    ("eligible_area", "territoire_eligible", "data/eligible_area", cells.read_territories,
     "reg:93"),
    ("zones", "zone", "data/zones", cells.read_codes, "qpv-nord"),
    ("latitude", "lat", "data/location/lat", cells.read_degrees, "43,2965"),
    ("longitude", "lon", "data/location/lon", cells.read_degrees, "5,3698"),
    ("themes", "theme", "data/themes", cells.read_codes, "energie"),
    ("amount", "montant", "amount/value", cells.read_decimal, "120 000,00"),
    ("amount_excluding_tax", "montant_ht", "amount/excluded", cells.read_decimal, "120 000,00"),
    ("amount_including_tax", "montant_ttc", "amount/included", cells.read_decimal, "144 000,00"),
    ("amount_kind", "type_montant", "amount/kind", one_of(_AMOUNT_KINDS), "estimation"),
    ("tax", "taxe taxes", "amount/tax", one_of(_TAXES), "HT"),
    ("deadline", "date_limite echeance", "deadline/at", cells.read_moment, "12/06/2026 12:00"),
    ("deadline_kind", "type_date_limite", "deadline/kind", one_of(_DEADLINE_KINDS), "offres"),
    ("deadline_zone", "fuseau", "deadline/zone", cells.read_text, "Europe/Paris"),
    ("contact_name", "contact contact_nom", "data/contact/name", cells.read_text, ""),
    ("contact_email", "courriel email", "data/contact/email", cells.read_text, ""),
    ("contact_phone", "telephone", "data/contact/phone", cells.read_text, ""),
    ("visibility", "visibilite", "data/visibility",
     one_of(_codes(Visibility, dict(VISIBILITY_LABELS))), "Acheteurs"),
    ("audience", "destinataires", "data/audience", cells.read_numbers, "211300553|200054807"),
    ("licence", "license", "data/licence", cells.read_text, "LO-2.0"),
    ("expires", "expire_le", "data/expires", cells.read_date, "31/12/2026"),
    ("cpv", "code_cpv codes_cpv", "data/cpv", cells.read_codes, "45233140"),
    ("naf", "code_naf codes_naf", "data/naf", cells.read_codes, "42.11Z"),
    ("nature", "nature_marche", "data/nature", one_of(_NATURES), "travaux"),
    ("procedure", "type_procedure", "data/procedure", cells.read_text, "Procédure adaptée"),
    ("techniques", "technique", "data/techniques", some_of(_TECHNIQUES), "accord-cadre"),
    ("access", "acces", "data/access", some_of(_ACCESS), "PME"),
    ("stage", "etape avancement", "data/stage", one_of(_STAGES), "études"),
    ("window_from", "periode_debut debut", "data/window/from", cells.read_date, "01/09/2026"),
    ("window_to", "periode_fin fin", "data/window/to", cells.read_date, "31/12/2026"),
    ("recurrence", "frequence", "data/recurrence", one_of(_RECURRENCES), "annuel"),
    ("published_on", "date_publication publie_le", "data/published_on", cells.read_date,
     "02/03/2026"),
    ("notified", "date_notification notifie_le", "data/notified", cells.read_date, "12/05/2026"),
    ("duration_months", "duree_mois", "data/duration_months", cells.read_integer, "24"),
    ("renewals", "reconductions", "data/renewals", cells.read_integer, "1"),
    ("end_min", "fin_au_plus_tot", "data/end_min", cells.read_date, "11/05/2027"),
    ("end_max", "fin_au_plus_tard", "data/end_max", cells.read_date, "11/05/2028"),
    ("on_behalf", "pour_le_compte_de", "data/on_behalf", cells.read_text,
     "Une menuiserie de 12 salariés"),
    ("on_behalf_id", "siret_entreprise", "data/on_behalf_id", cells.read_number, ""),
)  # fmt: skip

COLUMNS: tuple[Column, ...] = tuple(
    Column(name, tuple(aliases.split()), path, read, example)
    for name, aliases, path, read, example in _TABLE
)
BY_HEADER: dict[str, Column] = {
    header: column for column in COLUMNS for header in (column.name, *column.aliases)
}
ONLY_IN_JSON = frozenset({
    "lots", "lot", "holders", "titulaires", "financing", "financements", "actions", "joint",
    "groupement",
})  # fmt: skip
"""Headers of what a table cannot hold."""
