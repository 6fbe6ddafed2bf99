"""French as people type it, on a real Elasticsearch: the contract of `q`."""

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.documents import document
from tests.search_api.conftest import Service
from traverse_schemas.french.analysis import STOP_WORDS
from traverse_schemas.french.synonyms import product_entries
from traverse_search_api.parameters import MOST_WORDS

pytestmark = pytest.mark.engines

DOCUMENTS = [
    document("school", "Rénovation de l’école communale", description="Toiture et façades."),
    document("schools", "Travaux dans les écoles maternelles", owner="Ville d'Aubagne"),
    document("group", "Extension du groupe scolaire Jean-Moulin"),
    document("hall", "Mise aux normes de l'hôtel de ville"),
    document("amo", "Mission d'A.M.O. pour la piscine"),
    document("amo-long", "Assistance à la maîtrise d’ouvrage : réseau de chaleur"),
    document("video", "Déploiement de la vidéoprotection"),
    document("bio", "Collecte des bio-déchets"),
    document("waste", "Collecte des déchets ménagers"),
    document("funds", "Collecte de fonds pour les sinistrés", description="Appel aux dons."),
    document("road", "Réfection de la RD543", description="Chaussée et trottoirs."),
    document("pool", "Piscine intercommunale", description="Rénovation des bassins."),
    document("plu", "Révision du PLUi", place=["epci:200054807"]),
    document("works", "École : travaux de rénovation"),
    document("firm", "Entretien", holders=[{"id": "1", "name": "Eurovert Services"}]),
    document("label", "Marché 2026-17", cpv=["45233140"], cpv_labels=["Travaux routiers"]),
    document("east", "Étude pour le Grand Est", place=["reg:44"]),
    document("joined", "Badges TotalEnergies"),
    document("apart", "Carburant à la carte de Total Energies"),
    document("epci", "Fusion de deux établissements publics de coopération intercommunale"),
    document("crte", "Suivi du contrat de relance et de transition écologique"),
    document("german", "Wartung der Straßenbeleuchtungen", language="de"),
    document("english", "Street lighting: invitation of operators", language="en"),
    document("wall", "Reprise d'un mur de soutènement", cpv=["45262520"]),
    document("trade", "Cherche partenaire pour un chantier", kind="need", naf=["4399C"]),
    document(
        "relayed",
        "Curage de fossés",
        institutions=[
            {
                "siren": "211300553",
                "name": "Ville de Marseille",
                "kind": "commune",
                "role": "owner",
            },
            {"siren": "130025265", "name": "Relais Numérique", "kind": "other", "role": "source"},
        ],
    ),
    document("furniture", "Achat de tables", place=["com:13005"]),
    document(
        "chalet",
        "Toiture du chalet",
        place=["com:05004"],
        owner="Commune d'Aubagne",
        owner_siren="211300058",
    ),
    document("html", "Portail <script>alert(1)</script> & services", description="<b>École</b>"),
]


@pytest.fixture(scope="module", autouse=True)
def _documents(service: Service) -> None:
    service.add(*DOCUMENTS)


@pytest.mark.parametrize(
    ("typed", "found", "not_found"),
    [
        ("ecole", {"school", "schools", "works", "group"}, {"pool"}),
        ("ÉCOLES", {"school", "schools", "works", "group"}, {"pool"}),
        ("l'école", {"school", "schools"}, {"pool"}),
        ("L’ÉCOLE", {"school", "schools"}, {"pool"}),
        ("rénovation école", {"school", "works"}, {"pool", "schools"}),
        ("rénovations des écoles", {"school", "works"}, {"pool"}),
        ("jean moulin", {"group"}, {"school"}),
        ("Jean-Moulin", {"group"}, {"school"}),
        ("AMO", {"amo", "amo-long"}, {"pool"}),
        ("a.m.o.", {"amo", "amo-long"}, {"pool"}),
        ("assistance à maîtrise d'ouvrage", {"amo", "amo-long"}, {"pool"}),
        ("totalenergies", {"joined", "apart"}, {"pool"}),
        ("total energies", {"joined", "apart"}, {"pool"}),
        ("fusion EPCI", {"epci"}, {"pool"}),
        ("suivi CRTE", {"crte"}, {"pool"}),
        ("mairie", {"hall"}, {"school"}),
        ("vidéosurveillance", {"video"}, {"school"}),
        ("biodéchets", {"bio"}, {"school"}),
        ("collecte des déchets", {"waste"}, {"funds", "school"}),
        ("bio-déchet", {"bio"}, {"school"}),
        ("RD 543", {"road"}, {"school"}),
        ("voirie", {"road"}, {"school"}),
        ("plan local d'urbanisme intercommunal", {"plu"}, {"school"}),
        ("maternelle aubagne", {"schools"}, {"school"}),
        ("école marseille", {"school", "group"}, set()),
        ("routier", {"label"}, {"school"}),
        ("eurovert", {"firm"}, {"school"}),
        ("grand est", {"east"}, {"school"}),
        ("de la", set(), {one["sources"][0]["subject"] for one in DOCUMENTS}),
        ("l ecole", {"school", "schools"}, {"pool"}),
        ('"hôtel de ville"', {"hall"}, {"school"}),
        ('"travaux de rénovation"', {"works"}, {"school"}),
        ('"école maternelle"', set(), {"schools"}),
        ('"ecoles maternelles"', {"schools"}, {"school"}),
        ("rénovation -piscine", {"school", "works"}, {"pool"}),
        ("rénovation -piscines", {"school", "works"}, {"pool"}),
        ('rénovation -"école communale"', {"pool", "works"}, {"school"}),
        # Quotes, minus, star and a field go together.
        ("rénovation -inter*", {"school", "works"}, {"pool"}),
        ("école -acheteur:aubagne", {"school", "works"}, {"schools"}),
        ("école -acheteur:aub*", {"school", "works"}, {"schools"}),
        ('titre:"école communale"', {"school"}, {"schools", "works"}),
        ('titre:"écoles communales"', set(), {"school"}),
        ("titre:écoles", {"school", "schools", "works"}, {"html", "pool"}),
        ("titre:réno* école", {"works", "school"}, {"pool", "schools"}),
        ("titulaire:euro*", {"firm"}, {"school"}),
        ("ref:hall", {"hall"}, {"school"}),
        ("ref:ha*", {"hall"}, {"school"}),
        ("cpv:45 -cpv:4521", {"label"}, {"school"}),
        ("-cpv:45233140 marché", set(), {"label"}),
        # One or the other, with the other words for each.
        ("maternelle OR piscine", {"schools", "pool", "amo"}, {"school", "hall"}),
        ("maternelle OU mairie", {"schools", "hall"}, {"school", "pool"}),
        ("chaudière OR AMO", {"amo", "amo-long"}, {"school"}),
        ('"ecoles" OR "bassins"', {"schools", "pool"}, {"school", "works"}),
        ("rénovation communal* OR travaux", {"school", "works"}, {"pool", "schools"}),
        ("acheteur:aubagne OR titre:piscine", {"schools", "amo", "pool"}, {"school", "hall"}),
        # A trade by its name or its code is what is bought of it, and who has that code.
        ("maçon", {"wall", "trade"}, {"school"}),
        ("43.99C", {"wall", "trade"}, {"school"}),
        ("NAF 4399C", {"wall", "trade"}, {"school"}),
        ("43.99D", set(), {"wall", "trade"}),
        # Who governs a place: what lies there, and what is of it elsewhere.
        ("mairie d'aubagne", {"furniture", "chalet"}, {"school", "hall"}),
        ("toiture ville d'Aubagne", {"chalet"}, {"furniture", "school"}),
        ("tables agglo d'Aubagne", {"furniture"}, {"chalet"}),
        ('acheteur:"mairie d\'aubagne"', set(), {"chalet"}),
        # What an institution relays of others it does not buy; plain words find it all the same.
        ("acheteur:numérique", set(), {"relayed"}),
        ('acheteur:"relais numérique"', set(), {"relayed"}),
        ("acheteur:relai*", set(), {"relayed"}),
        ("fossés -acheteur:relais", {"relayed"}, set()),
        ("acheteur:marseille fossés", {"relayed"}, set()),
        ("relais numérique", {"relayed"}, {"school"}),
        ("inter*", {"pool"}, {"school"}),
        ("vidéo*", {"video"}, {"school"}),
        ("l'éc*", {"school", "schools", "works"}, {"pool"}),
        ("2026-17", {"label"}, {"school"}),
        ("HALL", {"hall"}, {"school"}),
        ("zyzzyva", set(), {"school"}),
        # In a document's own language: umlauts, ß, endings and small words do not matter.
        ("Strassenbeleuchtung", {"german"}, {"english", "school"}),
        ("Wartungen von Straßenbeleuchtung", {"german"}, {"english", "school"}),
        ("operating the street lights", {"english"}, {"german", "school"}),
        ("the street", {"english"}, {"german", "school"}),
        ("the", set(), {"english"}),
    ],
)
def test_finds_what_people_mean(
    service: Service, typed: str, found: set[str], not_found: set[str]
) -> None:
    """Accents, case, hyphens, elisions, plurals, acronyms and usual synonyms do not matter; all
    words count; quotes, minus and star do what they say."""
    subjects = set(service.subjects(q=typed))
    assert found <= subjects
    assert not subjects & not_found
    if not found:
        assert subjects == set()


def test_a_form_as_typed_ranks_above_its_synonym_and_a_title_above_a_text(service: Service) -> None:
    """Who types "piscine" means the piscine of the title first; "AMO" is AMO before its words."""
    assert set(service.subjects(q="école")[-2:]) == {"group", "html"}
    assert service.subjects(q="AMO")[0] == "amo"
    assert service.subjects(q="rénovation")[-1] == "pool"


def test_what_is_marked_is_safe_to_print(service: Service) -> None:
    """Only <mark> is markup; what a publisher wrote is text."""
    (item,) = service.ask(q="portail école")["items"]
    marked = " ".join(text for texts in item["highlights"].values() for text in texts)
    assert "<mark>Portail</mark>" in marked
    assert "&lt;script&gt;" in marked
    assert "<" not in marked.replace("<mark>", "").replace("</mark>", "")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.one_of(
        st.text(max_size=200),
        st.lists(
            st.sampled_from(
                [
                    '"',
                    "-",
                    "*",
                    "école",
                    "AMO",
                    "(",
                    "OR",
                    "~2",
                    "[a TO b]",
                    "d'",
                    "\\",
                    "titre:",
                    "-ref:",
                    "Inſtitution:x",
                ]
            )
        ).map(" ".join),
    )
)
def test_whatever_is_typed_is_answered(service: Service, typed: str) -> None:
    """There is no syntax error in this language."""
    service.ask(q=typed.encode("utf-8", "ignore").decode(), facets="none")


LONGEST = (
    " ".join(f"mot{n}" for n in range(140)),
    "école mairie AMO cantine " * 40,
    "a " * 500,
    "a* " * 330,
    "-x " * 330,
    "été* " * 190,
    " OR ".join(entry.terms[0] for entry in product_entries()),
    '"' + "mot " * 240 + '"',
)


@pytest.mark.parametrize("typed", LONGEST)
def test_the_longest_texts_are_answered(service: Service, typed: str) -> None:
    """Elasticsearch bounds clauses and depth; as many words as a text may have stay below."""
    ends = [word.end() for word in re.finditer(r"\w+", typed[:1000])]
    service.ask(q=typed[: ends[min(len(ends), MOST_WORDS) - 1]])


@pytest.mark.parametrize(
    ("analyzer", "text", "tokens"),
    [
        ("french_exact", "L’École d'Aix-en-Provence", ["ecole", "aix", "en", "provence"]),
        ("french_exact", "A.M.O. et C.C.T.P", ["amo", "et", "cctp"]),
        ("french_exact", "éco-quartier RD543", ["ecoquartier", "rd", "543"]),
        ("french_index", "les écoles communales", ["les", "ecol", "comunal"]),
        ("french_search", "de la", []),
        ("french_search", "plus", []),
    ],
)
def test_the_analysis_gives_these_tokens(
    service: Service, analyzer: str, text: str, tokens: list[str]
) -> None:
    """Whichever Elasticsearch serves it, the local one or a full one."""
    assert service.tokens(analyzer, text) == tokens


def test_no_two_synonym_entries_meet_after_stemming(service: Service) -> None:
    """The engine's own stemmer: two left sides that it merges would mix their meanings."""
    owner: dict[tuple[str, ...], str] = {}
    clashes: list[Any] = []
    for entry in product_entries():
        rule = entry.rule
        for term in entry.terms:
            stems = tuple(service.tokens("french_index", term))
            if owner.setdefault(stems, rule) != rule:
                clashes.append((term, rule, owner[stems]))
            if len(stems) == 1:
                assert stems[0] not in STOP_WORDS, f"{term} is a stop word"
    assert clashes == []
