"""What people say of two records, against or for what scores say."""

from itertools import permutations

import pytest

from tests.stream_processors.linking.records import features
from tests.stream_processors.linking.telling import (
    CCI,
    MARSEILLE,
    OTHER,
    OTHER_YEAR,
    OWN,
    OWNER,
    RELAYED,
    decision,
    together,
    told,
)
from traverse_schemas.decisions import Decision, Word
from traverse_stream_processors.linking.decisions import Decisions
from traverse_stream_processors.linking.features import Features
from traverse_stream_processors.linking.judge import judge


def test_either_side_contests_a_merge_and_may_take_it_back() -> None:
    contested = decision("not_same", OWN.id, RELAYED.id, f"urn:siren:{OWNER}", subject="D1")
    linker = told(OWN, RELAYED, decisions=(contested,))
    assert len(together(linker)) == 2
    taken_back = decision(
        "withdrawn",
        OWN.id,
        RELAYED.id,
        f"urn:siren:{OWNER}",
        subject="D1",
        time="2026-11-22T10:00:00.000000Z",
    )
    assert linker.decide(taken_back) == {OWN.id, RELAYED.id}
    assert len(together(linker)) == 1


def test_both_sides_together_assert_what_no_score_would() -> None:
    ours = decision("same_as", OWN.id, OTHER_YEAR.id, f"urn:siren:{OWNER}")
    assert len(together(told(OWN, OTHER_YEAR, decisions=(ours,)))) == 1  # owner of both
    theirs = features("X", MARSEILLE, owner={"id": "211300553"}, title="Autre chose")
    one_side = decision("same_as", OWN.id, theirs.id, f"urn:siren:{OWNER}")
    other_side = decision("same_as", OWN.id, theirs.id, MARSEILLE)
    assert len(together(told(OWN, theirs, decisions=(one_side,)))) == 2
    assert len(together(told(OWN, theirs, decisions=(one_side, other_side)))) == 1


def test_what_people_say_comes_before_what_any_score_says() -> None:
    """The relay's record is set apart from a third, which both sides say is the owner's own: the
    score, which would join the first two, comes after."""
    third = features("X", MARSEILLE, owner={"id": "211300553"}, title="Autre chose")
    words = (
        decision("same_as", OWN.id, third.id, f"urn:siren:{OWNER}"),
        decision("same_as", OWN.id, third.id, MARSEILLE),
        decision("not_same", RELAYED.id, third.id, CCI),
    )
    assert together(told(OWN, RELAYED, third, decisions=words)) == {
        frozenset((OWN.id, third.id)),
        frozenset((RELAYED.id,)),
    }


def test_a_stranger_s_word_counts_for_nothing() -> None:
    stranger = decision("not_same", OWN.id, RELAYED.id, OTHER)
    assert len(together(told(OWN, RELAYED, decisions=(stranger,)))) == 1


def test_a_contested_pair_is_not_joined_by_way_of_a_third() -> None:
    third = features(
        "VOI14",
        f"{OTHER}:portail",
        title="Réfection de la voirie communale",
        url="https://exemple.fr/portail/1",
        time="2026-11-21T10:00:00+01:00",
    )
    contested = decision("not_same", OWN.id, RELAYED.id, f"urn:siren:{OWNER}")
    found = together(told(OWN, RELAYED, third, decisions=(contested,)))
    assert len(found) == 2
    assert not any({OWN.id, RELAYED.id} <= group for group in found)


def test_what_strangers_say_of_a_record_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much an institution says of others' records, theirs cost what they cost."""
    linker = told(OWN, RELAYED)
    for number in range(500):
        other = OWN._replace(id=f"other{number:011}", source=OTHER, owner="200054807", words=())
        linker.put(other.id, other._replace(references=(), url="", deadline="", cpv=()))
        linker.decide(decision("same_as", OWN.id, other.id, OTHER))
    asked = 0
    in_force = Decisions.in_force

    def counting(decisions: Decisions, left: Features, right: Features) -> Word | None:
        nonlocal asked
        asked += 1
        return in_force(decisions, left, right)

    monkeypatch.setattr(Decisions, "in_force", counting)
    (group,) = linker.groups([OWN.id])
    assert set(group.members) == {OWN.id, RELAYED.id}
    assert asked < 5


def test_what_two_institutions_call_their_own_is_one_when_both_say_so() -> None:
    """One of them may have copied the number of the other's notice. A feed that tells of the same
    is of one of both."""
    notice = {"references": ["26-112233"]}
    own = features("V", f"urn:siren:{OWNER}", **notice)
    copied = features("X", OTHER, owner={"id": OTHER[10:], "name": "Fédération"}, **notice)
    assert judge(own, copied)
    relayed = features("26-112233", f"{CCI}:boamp")
    assert together(told(own, copied)) == {frozenset({own.id}), frozenset({copied.id})}
    apart = together(told(own, copied, relayed))
    assert {own.id, copied.id} not in apart
    assert sorted(map(len, apart)) == [1, 2]
    said = (
        decision("same_as", own.id, copied.id, f"urn:siren:{OWNER}"),
        decision("same_as", own.id, copied.id, OTHER),
    )
    assert together(told(own, copied, decisions=said[:1])) == together(told(own, copied))
    whole = frozenset({own.id, copied.id, relayed.id})
    assert together(told(own, copied, relayed, decisions=said)) == {whole}


def test_what_both_say_of_one_pair_leaves_the_records_of_each_together() -> None:
    """A call and its award stay one when a copy of another owner is asserted to be the same."""
    notice = {"references": ["26-112233"]}
    mine = features("V", f"urn:siren:{OWNER}", **notice)
    award = features("W", f"urn:siren:{OWNER}:profil", **notice)
    copied = features("X", OTHER, owner={"id": OTHER[10:], "name": "Fédération"}, **notice)
    assert frozenset({mine.id, award.id}) in together(told(mine, award, copied))
    said = tuple(
        decision("same_as", mine.id, copied.id, source) for source in (f"urn:siren:{OWNER}", OTHER)
    )
    whole = frozenset({mine.id, award.id, copied.id})
    assert together(told(mine, award, copied, decisions=said)) == {whole}


def test_the_last_word_of_an_institution_is_the_latest_whatever_numbers_its_versions() -> None:
    """A `sequence` orders the versions of one subject."""
    words = Decisions()
    said: list[tuple[str, str, list[int | str]]] = [
        ("x", "not_same", [1, "2026-01-01T00:00:00.000000Z", "d1"]),
        ("y", "same_as", [0, "2026-07-01T00:00:00.000000Z", "d2"]),
    ]
    for subject, word, version in said:
        words.put(
            Decision(source=OTHER, subject=subject, version=version, word=word, records=["a", "b"])
        )
    assert words.words("a", "b") == {OTHER[10:]: Word.SAME_AS}
    assert [one.word for one in words.sayings("a", "b", {OTHER[10:]})] == [Word.SAME_AS]


def test_what_two_systems_of_one_institution_say_at_once_is_told_apart_by_their_names() -> None:
    """Each numbers its events for itself, so nothing else tells which word is the last: neither
    which came first, nor what else was said."""
    systems = [f"{MARSEILLE}:{name}" for name in ("achats", "marches", "portail", "voirie")]
    said = [
        decision("same_as" if system == systems[-1] else "not_same", OWN.id, RELAYED.id, system)
        for system in systems
    ]
    for order in permutations(said):
        words = Decisions()
        for one in order:
            words.put(one)
        assert words.words(OWN.id, RELAYED.id) == {MARSEILLE[10:]: Word.SAME_AS}
        (last,) = words.sayings(OWN.id, RELAYED.id, frozenset([MARSEILLE[10:]]))
        assert last.source == systems[-1]
