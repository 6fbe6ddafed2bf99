"""The data officer's page: every topic and table, how long it is kept, and whose data it may hold.

Made from the declarations that `traverse up` applies, so that it cannot say something else; what a
program cannot know (whose data) stands here, and a new topic without it fails a test.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from traverse_schemas.log.topics import TOPICS, Topic

_DAY_MS = 24 * 3600 * 1000

_AS_PUBLISHED = (
    "Contacts professionnels publiés volontairement, noms d'entreprises individuelles, ce que le "
    "texte libre nomme"
)
_IDENTIFIERS = "Aucune, sauf si une référence ou un identifiant en contient"

PERSONAL: dict[str, str] = {
    "traverse.inbound": "Tout ce qu'un éditeur envoie, avant contrôle",
    "traverse.accepted": _AS_PUBLISHED,
    "traverse.rejected": "L'original refusé, tel que reçu",
    "traverse.events.project": _AS_PUBLISHED,
    "traverse.events.call": _AS_PUBLISHED,
    "traverse.events.need": _AS_PUBLISHED,
    "traverse.records": _AS_PUBLISHED,
    "traverse.opportunities": _AS_PUBLISHED,
    "traverse.receipts": f"{_IDENTIFIERS} ; la phrase d'un refus d'Elasticsearch",
    "traverse.changes": "Aucune : identifiants de fiches",
    "traverse.institutions": "Contact professionnel de l'institution",
    "traverse.links": "La raison d'un lien, qui peut reprendre des mots des deux dossiers",
    "traverse.groupings": "Titres des besoins, institutions et montants",
    "traverse.decisions": "Ce que dit une institution d'un lien ; le motif en texte libre",
    "traverse.subscriptions": "Recherche enregistrée par un agent, sous l'identifiant de son "
    "compte ; adresse d'un webhook",
    "traverse.readership": "Aucune : des sommes par jour et par institution",
    "traverse.showcases": "Aucune : des adresses de sites",
    "traverse.quotas": "Aucune : un SIREN et un nombre",
    "traverse.permanences": "Aucune, sauf un nom que le titre ou le lieu d'une permanence dirait",
    "traverse.accounts": "Compte d'un agent : adresse professionnelle, nom, mot de passe haché",
    "traverse.audit": "Ce qu'un agent a fait, sous l'identifiant de son compte, sans son adresse",
}
"""Whose data each topic may hold, in French. Names that are not declared yet do no harm."""


class Table(NamedTuple):
    """A place that is no topic."""

    where: str
    what: str
    kept: str
    personal: str
    erased: str


TABLES: tuple[Table, ...] = (
    Table(
        "Elasticsearch, un index par visibilité",
        "les fiches, telles que la recherche les montre",
        "tant que le dossier est publié ; reconstruit depuis le journal",
        _AS_PUBLISHED,
        "la fiche devient un repère sans contenu ; l'ancienne copie part avec la fusion des "
        "segments, que demande « traverse privacy purge »",
    ),
    Table(
        "HOME/state/validate-*.sqlite",
        "cache de l'étape de validation : dernier état des dossiers, empreintes des événements ; "
        "des essais, ce qui en décide, sans les mots de l'éditeur",
        "peut être supprimé à tout moment ; refait depuis le journal, essais exceptés",
        _AS_PUBLISHED,
        "remplacé par un état sans contenu quand l'effacement est traité ; supprimer le fichier "
        "ne coûte qu'une relecture du journal",
    ),
    Table(
        "HOME/state, fichier sans nom de l'étape de rapprochement",
        "cache de l'étape : dernier état des dossiers",
        "disparaît avec le processus ; refait depuis le journal",
        _AS_PUBLISHED,
        "remplacé par un état sans contenu quand l'effacement est traité",
    ),
    Table(
        "HOME/state, fichier sans nom de l'étape de liaison",
        "dernier état des dossiers, pour les relier",
        "part avec le processus ; refait depuis le journal",
        _AS_PUBLISHED,
        "remplacé par un état sans contenu quand l'effacement est traité",
    ),
    Table(
        "HOME/state/receipts.sqlite",
        "cache des accusés et des refus, sans les contenus",
        "90 jours ; peut être supprimé à tout moment",
        f"{_IDENTIFIERS} ; la phrase d'un refus",
        "avec ses 90 jours, ou en supprimant le fichier",
    ),
    Table(
        "File d'envoi d'un éditeur (Publisher, outbox=FILE)",
        "événements pas encore confirmés, et refusés mis de côté",
        "jusqu'à la confirmation, ou jusqu'à « traverse outbox drop »",
        "Tout ce que l'éditeur envoie",
        "« traverse privacy purge » retire ce qui attend d'un dossier effacé des files du dossier "
        "HOME et de celles données par --file ; ailleurs, chez l'éditeur : « traverse outbox "
        "show », puis « drop »",
    ),
    Table(
        "HOME/gateway/spool.sqlite3",
        "événements que la passerelle a reçus pendant que Kafka était absent, si l'exploitant le "
        "permet (TRAVERSE_GATEWAY_SPOOL)",
        "jusqu'à la confirmation par Kafka ; les refusés, jusqu'à « traverse outbox drop »",
        "Tout ce que l'éditeur envoie",
        "cherché par « traverse privacy find », vidé du dossier effacé par « purge »",
    ),
    Table(
        "HOME/gateway/records.sqlite3",
        "des dossiers posés par PUT : empreintes de l'adresse et du dernier contenu, identifiant "
        "et date du dernier événement",
        "tant que la passerelle sert ; peut être supprimé quand elle est arrêtée",
        "Aucune lisible : des empreintes",
        "reste, pour que le même contenu, posé de nouveau, ne republie pas un dossier effacé",
    ),
    Table(
        "HOME/search/history.sqlite3",
        "où se trouvent les événements de chaque dossier sur traverse.accepted (historique) : "
        "empreintes, dates, visibilité ; aucun contenu",
        "peut être supprimé quand la recherche est arrêtée ; refait depuis le journal",
        "Aucune lisible : des empreintes",
        "part avec la pierre tombale de chaque événement, lue avant toute réponse",
    ),
    Table(
        "Position d'un import (traverse import --position FILE)",
        "de chaque dossier du listing : référence, empreintes de ce qui en a été dit",
        "à la main de l'exploitant ; sans elle, tout le listing est publié de nouveau",
        _IDENTIFIERS,
        "cherchée par « traverse privacy find » (--file hors de HOME) ; la ligne d'un dossier "
        "effacé reste, pour que l'import de la nuit ne le republie pas",
    ),
    Table(
        "Liste d'envois (traverse publish --sent FILE)",
        "de chaque ligne publiée : fichier, ligne, référence, source, identifiant",
        "à la main de qui l'a demandée",
        _IDENTIFIERS,
        "cherchée par « traverse privacy find » (--file hors de HOME) ; à supprimer à la main",
    ),
    Table(
        "HOME/state/notify.sqlite",
        "registre des alertes : clés des dossiers vus, empreintes de leurs champs, ce qui a été "
        "annoncé à quelle alerte, envois en attente, silences déjà dits ; ni contenu, ni adresse",
        "90 jours pour une alerte ; le reste tant que le dossier et l'alerte existent",
        _IDENTIFIERS,
        "le dossier part quand son retrait est traité (« traverse check --purged » le vérifie), "
        "l'alerte avec sa suppression",
    ),
    Table(
        "Journaux des services (HOME/logs)",
        "démarrages, arrêts, défauts internes, changements du registre (SIREN et clé d'API de qui "
        "les fait) ; aucun contenu d'événement",
        "à la main de l'exploitant",
        "Aucune",
        "sans objet",
    ),
)

_HEAD = """\
# Conservation des données

*Page faite par `traverse privacy page` depuis les déclarations des topics : ne pas la modifier à \
la main (un test la tient à jour).* Elle s'adresse au délégué à la protection des données : où se \
trouvent des données, combien de temps, et comment elles s'effacent.

Les importateurs de données ouvertes laissent à la porte les noms, courriels et téléphones de \
contact ([décision 11](adr/0011-personal-data.md)). Les consultations ne sont comptées qu'en \
agrégat, jamais par personne.

## Topics de Kafka
"""

_TAIL = """
## Droit d'accès et effacement
- **Trouver.** `traverse privacy find TERME` cherche un nom, un courriel ou un numéro dans tous \
les topics, l'index et nos fichiers (files d'envoi, positions d'import, listes d'envois), sans \
tenir compte des accents ni des majuscules.
- **Effacer.** L'institution publie `withdrawn` avec `"reason": "erasure"` (RGPD, art. 17), ou \
l'exploitant lance `traverse privacy purge SOURCE REFERENCE`. Chaque événement du dossier reçoit \
une pierre tombale, la fiche devient un repère sans contenu, ce qui attendait dans nos files \
d'envoi en part, et rien de plus ancien n'est accepté de nouveau. Seuls restent la source, la \
référence et la date de l'effacement, qui empêchent le retour, et le mot de qui a parlé de ses \
liens (« pas le même dossier »), sans le texte écrit avec lui : la purge de l'exploitant l'ôte du \
journal, et `traverse check --purged --repair` celui des dossiers que les institutions ont \
effacés elles-mêmes.
- **Prouver.** `traverse check --purged` relit les topics, l'index, nos files d'envoi et le \
registre des alertes, y cherche aussi ces textes, et donne la date à laquelle la dernière copie \
aura quitté les disques. Ce qui est reçu et refusé n'est pas effacé un à un : il part avec sa \
conservation, en 31 jours au plus (le mois de l'article 12(3) du RGPD).
- **Ce qui échappe.** Les abonnés des topics publics gardent ce qu'ils ont lu : ils reçoivent le \
retrait, sans contenu, et doivent effacer à leur tour. Les sauvegardes de l'exploitant suivent \
leur propre durée.
"""


def page(topics: Sequence[Topic] = TOPICS) -> str:
    """The whole page (Markdown, French). Raises KeyError for a topic that nobody described."""
    return _HEAD + "\n".join(_topic_lines(topics)) + "\n" + "\n".join(_table_lines()) + "\n" + _TAIL


def _topic_lines(topics: Sequence[Topic]) -> Iterator[str]:
    yield ""
    yield (
        "| topic | conservation | données personnelles possibles | après effacement, au plus tard |"
    )
    yield "|---|---|---|---|"
    for topic in topics:
        kept, gone = _kept(topic)
        yield f"| `{topic.name}` | {kept} | {PERSONAL[topic.name]} | {gone} |"


def _kept(topic: Topic) -> tuple[str, str]:
    config = topic.config
    if config["cleanup.policy"] == "compact":
        lag = _days(config["max.compaction.lag.ms"])
        return "le dernier message de chaque clé, sans limite", f"{lag} (compactage)"
    whole = int(config["retention.ms"]) + int(config.get("segment.ms", 7 * _DAY_MS))
    return _days(config["retention.ms"]), f"{_days(str(whole))} (fin de conservation)"


def _days(milliseconds: str) -> str:
    days = int(milliseconds) / _DAY_MS
    return f"{days:g} jour" + ("s" if days >= 2 else "")


def _table_lines() -> Iterator[str]:
    yield ""
    yield "## Hors de Kafka"
    yield ""
    yield "| où | quoi | conservation | données personnelles possibles | effacement |"
    yield "|---|---|---|---|---|"
    for one in TABLES:
        yield f"| {' | '.join(one)} |"
