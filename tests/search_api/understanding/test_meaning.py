"""What is understood in the words of a search, and what is left as words."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from traverse_schemas.french.synonyms import product_entries
from traverse_schemas.reference.territories import Territories
from traverse_search_api.text.plan import TextPlan, plan_of
from traverse_search_api.understanding.place_aliases import (
    parse_place_aliases,
    place_alias_faults,
    place_aliases,
)
from traverse_search_api.understanding.trades import parse_trades, trade_faults, trades
from traverse_search_api.words.synonym_book import meanings_of

TABLES = Territories.load()
AUBAGNE, PARIS = "211300058", "217500016"  # SIREN
NOW = datetime(2026, 3, 12, 10, tzinfo=UTC)  # a Thursday
MEANINGS = meanings_of(product_entries())


def plan(text: str, *literal: str) -> TextPlan:
    return plan_of(text, TABLES, MEANINGS, NOW, literal)


def understood(text: str, *literal: str) -> list[tuple[str, str, str]]:
    return [(one.text, one.parameter, one.value) for one in plan(text, *literal).understood]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gymnase marseille", ("marseille", "territory", "com:13055")),
        ("voirie à Aix-en-Provence", ("Aix-en-Provence", "territory", "com:13001")),
        ("haute savoie GEMAPI", ("haute savoie", "territory", "dep:74")),
        ("grand est", ("grand est", "territory", "reg:44")),
        ("travaux d'Annecy", ("d'Annecy", "territory", "com:74010")),
        ("école paris", ("paris", "territory", "com:75056")),
        ("mairie 83", ("83", "territory", "dep:83")),
        ("voirie 2A", ("2A", "territory", "dep:2A")),
        # Codes of communes that are no more: of one that has merged, and of Corsica before 1976.
        ("voirie 50173", ("50173", "territory", "com:50129")),
        ("voirie 20004", ("20004", "territory", "com:2A004")),
        ("maçon", ("maçon", "cpv", "45262500,45262520,45223220")),
        ("Traiteurs", ("Traiteurs", "cpv", "55520000")),
        ("MAPA", ("MAPA", "procedure", "adapted")),
        ("appels à projets", ("appels à projets", "subtype", "call_for_projects")),
        ("AMI tiers-lieux", ("AMI", "subtype", "expression_of_interest")),
        ("DSP", ("DSP", "subtype", "concession")),
        ("sans suite", ("sans suite", "status", "without_award")),
        ("marché réservé", ("marché réservé", "access", "reserved")),
        ("45233140", ("45233140", "cpv", "45233140")),
        ("45233140-2", ("45233140-2", "cpv", "45233140")),
        ("211 300 553", ("211300553", "institution", "211300553")),
        ("211 300 553 00016", ("21130055300016", "institution", "211300553")),
        (
            "voirie clôture cette semaine",
            ("clôture cette semaine", "deadline_from,deadline_to", "2026-03-09,2026-03-15"),
        ),
        (
            "échéance 2027",
            ("échéance 2027", "deadline_from,deadline_to", "2027-01-01,2027-12-31"),
        ),
        (
            "clôture en mars 2026",
            ("clôture en mars 2026", "deadline_from,deadline_to", "2026-03-01,2026-03-31"),
        ),
        (
            "date limite avant le 20/03/2026",
            ("date limite avant le 20/03/2026", "deadline_from,deadline_to",
             "2026-03-12,2026-03-20"),
        ),
    ],
)  # fmt: skip
def test_places_trades_procedures_codes_and_times(
    text: str, expected: tuple[str, str, str]
) -> None:
    """Each is said with the words that said it and the parameter that would."""
    assert expected in understood(text)


@pytest.mark.parametrize(
    "text", ["lot 13", "cours de la rue", "le nord", "2027", "réunion", "pont sur la mer", "école"]
)
def test_ordinary_words_stay_words(text: str) -> None:
    """A lot is no département, and a year alone no deadline."""
    assert not [one for one in understood(text) if one[1] != "territory" or one[2] != "dep:974"]


def test_what_could_be_several_asks() -> None:
    """13001 is Aix-en-Provence for INSEE and Marseille 1er for the post; Vienne a town and more."""
    for text, codes in (
        ("13001", {"com:13001", "cp:13001"}),
        ("vienne", {"com:38544", "dep:86"}),
        ("mayenne", {"com:53147", "dep:53"}),
    ):
        (one,) = plan(text).understood
        assert one.value == ""
        assert codes <= {code for code, _ in one.choices}
        assert len({label for _, label in one.choices}) == len(one.choices)


def test_a_day_or_a_month_without_a_year_is_the_next_one() -> None:
    """In December, January is next year's."""
    december = datetime(2026, 12, 5, 10, tzinfo=UTC)
    for text, value in (
        ("clôture janvier", "2027-01-01,2027-01-31"),
        ("clôture décembre", "2026-12-01,2026-12-31"),
        ("clôture 1er mars", "2027-03-01,2027-03-01"),
        ("clôture 24 décembre", "2026-12-24,2026-12-24"),
        ("échéance fin d'année", "2026-07-01,2026-12-31"),
    ):
        (one,) = plan_of(text, TABLES, MEANINGS, december).understood
        assert one.value == value, text


@pytest.mark.parametrize(
    "text", ["clôture 31/12/9999", "clôture 01/01/0999", "clôture 31/02/2026", "clôture 99/99/99"]
)
def test_a_day_that_nobody_means_is_no_time(text: str) -> None:
    assert understood(text) == []


def test_an_understanding_can_be_taken_back() -> None:
    """`literal=marseille` leaves the word a word; `*` leaves all of them."""
    assert understood("MAPA marseille", "Marseille") == [("MAPA", "procedure", "adapted")]
    assert understood("MAPA marseille", "*") == []


def test_a_trade_comes_before_a_town() -> None:
    """Accents may be left out; other ones, or a capital without them, mean the town."""
    for text in ("maçon", "macon", "Maçon", "MAÇON"):
        assert understood(text)[0][1] == "cpv", text
    for text in ("Mâcon voirie", "mâcon", "Macon", "MACON", "à Macon"):
        assert understood(text)[0][2] == "com:71270", text


def test_expressions_of_the_list_are_one_unit() -> None:
    """An acronym and its words are searched for each other."""
    units = plan("travaux assistance à maîtrise d'ouvrage école").units
    assert [unit.text for unit in units] == ["travaux", "assistance à maîtrise d'ouvrage", "école"]
    assert "AMO" in units[1].also


@given(st.text(max_size=200))
@example("ª")  # a letter of which nothing is left without its form
@example("école ª º avant")
def test_any_text_is_read(text: str) -> None:
    """No word is lost: what is not understood stays."""
    typed = plan(text)
    texts = [unit.understood.text if unit.understood else unit.text for unit in typed.units]
    said = [word for text in texts for word in text.split()]
    assert len(said) == sum(len(word.split()) for word in typed.typed.words)


@pytest.mark.parametrize(
    ("text", "word"),
    [("aix", "un code de territoire"), ("aix => com:99999", "connu"),
     ("aix => com:13001\nAIX => com:13001", "déjà à la ligne 1"), ("? => com:13001", "ni lettre")],
)  # fmt: skip
def test_each_fault_of_names_of_places_is_told(text: str, word: str) -> None:
    """The sentence tells whoever edits the file what to mend; the product's own has no fault."""
    faults = place_alias_faults(parse_place_aliases(text), TABLES)
    assert any(word in sentence for sentence in faults)
    assert len(place_aliases(TABLES)) > 30


def test_the_list_of_trades_has_no_fault() -> None:
    assert len(trades()) > 30


@pytest.mark.parametrize(
    ("text", "word"),
    [("maçon", "au moins un mot"), ("maçon => 99999999", "nomenclature"),
     ("maçon => 45262500 43.9C", "code NAF"),
     ("maçon => 45262500\nmaçons => 45262500", "déjà à la ligne 1")],
)  # fmt: skip
def test_each_fault_of_trades_is_named(text: str, word: str) -> None:
    assert any(word in sentence for sentence in trade_faults(parse_trades(text)))


def test_an_arrondissement_in_the_text_is_it_and_what_is_said_of_the_whole_town() -> None:
    """Not the other arrondissements: a call of « Marseille » may be for this one."""
    (meant,) = plan("voirie 75015").understood
    lying, of_town = meant.query["bool"]["should"]
    assert {"cp:75015", "com:75115"} <= set(lying["terms"]["within"])
    assert "com:75056" not in lying["terms"]["within"]
    assert of_town == {"terms": {"place": ["com:75056"]}}


def test_who_governs_a_place_is_the_place_and_what_is_of_it_elsewhere() -> None:
    """A town hall publishes of its holiday home in the mountains too; the label says both."""
    (meant,) = plan("mairie d'aubagne").understood
    assert meant.label == "Aubagne (13), lieu ou institution"
    assert meant.query == {
        "bool": {
            "should": [{"terms": {"within": ["com:13005"]}}, {"terms": {"owner_siren": [AUBAGNE]}}]
        }
    }
    (named,) = plan("aubagne").understood
    assert (named.label, named.query) == ("Aubagne (13)", {"terms": {"within": ["com:13005"]}})
    (district,) = plan("mairie du 15e arrondissement de Paris").understood
    assert PARIS not in str(district.query)  # all that Paris publishes is not of the 15th


def test_several_that_a_governing_body_may_be_are_all_asked_for() -> None:
    (meant,) = plan("mairie de Bassens").understood
    assert [code for code, _ in meant.choices] == ["com:33032", "com:73031"]
    assert len(meant.query["bool"]["should"][-1]["terms"]["owner_siren"]) == 2
