"""Who may read a record: decided before it is stored (design, decision 9)."""

from enum import StrEnum


class Visibility(StrEnum):
    """The four audiences. Federations and firms are bidders: they must not read future purchases.

    `public` is everybody; `buyers` are the institutions subject to the Code de la commande publique
    (art. L.1210-1); `members` is every registered institution; `restricted` those whose SIRENs
    `audience` names.
    """

    PUBLIC = "public"
    BUYERS = "buyers"
    MEMBERS = "members"
    RESTRICTED = "restricted"


VISIBILITY_LABELS: dict[Visibility, str] = {
    Visibility.PUBLIC: "Public",
    Visibility.BUYERS: "Acheteurs",
    Visibility.MEMBERS: "Institutions membres",
    Visibility.RESTRICTED: "Destinataires choisis",
}


def default_visibility(kind: str, subtype: str) -> Visibility:
    """What holds when the publisher says nothing: purchase needs are for buyers, the rest public.

    Equal treatment of candidates (Code de la commande publique, art. L.3): a future purchase
    is not shown to those who could bid for it unless its owner decides so.
    """
    if (kind, subtype) in {("need", "purchase"), ("project", "purchase_programme")}:
        return Visibility.BUYERS
    return Visibility.PUBLIC
