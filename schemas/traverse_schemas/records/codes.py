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
    """What sort of call: `contract` a public contract (marché public), `concession`,
    `call_for_projects` money or help to apply for (appel à projets), `expression_of_interest`
    (appel à manifestation d'intérêt), `sourcing` a study of the market before a purchase."""

    CONTRACT = "contract"
    CONCESSION = "concession"
    CALL_FOR_PROJECTS = "call_for_projects"
    EXPRESSION_OF_INTEREST = "expression_of_interest"
    SOURCING = "sourcing"


class NeedSubtype(StrEnum):
    """Whose need: `purchase` what an institution will buy, `business` what a firm looks for."""

    PURCHASE = "purchase"
    BUSINESS = "business"


class ProjectSubtype(StrEnum):
    """What sort of project: `project` one thing that is planned, `purchase_programme` what will be
    bought, `shared_resources` what is offered to others (rooms, staff, studies)."""

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
    """What an institution is: `epci` is an intercommunalité (EPCI, EPT), `chamber` a chambre
    consulaire, `state` the State and its bodies."""

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
    """What is bought: `works`, `supplies` or `services` (Code de la commande publique, art.
    L.1111-2 to L.1111-4)."""

    WORKS = "works"
    SUPPLIES = "supplies"
    SERVICES = "services"


class Technique(StrEnum):
    """A technique of purchase (Code de la commande publique, art. L.2125-1): what the law calls
    accord-cadre is a `framework_agreement`, concours a `design_contest`, système de qualification
    a `qualification_system`, système d'acquisition dynamique a `dynamic_purchasing_system`; the
    last are by an `electronic_catalogue` or an `electronic_auction`."""

    FRAMEWORK_AGREEMENT = "framework_agreement"
    DESIGN_CONTEST = "design_contest"
    QUALIFICATION_SYSTEM = "qualification_system"
    DYNAMIC_PURCHASING_SYSTEM = "dynamic_purchasing_system"
    ELECTRONIC_CATALOGUE = "electronic_catalogue"
    ELECTRONIC_AUCTION = "electronic_auction"


class AmountKind(StrEnum):
    """What a sum is: `estimate` thought of before, `maximum` the most that it may come to,
    `awarded` agreed with the holder, `subsidy` what is given, `cost` what the whole costs."""

    ESTIMATE = "estimate"
    MAXIMUM = "maximum"
    AWARDED = "awarded"
    SUBSIDY = "subsidy"
    COST = "cost"


class Tax(StrEnum):
    """`excluded` without taxes (HT), `included` with all of them (TTC), `unknown` not said."""

    EXCLUDED = "excluded"
    INCLUDED = "included"
    UNKNOWN = "unknown"


class DeadlineKind(StrEnum):
    """By when: `tender` tenders are handed in (offres), `application` applications are
    (candidatures, dossiers), `question` questions are asked, `decision` it is decided."""

    TENDER = "tender"
    APPLICATION = "application"
    QUESTION = "question"
    DECISION = "decision"


ANSWER_BY: Final = frozenset({DeadlineKind.TENDER, DeadlineKind.APPLICATION})
"""The kinds until which one may answer; the others say when something else is due."""


class Access(StrEnum):
    """What helps small firms and others in: `sme` it suits them (lots, advances), `reserved` it is
    theirs alone (Code de la commande publique, art. L.2113-12), `social` or `green` it asks for
    work for those who need it, or for care of the environment."""

    SME = "sme"
    RESERVED = "reserved"
    SOCIAL = "social"
    GREEN = "green"


class ActionKind(StrEnum):
    """What a reader does there: `respond` hands in a tender, `apply` an application, `contact`
    writes to somebody, `procedure` begins a formality (démarche)."""

    RESPOND = "respond"
    APPLY = "apply"
    CONTACT = "contact"
    PROCEDURE = "procedure"


class ProjectStage(StrEnum):
    """How far a project is; of what is `delivered` or `abandoned` nothing more comes."""

    IDEA = "idea"
    STUDIES = "studies"
    FUNDED = "funded"
    TENDERING = "tendering"
    WORKS = "works"
    DELIVERED = "delivered"
    ABANDONED = "abandoned"


class NeedStage(StrEnum):
    """How far a need is: `reported` somebody said it, `qualified` it was looked into, `directed` it
    was passed on to who can help."""

    REPORTED = "reported"
    QUALIFIED = "qualified"
    DIRECTED = "directed"


class Recurrence(StrEnum):
    """How often it comes back; `continuous` is all the time."""

    ONCE = "once"
    MONTHLY = "monthly"
    YEARLY = "yearly"
    CONTINUOUS = "continuous"


class Outcome(StrEnum):
    """How it ended: a call is `awarded`, `unsuccessful`, `dropped` or `terminated`, a project
    `completed` or `abandoned`, a need `met` or `abandoned`. `unsuccessful` and `dropped` are the
    two ways to declare a procedure "sans suite" (Code de la commande publique, art. R.2185-1): no
    suitable offer, or for a reason of general interest. `terminated` is a contract that ended
    early (résilié)."""

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
    """Why a record was updated: `correction` of a mistake, `extension` of a deadline, `amendment`
    (avenant) or `renewal` (reconduction) of a contract. None of them reopens what is closed."""

    CORRECTION = "correction"
    EXTENSION = "extension"
    AMENDMENT = "amendment"
    RENEWAL = "renewal"


class WithdrawalReason(StrEnum):
    """`error`: it should not have been published. `erasure`: all that was said of it is erased for
    good, here and at subscribers (RGPD, art. 17). Never a cancellation: that is `closed`."""

    ERROR = "error"
    ERASURE = "erasure"
