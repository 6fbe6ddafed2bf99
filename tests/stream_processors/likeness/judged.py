"""Judged sets for likeness, and the two classics that it is measured beside.

`TRIPLETS` are of our own writing: a text, one that is near to it without sharing a telling word,
and one that is far though it may share words. `retrieval` judges on real titles by their CPV
codes, which no method sees: a title of the same class by another buyer is relevant.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple
from zlib import crc32

from traverse_stream_processors.likeness.terms import terms_of

Score = Callable[[str, str], float]

TRIPLETS = (
    ("réfection de la voirie communale", "rénovation des routes",
     "achat de matériel informatique"),
    ("réfection de la voirie communale", "reprise des chaussées",
     "rénovation de l'école communale"),
    ("travaux d'enrobés rue de la Gare", "réfection de chaussée", "travaux de toiture de la gare"),
    ("maintenance des ascenseurs", "entretien des appareils élévateurs",
     "maintenance des logiciels"),
    ("achat d'ordinateurs portables", "fourniture de postes de travail", "achat de vélos"),
    ("vidéoprotection du port", "caméras de surveillance urbaine", "dragage du port"),
    ("cantine scolaire", "livraison de repas pour les écoles", "fournitures scolaires"),
    ("élagage des platanes", "taille des arbres d'alignement", "éclairage des allées"),
    ("ramassage des ordures ménagères", "collecte des déchets", "aide ménagère à domicile"),
    ("nettoyage des locaux", "propreté des bâtiments", "location de locaux"),
    ("centre aquatique intercommunal", "piscine", "centre de loisirs"),
    ("couverture de la médiathèque", "réfection de la toiture", "livres pour la médiathèque"),
    ("photocopieurs", "location d'imprimantes", "ascenseurs"),
    ("borne de recharge pour véhicules électriques", "IRVE", "armoire électrique"),
    ("chaufferie bois", "chaudière biomasse", "mobilier en bois"),
    ("transport scolaire", "autocars pour les élèves", "mobilier scolaire"),
    ("curage des égouts", "entretien du réseau d'assainissement", "entretien des espaces verts"),
    ("adduction d'eau potable", "canalisations d'eau", "fontaine décorative en pierre"),
    ("désamiantage", "retrait de l'amiante avant démolition", "assurance des bâtiments"),
    ("crèche municipale", "accueil de la petite enfance", "police municipale"),
    ("EHPAD", "maison de retraite", "hôtel de police"),
    ("logiciel de paie", "progiciel de ressources humaines", "vêtements de travail"),
    ("assurance de la flotte automobile", "couverture des risques des véhicules", "achat de bus"),
    ("feu d'artifice du 14 juillet", "spectacle pyrotechnique", "extincteurs"),
    ("tonte des pelouses", "entretien des espaces verts", "entretien des chaudières"),
    ("gardiennage du parc des expositions", "agents de sécurité", "panneaux d'exposition"),
    ("papier pour copieurs", "ramettes et papeterie", "papier peint"),
    ("fourniture de gazole", "carburants pour les véhicules", "véhicules de voirie"),
    ("extension du groupe scolaire", "agrandissement de l'école", "assurance scolaire"),
    ("isolation par l'extérieur de la mairie", "rénovation énergétique de la façade", "standard"
     " téléphonique de la mairie"),
    ("éclairage public à LED", "remplacement des candélabres", "reliure des actes publics"),
    ("panneaux photovoltaïques", "ombrière solaire", "panneaux de signalisation"),
    ("piste cyclable", "voie verte pour les vélos", "voie ferrée"),
    ("déneigement des routes", "salage et viabilité hivernale", "sel de table pour les cantines"),
    ("gymnase", "halle des sports", "salle informatique"),
    ("compostage partagé", "tri à la source des biodéchets", "plantes en pot"),
    ("défibrillateurs", "DAE pour les salles communales", "pompes à eau"),
    ("restauration de l'église", "travaux sur un monument historique", "restauration collective"),
    ("maîtrise d'œuvre pour la salle des fêtes", "mission d'architecte pour la salle polyvalente",
     "traiteur pour la fête"),
    ("campagne de recrutement", "offres d'emploi", "campagne de mesures acoustiques"),
    ("fibre optique", "très haut débit", "lunettes optiques"),
    ("cahiers et manuels", "fournitures scolaires", "fournitures pour l'arrosage"),
    ("lutte contre les inondations", "protection contre les crues", "lutte contre le tabac"),
    ("désimperméabilisation de la cour", "cour oasis végétalisée", "cour d'appel"),
    ("légumes et fruits bio", "denrées en circuit court", "biologie médicale"),
    ("traduction en italien", "interprète", "vins d'Italie"),
    ("aires de jeux", "jeux pour enfants dans les squares", "jeux de données"),
    ("peinture des classes", "revêtements muraux de l'école", "exposition de tableaux"),
    ("diagnostic énergétique des bâtiments", "audit thermique du patrimoine bâti", "diagnostic"
     " archéologique"),
    ("affranchissement du courrier", "plis postaux", "coursier pour analyses médicales"),
)  # fmt: skip


class Corpus:
    """What BM25 and TF-IDF count in: the titles, by the same terms as likeness."""

    def __init__(self, titles: Sequence[str]) -> None:
        self.terms = [terms_of(title) for title in titles]
        self.spread = Counter(term for terms in self.terms for term in set(terms))
        self.size = len(titles)
        self.mean = sum(map(len, self.terms)) / max(1, self.size)

    def idf(self, term: str) -> float:
        return math.log(1 + (self.size - self.spread[term] + 0.5) / (self.spread[term] + 0.5))

    def bm25(self, query: Sequence[str], terms: Sequence[str]) -> float:
        """Robertson and Zaragoza 2009, k1 = 1.2, b = 0.75."""
        counts = Counter(terms)
        norm = 1.2 * (0.25 + 0.75 * len(terms) / self.mean)
        return sum(
            self.idf(term) * counts[term] * 2.2 / (counts[term] + norm)
            for term in set(query)
            if term in counts
        )

    def tfidf(self, query: Sequence[str], terms: Sequence[str]) -> float:
        """The cosine of log-weighted TF-IDF vectors."""
        left = {t: (1 + math.log(n)) * self.idf(t) for t, n in Counter(query).items()}
        right = {t: (1 + math.log(n)) * self.idf(t) for t, n in Counter(terms).items()}
        lengths = math.hypot(*left.values()) * math.hypot(*right.values())
        shared = sum(value * right[term] for term, value in left.items() if term in right)
        return shared / lengths if lengths else 0.0


class Judged(NamedTuple):
    """Figures of one method on the real titles."""

    precision_at_5: float
    recall_at_50: float
    mean_average_precision: float


def wrong(score: Score) -> list[tuple[str, str, str]]:
    """The triplets whose far text is at least as near as the near one."""
    return [t for t in TRIPLETS if score(t[0], t[1]) <= score(t[0], t[2])]


def halves(contents: Iterable[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Contents to learn from, and to judge on: apart by a hash of the title, so that no title is
    on both sides."""
    sides: tuple[list[dict[str, Any]], list[dict[str, Any]]] = ([], [])
    for content in contents:
        sides[crc32(content["title"].lower().encode()) % 2].append(content)
    return sides


def titles_with_cpv(contents: Iterable[dict[str, Any]], most: int) -> list[tuple[str, str, str]]:
    """(title, CPV class of 5 digits, owner) of distinct titles, the same on every machine."""
    found = {
        content["title"]: (content["title"], content["cpv"][0][:5], content.get("owner_siren", ""))
        for content in contents
        if len(content.get("cpv", ())) == 1 and content["cpv"][0][4] != "0"
    }
    return sorted(found.values(), key=lambda row: crc32(row[0].encode()))[:most]


def figures(
    ranks: Callable[[int], Sequence[float]], rows: Sequence[tuple[str, str, str]], queries: int
) -> Judged:
    """The figures of a method that scores all titles for the query of that number."""
    at5, recall, average, counted = 0.0, 0.0, 0.0, 0
    for query in range(len(rows)):
        _, code, owner = rows[query]
        relevant = {
            n for n, row in enumerate(rows) if row[1] == code and row[2] != owner and n != query
        }
        if len(relevant) < 3:
            continue
        scores = ranks(query)
        candidates = [n for n, row in enumerate(rows) if row[2] != owner and n != query]
        ranked = sorted(candidates, key=lambda n: (-scores[n], n))
        hits = [n in relevant for n in ranked]
        at5 += sum(hits[:5]) / 5
        recall += sum(hits[:50]) / len(relevant)
        found = 0
        total = 0.0
        for place, hit in enumerate(hits, start=1):
            if hit:
                found += 1
                total += found / place
        average += total / len(relevant)
        counted += 1
        if counted == queries:
            break
    return Judged(at5 / counted, recall / counted, average / counted)
