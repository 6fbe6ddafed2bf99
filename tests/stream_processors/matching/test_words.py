"""People's word on answers, joint purchases and groupings: who counts, what it changes, and that
the order in which it comes changes nothing."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stream_processors.matching.factory import call, need
from tests.stream_processors.matching.test_matcher import told, world
from traverse_schemas.decisions import Decision, DecisionKind
from traverse_schemas.documents.grouping import (
    Grouping,
    grouping_id,
    readable,
    readable_tags,
    tag_of,
)
from traverse_stream_processors.matching.facts import Facts
from traverse_stream_processors.matching.groups import Key
from traverse_stream_processors.matching.matcher import Matcher
from traverse_stream_processors.matching.words import GroupingWords

DAE: dict[str, Any] = {"cpv": ["33182100"]}
STRANGER = "181300013"


def town(name: str, day: int, **fields: Any) -> Facts:
    when = f"2026-01-{day:02}T09:00:00.000000Z"
    return need(name, "Défibrillateurs", owner=name, first_time=when, **DAE, **fields)


GARDANNE, AIX, MARSEILLE = town("Gardanne", 1), town("Aix", 2), town("Marseille", 3)
PUBLIC = grouping_id("public", GARDANNE.id)


def link(word: str, speaker: str, *records: Facts, day: int = 1, subject: str = "") -> Decision:
    return Decision(
        source=f"urn:siren:{speaker}",
        subject=subject or f"L-{'-'.join(one.id for one in records)}",
        version=[0, f"2026-12-{day:02}T09:00:00.000000Z", f"{word}-{day}"],
        word=word,
        records=[one.id for one in records],
    )


def step(
    word: str,
    record: Facts,
    grouping: str = PUBLIC,
    day: int = 1,
    speaker: str = "",
    *,
    on: str = "",
) -> Decision:
    """A word under the subject that the pages give it: one for each record and grouping."""
    return Decision(
        source=f"urn:siren:{speaker or record.owner}",
        subject=f"mutualiser-{grouping}-{record.id}",
        version=[0, f"2026-12-{day:02}T09:00:00.000000Z", f"{word}-{day}"],
        word=word,
        records=[record.id],
        grouping=grouping,
        **({"on": on} if on else {}),  # type: ignore[typeddict-item]
    )


def fed(*said: Facts | Decision) -> Matcher:
    matcher = Matcher("m")
    for one in said:
        if isinstance(one, Facts):
            matcher.put(one.id, one)
        else:
            kind = DecisionKind.GROUPING if "grouping" in one else DecisionKind.LINK
            matcher.decide(one, kind)
    return matcher


def grouping(matcher: Matcher, layer: str = "public", identity: str = "") -> Grouping:
    """The only grouping of a layer, or the one with this id."""
    found = [it for key in matcher.every_grouping() if key.layer == layer
             and (it := matcher.grouping(key)) and identity in ("", it["id"])]  # fmt: skip
    (one,) = found
    return one


def owners(found: Grouping) -> set[str]:
    return {one["owner"] for one in found["members"]}


TRADE = need("N", "Entreprise de réfection de voirie", subtype="business", owner="Aix")
WORKS = call("C", "Réfection de la voirie", owner="Gardanne", cpv=["45233140"])


@pytest.mark.parametrize(
    ("word", "speaker", "state"),
    [
        ("confirmed", TRADE.owner, "confirmed"),
        ("confirmed", WORKS.owner, "proposed"),
        ("dismissed", TRADE.owner, "dismissed"),
        ("dismissed", WORKS.owner, "dismissed"),
        ("confirmed", STRANGER, "proposed"),
        ("dismissed", STRANGER, "proposed"),
    ],
)
def test_the_side_in_need_confirms_an_answer_and_either_dismisses_it(
    word: str, speaker: str, state: str
) -> None:
    matcher = fed(link(word, speaker, TRADE, WORKS), TRADE, WORKS)
    found = matcher.answer(TRADE.id, WORKS.id)
    assert found is not None
    assert found.state == state
    assert (WORKS.id in matcher.chosen(TRADE.id)) is (state != "dismissed")


def test_a_confirmed_answer_stays_when_no_score_would_propose_it() -> None:
    other = call("X", "Achat de matériel informatique", owner="Gap", cpv=["30200000"])
    assert fed(TRADE, other).answer(TRADE.id, other.id) is None
    matcher = fed(TRADE, other, link("confirmed", TRADE.owner, TRADE, other))
    found = matcher.answer(TRADE.id, other.id)
    assert found is not None
    assert found.reason
    matcher.decide(link("withdrawn", TRADE.owner, TRADE, other, day=2), DecisionKind.LINK)
    assert matcher.answer(TRADE.id, other.id) is None


def test_what_is_dismissed_leaves_its_place_to_the_next() -> None:
    offers = [
        call(f"C{number:02}", "Réfection de la voirie", owner=owner, cpv=["45233140"])
        for number in range(6) for owner in ("Gardanne", "Aix")
    ]  # fmt: skip
    matcher = fed(TRADE, *offers)
    assert len(matcher.chosen(TRADE.id)) == 10
    first = min(matcher.chosen(TRADE.id))
    dismissed = next(one for one in offers if one.id == first)
    matcher.decide(link("dismissed", TRADE.owner, TRADE, dismissed), DecisionKind.LINK)
    assert len(matcher.chosen(TRADE.id)) == 10
    assert first not in matcher.chosen(TRADE.id)


def test_two_purchases_that_one_side_dismisses_are_grouped_no_more() -> None:
    matcher = fed(GARDANNE, AIX, MARSEILLE, link("dismissed", AIX.owner, AIX, MARSEILLE))
    # Aix and Marseille stay apart: Gardanne goes with the one that fits best.
    assert len(grouping(matcher)["members"]) == 2
    assert not {AIX.id, MARSEILLE.id} <= {it["record"] for it in grouping(matcher)["members"]}


def test_members_say_they_are_interested_and_the_formal_steps_follow() -> None:
    matcher = fed(GARDANNE, AIX, MARSEILLE)
    assert grouping(matcher)["state"] == "proposed"
    for number, (word, one) in enumerate(
        [("interested", GARDANNE), ("interested", AIX), ("convention", AIX),
         ("deliberated", AIX), ("constituted", AIX)], 1
    ):  # fmt: skip
        matcher.decide(step(word, one, day=number), DecisionKind.GROUPING)
    found = grouping(matcher)
    # Gardanne's assembly has not deliberated: nobody commits another.
    assert (found["state"], found["interested"]) == ("convention", 2)
    matcher.decide(step("deliberated", GARDANNE, day=9), DecisionKind.GROUPING)
    found = grouping(matcher)
    # Nor does Aix's signature bind who has only deliberated (CCP, art. L.2113-7).
    assert found["state"] == "convention"
    matcher.decide(step("constituted", GARDANNE, day=10), DecisionKind.GROUPING)
    found = grouping(matcher)
    assert found["state"] == "constituted"
    assert [act["step"] for act in found["acts"]] == [
        "convention", "deliberated", "constituted", "deliberated", "constituted",
    ]  # fmt: skip
    stances = {one["owner"]: one.get("stance") for one in found["members"]}
    assert stances == {"Gardanne": "constituted", "Aix-en-Provence": "constituted"}
    assert [one["owner"] for one in found["others"]] == ["Marseille"]


def test_a_step_without_a_day_was_taken_on_the_french_day_on_which_it_was_said() -> None:
    said = step("deliberated", AIX, day=4)
    said["version"][1] = "2026-12-03T23:30:00.000000Z"  # half past midnight in Paris
    found = grouping(fed(GARDANNE, AIX, step("interested", GARDANNE, day=1), said))
    assert [act["on"] for act in found["acts"]] == ["2026-12-04"]
    assert [one.get("stance_on") for one in found["members"]] == ["2026-12-01", "2026-12-04"]


def test_each_step_keeps_its_day_and_a_later_word_mends_it() -> None:
    told_of = [
        ("interested", ""), ("convention", "2026-12-01"), ("deliberated", "2026-11-28"),
        ("constituted", ""), ("deliberated", "2026-12-02"),
    ]  # fmt: skip
    said = [step(word, AIX, day=day, on=on) for day, (word, on) in enumerate(told_of, 1)]
    for order in (said, said[::-1]):
        found = grouping(fed(GARDANNE, AIX, *order))
        assert [(act["step"], act["on"]) for act in found["acts"]] == [
            ("convention", "2026-12-01"), ("deliberated", "2026-12-02"),
            ("constituted", "2026-12-04"),
        ]  # fmt: skip
        assert [one.get("stance") for one in found["members"]] == [None, "constituted"]
        # What is taken back is gone, and so is what was told before it was declined.
        gone = fed(GARDANNE, AIX, *order, step("withdrawn", AIX, day=9))
        assert grouping(gone)["acts"] == []
        again = [step("not_interested", AIX, day=9), step("interested", AIX, day=10)]
        assert grouping(fed(GARDANNE, AIX, *again, *order))["acts"] == []


def test_of_what_was_taken_back_nothing_is_held() -> None:
    """Nor of what was said before, whenever it comes: it can count no more. Only the last word that
    ended it is."""
    words = GroupingWords()
    for day in range(1, 29):
        for word in ("interested", "convention", "withdrawn"):
            words.put(step(word, AIX, day=day))
    for day in range(1, 28):
        assert words.put(step("deliberated", AIX, day=day)) == {AIX.id}
    words.put(step("interested", AIX, day=29))
    assert len(words) == 2
    assert [one.step for one in words.of(AIX, "public")] == ["interested"]
    # Of another grouping under the same subject, what was said of the one before is over.
    other = step("interested", AIX, grouping_id("public", AIX.id), day=30)
    words.put(other | {"subject": step("interested", AIX)["subject"]})
    assert len(words) == 2
    assert words.put(step("convention", AIX, day=29)) >= {AIX.id}
    assert len(words) == 2


STEPS = ("interested", "convention", "deliberated", "not_interested", "withdrawn")
one_subject = st.lists(
    st.tuples(
        st.sampled_from(STEPS),
        st.integers(1, 12),
        st.booleans(),
        st.sampled_from(["", "2026-12-01"]),
    ),
    max_size=14,
)


@given(one_subject, st.randoms(use_true_random=False))
def test_under_one_subject_the_order_of_words_does_not_matter(
    told_of: list[tuple[str, int, bool, str]], random: Any
) -> None:
    """Whatever is said of which grouping, and how often."""
    subject = step("interested", AIX)["subject"]
    said = [
        step(word, AIX, PUBLIC if first else grouping_id("public", AIX.id), day, on=on)
        | {"subject": subject}
        for word, day, first, on in {one[:2]: one for one in told_of}.values()
    ]
    shuffled = random.sample(said, k=len(said)) + random.sample(said, k=len(said) // 2)
    words, again = GroupingWords(), GroupingWords()
    for one in sorted(said, key=lambda it: it["version"]):
        words.put(one)
    for one in shuffled:
        again.put(one)
    assert words.of(AIX, "public") == again.of(AIX, "public")
    assert len(words) == len(again)


CORE = [
    step(word, one, day=day)
    for one, first in ((GARDANNE, 1), (AIX, 2))
    for day, word in ((first, "interested"), (first + 2, "convention"), (first + 4, "constituted"))
]


@pytest.mark.parametrize("day", [1, 8])
@pytest.mark.parametrize("word", ["", "interested", "convention", "deliberated"])
def test_whoever_has_not_signed_changes_nothing_for_those_who_have(word: str, day: int) -> None:
    """Whenever it claims to have said so: it may date a word before their signatures."""
    big = town("Marseille", 3, amount=200_000.0)
    signed = [town("Gardanne", 1, amount=30_000.0), town("Aix", 2, amount=20_000.0)]
    before = grouping(fed(*signed, *CORE))
    assert (before["state"], before["total"]) == ("constituted", 50_000)
    said = [step(word, big, day=day)] if word else []
    after = grouping(fed(*signed, *CORE, big, *said))
    told_apart = {"others", "interested", "acts"}
    assert {name: it for name, it in after.items() if name not in told_apart} == {
        name: it for name, it in before.items() if name not in told_apart
    }
    (other,) = after["others"]
    assert (other["owner"], other.get("stance", "")) == ("Marseille", word)
    joined = grouping(fed(*signed, *CORE, big, *said, step("constituted", big, day=9)))
    assert (joined["state"], joined["total"], joined["others"]) == ("constituted", 250_000, [])


def test_while_it_is_signed_it_is_of_those_who_took_the_formal_steps() -> None:
    """As long as one alone did, of all that are interested."""
    said = [step("convention", AIX, day=1), step("interested", GARDANNE, day=2)]
    one = grouping(fed(GARDANNE, AIX, MARSEILLE, *said))
    assert (one["state"], owners(one)) == ("convention", {"Gardanne", "Aix-en-Provence"})
    said += [step("deliberated", MARSEILLE, day=3)]
    two = grouping(fed(GARDANNE, AIX, MARSEILLE, *said))
    assert (two["state"], owners(two)) == ("convention", {"Aix-en-Provence", "Marseille"})
    assert [it["owner"] for it in two["others"]] == ["Gardanne"]


def test_a_stranger_commits_nobody() -> None:
    said = [step("interested", one, speaker=STRANGER) for one in (GARDANNE, AIX)]
    assert grouping(fed(GARDANNE, AIX, *said))["interested"] == 0


def test_whom_it_is_not_for_leaves_and_may_come_back() -> None:
    matcher = fed(GARDANNE, AIX, MARSEILLE, step("not_interested", AIX))
    found = grouping(matcher)
    assert owners(found) == {"Gardanne", "Marseille"}
    assert [one["owner"] for one in found["declined"]] == ["Aix-en-Provence"]
    matcher.decide(step("interested", AIX, day=2), DecisionKind.GROUPING)
    assert owners(grouping(matcher)) == {"Gardanne", "Aix-en-Provence", "Marseille"}


def test_its_id_outlives_the_member_that_it_is_named_by() -> None:
    """Once somebody spoke of it the id stays; before, the old id leads to the new one."""
    silent = fed(GARDANNE, AIX, MARSEILLE)
    silent.put(GARDANNE.id, None)
    assert grouping(silent)["id"] == grouping_id("public", AIX.id)
    members = (GARDANNE.id, AIX.id, MARSEILLE.id)
    assert silent.successors("public", members) == [Key("public", AIX.id)]
    spoken = fed(GARDANNE, AIX, MARSEILLE, step("interested", MARSEILLE))
    spoken.put(GARDANNE.id, None)
    assert grouping(spoken)["id"] == PUBLIC
    assert told(spoken) == told(fed(step("interested", MARSEILLE), MARSEILLE, AIX))


def test_an_id_is_not_taken_from_the_grouping_of_its_record() -> None:
    """Words that name another grouping's id do not give it away."""
    arles = need("E", "Fournitures scolaires", owner="Arles", cpv=["30192700"])
    manosque = need("F", "Fournitures scolaires", owner=("210401121", "com:13004", "commune"),
                    cpv=["30192700"], place=["com:13004"])  # fmt: skip
    matcher = fed(GARDANNE, AIX, arles, manosque, step("interested", arles, PUBLIC))
    assert owners(grouping(matcher, identity=PUBLIC)) == {"Gardanne", "Aix-en-Provence"}


def test_words_said_before_few_readers_show_to_no_others() -> None:
    hidden = town("Marseille", 3, visibility="buyers")
    of_buyers = grouping_id("buyers", GARDANNE.id)
    matcher = fed(GARDANNE, AIX, hidden, step("interested", AIX, of_buyers))
    assert grouping(matcher, "buyers")["interested"] == 1
    for layer in ("public", "members"):
        assert grouping(matcher, layer)["interested"] == 0
    matcher.decide(step("not_interested", hidden, of_buyers), DecisionKind.GROUPING)
    assert grouping(matcher, "buyers")["declined"] == [
        {"owner": "Marseille", "siren": hidden.owner}
    ]
    assert b"Marseille" not in orjson.dumps(grouping(matcher, "public"))


def decisions(facts: list[Facts]) -> list[Decision]:
    """Words of owners on what they are in, and of strangers, some taken back."""
    found = []
    words = (
        ("interested", "convention"), ("not_interested",), ("convention", "constituted"),
        ("interested", "withdrawn", "interested"), ("constituted", "deliberated"),
    )  # fmt: skip
    for number, one in enumerate(facts):
        other = facts[(number * 7 + 3) % len(facts)]
        if one.purchase is not None:
            anchor = other.id if number % 3 else one.id
            for layer in ("public", "buyers")[number % 2 :]:
                found += [
                    step(word, one, grouping_id(layer, anchor), 1 + (number * 3 + at) % 28)
                    for at, word in enumerate(words[number % 5])
                ]
        word = ("confirmed", "dismissed", "withdrawn")[number % 3]
        if other.id != one.id:
            found.append(
                link(word, (one.owner, other.owner)[number % 2], one, other, day=number % 5 + 1)
            )
            found.append(link("confirmed", other.owner, one, other, day=3, subject=f"S{number}"))
    return found


@settings(max_examples=8, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from([3, 64]))
def test_the_order_of_records_and_words_does_not_matter(random: Any, largest: int) -> None:
    facts = list(world())
    said: list[Any] = [*facts, *decisions(facts)]
    random.shuffle(said)
    gone = set(random.sample([one.id for one in facts], k=len(facts) // 4))
    matcher = Matcher("m", 40, largest)
    written: dict[Key, Any] = {}
    for one in said:
        tell(matcher, one)
        written |= {key: matcher.grouping(key) for key in matcher.changed()[2]}
    for one in sorted(gone):
        matcher.put(one, None)
        written |= {key: matcher.grouping(key) for key in matcher.changed()[2]}
    # What was told when it changed is what there is.
    now = {key: matcher.grouping(key) for key in matcher.every_grouping()}
    assert {key: value for key, value in written.items() if value is not None} == now
    again = Matcher("m", 40, largest)
    for one in [*decisions(facts), *(it for it in facts if it.id not in gone)]:
        tell(again, one)
    assert told(matcher) == told(again)


def tell(matcher: Matcher, said: Any) -> None:
    if isinstance(said, Facts):
        matcher.put(said.id, said)
    else:
        kind = DecisionKind.GROUPING if "grouping" in said else DecisionKind.LINK
        matcher.decide(said, kind)


@pytest.mark.parametrize("layer", ["public", "members", "buyers"])
def test_what_few_may_read_shows_in_no_grouping_of_others(layer: str) -> None:
    """Neither its sums nor its score, its coordinator, its steps or its state."""
    facts = list(world())
    allowed = {one.id for one in facts if readable(layer, one.audience)}
    tags = readable_tags(layer)
    said = decisions(facts)
    read = [
        one for one in said
        if allowed.issuperset(one["records"])
        and ("grouping" not in one or tag_of(one["grouping"]) in tags)
    ]  # fmt: skip
    everything = fed(*facts, *said)
    alone = fed(*(one for one in facts if one.id in allowed), *read)
    shown = [
        {key: matcher.grouping(key) for key in matcher.every_grouping() if key.layer == layer}
        for matcher in (everything, alone)
    ]
    assert shown[0] == shown[1]
    told_of = [it for it in shown[0].values() if it]
    assert any(it["acts"] for it in told_of)
    assert any(it["state"] != "proposed" for it in told_of)
    assert len(told_of) > 3


def test_every_id_is_of_one_grouping() -> None:
    facts = list(world())
    matcher = fed(*facts, *decisions(facts))
    ids = [it["id"] for key in matcher.every_grouping() if (it := matcher.grouping(key))]
    assert len(ids) == len(set(ids)) > 3
