"""Which words of searches a document holds."""

from traverse_search_api.matching.words import FRENCH, WordBook


def book() -> WordBook:
    made = WordBook()
    made.ask(["écoles", "de", "rue école"])
    made.ask(["écoles"])
    made.learn("écoles", {FRENCH: frozenset(("ecol",)), "de": frozenset(("ecol",))})
    made.learn("de", {FRENCH: frozenset(), "de": frozenset(("de",))})
    made.learn("rue école", {FRENCH: frozenset(("rue", "ecol")), "de": frozenset(("rue", "ecol"))})
    return made


def test_a_document_holds_what_has_all_its_terms() -> None:
    held = book().held({FRENCH: frozenset(("ecol", "x"))})
    assert held.words() == {"écoles", "de"}
    assert held.whole(frozenset(("écoles", "de"))) and not held.whole(frozenset(("rue école",)))
    assert held.french(frozenset(("de",))), "what asks for nothing leaves everything in"
    assert book().held({}).words() == {"de"}


def test_words_are_those_of_one_language() -> None:
    """A word in German and another in French are not a text that was found."""
    both = {FRENCH: frozenset(("rue", "ecol")), "de": frozenset(("de",))}
    held = book().held(both)
    assert held.whole(frozenset(("rue école",)))
    german = book().held({FRENCH: frozenset(), "de": frozenset(("ecol",))})
    assert german.whole(frozenset(("écoles",))) and not german.french(frozenset(("écoles",)))
    assert not german.whole(frozenset(("écoles", "de"))), "of German everything is asked for"


def test_a_word_is_read_once_and_forgotten_with_the_last_search() -> None:
    made = book()
    assert made.unread == [] and made
    made.ask(["port"])
    assert made.unread == ["port"]
    made.leave(["port"])
    assert made.unread == []
    made.learn("port", {FRENCH: frozenset(("port",)), "de": frozenset()})
    assert made.held({FRENCH: frozenset(("port",))}).words() == {"de"}
    made.leave(["écoles"])
    assert "écoles" in made.held({FRENCH: frozenset(("ecol",))}).words()
    made.leave(["écoles", "de", "rue école"])
    assert not made and made.held({FRENCH: frozenset(("ecol",))}).words() == set()
