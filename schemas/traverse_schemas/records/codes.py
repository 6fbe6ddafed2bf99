"""The closed lists of the records, in code (English) and on screen (French)."""

from enum import StrEnum
from typing import Final

FRAMEWORK: Final = "accord-cadre "
"""How a reference begins that is the number of the framework agreement which a contract is an order
of: what many contracts share, and so no reference of one thing."""


class Kind(StrEnum):
    """The three kinds of records."""

    PROJECT = "project"
    CALL = "call"
    NEED = "need"


class CallSubtype(StrEnum):
    CONTRACT = "contract"
    CONCESSION = "concession"
    CALL_FOR_PROJECTS = "call_for_projects"
    EXPRESSION_OF_INTEREST = "expression_of_interest"
    SOURCING = "sourcing"


class NeedSubtype(StrEnum):
    PURCHASE = "purchase"
    BUSINESS = "business"


class ProjectSubtype(StrEnum):
    PROJECT = "project"
    PURCHASE_PROGRAMME = "purchase_programme"
    SHARED_RESOURCES = "shared_resources"


SUBTYPE_LABELS: dict[str, str] = {
    CallSubtype.CONTRACT: "Marché public",
    CallSubtype.CONCESSION: "Concession",
    CallSubtype.CALL_FOR_PROJECTS: "Appel à projets",
    CallSubtype.EXPRESSION_OF_INTEREST: "Manifestation d'intérêt",
    CallSubtype.SOURCING: "Sourcing",
    NeedSubtype.PURCHASE: "Besoin d'achat",
    NeedSubtype.BUSINESS: "Besoin d'entreprise",
    ProjectSubtype.PROJECT: "Projet",
    ProjectSubtype.PURCHASE_PROGRAMME: "Programme d'achats",
    ProjectSubtype.SHARED_RESOURCES: "Moyens partagés",
}


class InstitutionKind(StrEnum):
    REGION = "region"
    DEPARTMENT = "department"
    EPCI = "epci"
    COMMUNE = "commune"
    FEDERATION = "federation"
    CHAMBER = "chamber"
    STATE = "state"
    OTHER = "other"


INSTITUTION_KIND_LABELS: dict[InstitutionKind, str] = {
    InstitutionKind.REGION: "Région",
    InstitutionKind.DEPARTMENT: "Département",
    InstitutionKind.EPCI: "Intercommunalité",
    InstitutionKind.COMMUNE: "Commune",
    InstitutionKind.FEDERATION: "Fédération",
    InstitutionKind.CHAMBER: "Chambre consulaire",
    InstitutionKind.STATE: "État",
    InstitutionKind.OTHER: "Autre",
}


class Nature(StrEnum):
    """What is bought (Code de la commande publique, art. L.1111-2 to L.1111-4)."""

    WORKS = "works"
    SUPPLIES = "supplies"
    SERVICES = "services"


class Technique(StrEnum):
    """Purchasing techniques (Code de la commande publique, art. L.2125-1)."""

    FRAMEWORK_AGREEMENT = "framework_agreement"
    DESIGN_CONTEST = "design_contest"
    QUALIFICATION_SYSTEM = "qualification_system"
    DYNAMIC_PURCHASING_SYSTEM = "dynamic_purchasing_system"
    ELECTRONIC_CATALOGUE = "electronic_catalogue"
    ELECTRONIC_AUCTION = "electronic_auction"


class AmountKind(StrEnum):
    ESTIMATE = "estimate"
    MAXIMUM = "maximum"
    AWARDED = "awarded"
    SUBSIDY = "subsidy"
    COST = "cost"


class Tax(StrEnum):
    """Hors taxes, toutes taxes comprises, or not said."""

    EXCLUDED = "excluded"
    INCLUDED = "included"
    UNKNOWN = "unknown"


class DeadlineKind(StrEnum):
    TENDER = "tender"  # remise des offres
    APPLICATION = "application"  # remise des candidatures ou des dossiers
    QUESTION = "question"
    DECISION = "decision"


ANSWER_BY: Final = frozenset({DeadlineKind.TENDER, DeadlineKind.APPLICATION})
"""The kinds until which one may answer; the others say when something else is due."""


class Access(StrEnum):
    """What helps small firms and others in: allotment, reserved contracts (art. L.2113-12)…"""

    SME = "sme"
    RESERVED = "reserved"
    SOCIAL = "social"
    GREEN = "green"


class ActionKind(StrEnum):
    RESPOND = "respond"
    APPLY = "apply"
    CONTACT = "contact"
    PROCEDURE = "procedure"


class ProjectStage(StrEnum):
    IDEA = "idea"
    STUDIES = "studies"
    FUNDED = "funded"
    TENDERING = "tendering"
    WORKS = "works"
    DELIVERED = "delivered"
    ABANDONED = "abandoned"


class NeedStage(StrEnum):
    REPORTED = "reported"
    QUALIFIED = "qualified"
    DIRECTED = "directed"


class Recurrence(StrEnum):
    ONCE = "once"
    MONTHLY = "monthly"
    YEARLY = "yearly"
    CONTINUOUS = "continuous"


class Outcome(StrEnum):
    """How a record ended. `unsuccessful` and `dropped` are the two ways to declare a procedure
    "sans suite" (Code de la commande publique, art. R.2185-1): no suitable offer, or for a reason
    of general interest."""

    AWARDED = "awarded"
    UNSUCCESSFUL = "unsuccessful"
    DROPPED = "dropped"
    MET = "met"
    COMPLETED = "completed"
    ABANDONED = "abandoned"
    TERMINATED = "terminated"


OUTCOMES: dict[Kind, frozenset[Outcome]] = {
    Kind.CALL: frozenset(
        {Outcome.AWARDED, Outcome.UNSUCCESSFUL, Outcome.DROPPED, Outcome.TERMINATED}
    ),
    Kind.PROJECT: frozenset({Outcome.COMPLETED, Outcome.ABANDONED}),
    Kind.NEED: frozenset({Outcome.MET, Outcome.ABANDONED}),
}


class UpdateReason(StrEnum):
    """Why a record was updated; an amendment (avenant) or a renewal does not reopen a call."""

    CORRECTION = "correction"
    EXTENSION = "extension"
    AMENDMENT = "amendment"
    RENEWAL = "renewal"


class WithdrawalReason(StrEnum):
    """Published in error, or erasure (RGPD, art. 17); never a cancellation (that is `closed`)."""

    ERROR = "error"
    ERASURE = "erasure"
