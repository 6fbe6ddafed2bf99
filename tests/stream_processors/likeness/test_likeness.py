"""Likeness: near in meaning without a word in common, the same on every machine."""

import random
from pathlib import Path

import numpy as np
import pytest

from tests.stream_processors.likeness.judged import TRIPLETS, wrong
from traverse_stream_processors.likeness import model
from traverse_stream_processors.likeness.corpus import Passage, base_passages, passages_of
from traverse_stream_processors.likeness.errors import LikenessModelError, TooLittleTextError
from traverse_stream_processors.likeness.model import (
    Model,
    Vectoriser,
    base_model,
    model_at,
    nearness,
)
from traverse_stream_processors.likeness.terms import terms_of, words_of
from traverse_stream_processors.likeness.train import train

_TEXT = """
    route chaussée trottoir enrobé voirie école classe élève cantine cahier eau tuyau fuite
    station égout arbre jardin pelouse haie taille
"""
WORDS = _TEXT.split()


@pytest.fixture(scope="module")
def base() -> Vectoriser:
    return Vectoriser(base_model())


def near(vectoriser: Vectoriser, left: str, right: str) -> float:
    return nearness(vectoriser.of((left, 1)), vectoriser.of((right, 1)))


def texts(count: int = 120) -> list[list[Passage]]:
    """Records of four subjects, each with words of its own."""
    drawn = random.Random(7)  # noqa: S311 - a fixed draw
    found = []
    for number in range(count):
        group = number % 4
        words = drawn.sample(WORDS[group * 5 : group * 5 + 5], 3)
        content = {"title": " ".join(words), "themes": [f"t{group}"]}
        found.append(list(passages_of(content)))
    return found


def test_words_are_read_as_the_index_reads_them() -> None:
    assert words_of("Réfection de l’ÉCOLE n° 12, d'Aix : RD543 — CŒUR") == [
        "refection", "ecole", "aix", "coeur",
    ]  # fmt: skip
    assert terms_of("rénover") == terms_of("RENOVATION") == terms_of("rénovations")


def test_roads_are_nearer_to_roads_than_to_computers(base: Vectoriser) -> None:
    asked = "réfection de la voirie communale"
    roads = near(base, asked, "rénovation des routes")
    assert roads > 0.4
    assert near(base, asked, "achat de matériel informatique") < 0.2


def test_most_phrases_without_a_word_in_common_are_found_before_anything_was_learnt(
    base: Vectoriser,
) -> None:
    missed = wrong(lambda left, right: near(base, left, right))
    assert len(missed) <= len(TRIPLETS) // 3, missed


def test_an_unknown_word_is_read_by_its_kin(base: Vectoriser) -> None:
    assert not base.knows("ascensoristes")
    assert not base.knows("microchaufferie")
    assert near(base, "ascensoristes", "ascenseurs") > 0.6
    assert near(base, "microchaufferie", "chaufferie") > 0.6


def test_a_text_that_says_nothing_is_like_nothing(base: Vectoriser) -> None:
    assert base.of(("12 – 2027 de la", 1)) is None
    assert nearness(None, base.of(("route", 1))) == 0


def test_a_text_is_most_like_itself_and_likeness_has_no_direction(base: Vectoriser) -> None:
    for left, right, _ in TRIPLETS:
        assert near(base, left, right) == near(base, right, left)
        assert near(base, left, left) == pytest.approx(1, abs=0.02)


def test_what_was_met_before_changes_no_vector() -> None:
    fresh, worn = Vectoriser(base_model()), Vectoriser(base_model())
    for number in range(12_000):  # unknown words beyond the room for them
        worn.of((f"voirie{'abcdefghij'[number % 10]}{'klmnopqrst'[number // 10 % 10]}zz", 1))
    for text in ("réfection de la voirie", "microchaufferie bois"):
        left, right = fresh.of((text, 1)), worn.of((text, 1))
        assert left is not None
        assert right is not None
        assert (left == right).all()


def test_the_model_is_the_same_whatever_the_order_of_the_records(tmp_path: Path) -> None:
    ordered = texts()
    shuffled = ordered.copy()
    shuffled.reverse()
    shuffled = shuffled[40:] + shuffled[:40]
    first, second = train(ordered, dimensions=6), train(shuffled, dimensions=6)
    assert first.version == second.version
    first.save(tmp_path / "a.npz")
    second.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_what_is_learnt_from_records_brings_together_what_occurs_together() -> None:
    vectoriser = Vectoriser(train(texts(), dimensions=6))
    assert near(vectoriser, "route", "trottoir") > 0.5
    assert near(vectoriser, "route", "trottoir") > near(vectoriser, "route", "cantine") + 0.3


def test_a_word_of_one_or_two_records_is_not_learnt() -> None:
    with_name = [*texts(), list(passages_of({"title": "route trottoir Dupontel", "themes": []}))]
    assert "dupontel" not in train(with_name, dimensions=6).terms


def test_too_little_text_is_refused_in_a_sentence() -> None:
    with pytest.raises(TooLittleTextError, match="trop peu de textes"):
        train(texts(4), dimensions=64)


def test_a_model_is_read_as_it_was_written(tmp_path: Path) -> None:
    model = train(texts(), dimensions=6)
    model.save(tmp_path / "m.npz")
    read = Model.load(tmp_path / "m.npz")
    assert read.version == model.version
    assert read.terms == model.terms
    assert np.array_equal(read.rows, model.rows)


@pytest.mark.parametrize("octets", [b"", b"PK", b"not a model" * 50])
def test_a_damaged_model_is_refused_in_a_sentence(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "m.npz"
    path.write_bytes(octets)
    with pytest.raises(LikenessModelError, match="traverse train"):
        Model.load(path)


def test_a_model_whose_numbers_were_changed_is_refused(tmp_path: Path) -> None:
    model = train(texts(), dimensions=6)
    changed = Model("0" * 16, model.terms, model.rows, model.weights, model.common)
    changed.save(tmp_path / "m.npz")
    with pytest.raises(LikenessModelError, match="abîmé"):
        Model.load(tmp_path / "m.npz")


def test_without_a_file_the_model_of_the_product_serves(tmp_path: Path) -> None:
    assert model_at(tmp_path / "none.npz").version == base_model().version


def test_the_base_knows_nearly_all_words_of_our_lists() -> None:
    """A line more among the synonyms asks for no new model; many do."""
    told = [passage.terms for passage in base_passages() if len(passage.terms) > 1]
    held = {term for terms in told for term in terms if term[0] != "#"}
    missing = held - set(base_model().terms)
    assert len(missing) < len(held) / 50, f"refaites-le avec build_likeness.py : {missing}"


def test_a_text_is_the_same_whatever_was_read_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unknown words are forgotten when there are too many, even in the middle of a text."""
    strange = [f"{word}{end}" for word in ("voirieu", "chaussem", "assainiss") for end in "bcdfg"]
    found = [" ".join(strange[start : start + 3]) for start in range(len(strange) - 2)]
    fresh = [Vectoriser(base_model()).of((text, 1), (text[:9], 0.5)) for text in found]
    assert sum(vector is not None for vector in fresh) > 5
    monkeypatch.setattr(model, "_ROOM", 4)
    narrow = Vectoriser(base_model())
    for text, vector in zip(found, fresh, strict=True):
        again = narrow.of((text, 1), (text[:9], 0.5))
        assert (None if again is None else again.tolist()) == (
            None if vector is None else vector.tolist()
        )
