"""Words that tell a theme by themselves, for texts without a CPV code.

Folded (lower case, no accents), in the singular; the plural in -s or -x is added. Words of several
senses are left out on purpose: « réseau », « plan », « sécurité », « place », « centre »,
« aménagement », « équipement », « fourniture », « site » say nothing alone, « rue » is mostly an
address, « verte » a lane or a plant, and « rénovation » may be of anything.
"""

from types import MappingProxyType

_WORDS = {
    "voirie": """
        voirie chaussee trottoir route routier routiere carrefour giratoire enrobe bitume
        signalisation cyclable velo pietonne pieton pont passerelle stationnement parking
        deneigement viabilite piste vrd multimodal
    """,
    "transport": """
        transport bus autobus autocar tramway metro navette covoiturage vehicule camion fourgon
        utilitaire ferroviaire gare bateau autopartage aeroport ferry balayeuse
    """,
    "batiment": """
        batiment maconnerie charpente toiture couverture menuiserie platrerie cloison peinture
        carrelage ravalement facade demolition desamiantage ascenseur etancheite rehabilitation
        bati locaux plomberie cvc
    """,
    "eau": """
        eau assainissement potable eaux usees epuration step pluvial pluviale hydraulique
        aqueduc captage canalisation forage nappe phytoepuration desimpermeabilisation
        deraccordement
    """,
    "dechets": """
        dechet dechetterie decheterie ordure recyclage recyclerie ressourcerie compost
        compostage biodechet encombrant tri reemploi collecte decharge incineration menageres
    """,
    "energie": """
        energie energetique photovoltaique solaire eclairage chaufferie chauffage chaudiere
        isolation thermique biomasse geothermie methanisation electricite gaz hydroelectricite
        eolien eolienne led relamping decarbonation climatisation calorifugeage carburant
        combustible luminaire thermiques
    """,
    "numerique": """
        numerique informatique logiciel internet fibre cybersecurite serveur telephonie
        telecommunication wifi dematerialisation web hebergement ordinateur imprimante progiciel
        datacenter intranet videoconference applicatif
    """,
    "education": """
        ecole scolaire college lycee maternelle elementaire creche enfance periscolaire
        universite universitaire enseignement pedagogique alsh etudiant bibliobus eleve
    """,
    "alimentation": """
        alimentation alimentaire restauration cantine repas denree cuisine maraichage agricole
        agriculture boulangerie legume traiteur viande epicerie boisson fruit viticole
    """,
    "sante": """
        sante medical medicale hopital hospitalier hospitaliere ehpad medicament clinique soins
        infirmier infirmiere social sociale handicap vieillesse seniors autonomie insertion ccas
        solidarite pharmaceutique mutuelle pluriprofessionnelle vaccin biomedical
    """,
    "culture": """
        culture culturel culturelle patrimoine musee bibliotheque mediatheque theatre eglise
        archives archeologique archeologie spectacle musique cinema monument chapelle
        conservatoire artistique concert livre
    """,
    "sport": """
        sport sportif sportive gymnase stade piscine football rugby tennis skatepark vestiaire
        athletisme aquatique dojo citystade loisir jeux foot judo
    """,
    "tourisme": """
        tourisme touristique camping hotel belvedere randonnee evenement evenementiel salon
        congres festival oenotourisme
    """,
    "nature": """
        biodiversite vegetalisation renaturation arbre plantation foret forestier forestiere
        haie jardin paysager paysagere elagage ecologique riviere espece faune flore ecosysteme
        fauchage trame ripisylve ilot fraicheur chiroptere amphibien fleurissement arrosage
        naturel naturelle
    """,
    "risques": """
        incendie inondation submersion erosion prevention secours pompier gardiennage
        videoprotection videosurveillance police dfci debroussaillement digue crue alarme
        desenfumage avalanche surete defense sdis
    """,
    "emploi": """
        emploi formation recrutement apprentissage apprenti alternance chomage competence
        reconversion interim
    """,
    "economie": """
        economique entreprise commerce commercial artisan artisanal artisanat industrie
        industriel industrielle innovation startup incubateur pepiniere tpe pme exportation
        attractivite coworking startups
    """,
    "habitat": """
        habitat logement urbanisme foncier fonciere friche plu plui hlm lotissement immobilier
        immobiliere quartier urbain urbaine zac locatif bailleur reconquete copropriete anru
    """,
    "etudes": """
        etude ingenierie diagnostic amo geotechnique topographique topographie faisabilite
        geometre bet ctsps csps architecte moe
    """,
    "services": """
        assurance juridique comptabilite audit communication impression courrier
        affranchissement traduction conseil banque bancaire emprunt publicite avocat
    """,
    "proprete": """
        nettoyage proprete blanchisserie desinfection deratisation balayage vitrerie
    """,
    "fournitures": """
        mobilier papeterie vetement outillage papier epi habillement quincaillerie
    """,
}


def _forms(word: str) -> tuple[str, ...]:
    if word.endswith(("s", "x", "z")):
        return (word,)
    if word.endswith(("eau", "eu")):
        return (word, word + "x")
    if word.endswith("al"):
        return (word, word[:-2] + "aux")
    return (word, word + "s")


WORDS = MappingProxyType(
    {
        form: theme
        for theme, words in _WORDS.items()
        for word in words.split()
        for form in _forms(word)
    }
)
"""Folded word -> theme slug."""
