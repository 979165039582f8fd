"""Sets that judge: how they are parted, what bots drawn from them do."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, List, Sequence

import numpy as np
import pytest

from rasa_tokprune.commands.adapt.judges import (
    N_SHOT,
    N_STRANGERS,
    Judges,
    LabelledSet,
    read_set,
    strangers_of,
)
from rasa_tokprune.errors import ConfigError
from tests.bots_on_disk import write_nlu

SHOP = {word: [f"{word} my order {n}" for n in range(30)] for word in ("cancel", "send", "pay")}
BANK = {word: [f"{word} the card {n}" for n in range(30)] for word in ("block", "order", "find")}
WORDS = [*SHOP, *BANK]


def embed(texts: Sequence[str]) -> np.ndarray:
    """A direction for each first word, one more for all others, and a little of each text's own."""
    vectors = np.zeros((len(texts), len(WORDS) + 9), dtype=np.float32)
    for row, text in enumerate(texts):
        first = text.split()[0] if text.split() else ""
        vectors[row, WORDS.index(first) if first in WORDS else len(WORDS)] = 1.0
        rng = np.random.default_rng([ord(character) for character in text])
        vectors[row, len(WORDS) + 1 :] = 0.05 * rng.normal(size=8)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def readable(texts: Sequence[str]) -> np.ndarray:
    return np.ones(len(texts))


def noise(texts: Sequence[str]) -> np.ndarray:
    """A direction for each text that has nothing to do with what it says."""
    found = [np.random.default_rng([7, *map(ord, text)]).normal(size=16) for text in texts]
    return np.stack([each / np.linalg.norm(each) for each in found]).astype(np.float32)


@pytest.fixture
def sets(tmp_path: Path) -> Dict[str, LabelledSet]:
    files = {"shop": SHOP, "bank": BANK}
    return {
        name: read_set(name, write_nlu(tmp_path / f"{name}.yml", intents))
        for name, intents in files.items()
    }


def test_a_set_is_parted_by_its_texts_alone(sets: Dict[str, LabelledSet], tmp_path: Path) -> None:
    shop = sets["shop"]
    assert not set(shop.support) & set(shop.query)
    assert {*shop.support, *shop.query} == {text for own in SHOP.values() for text in own}
    assert set(shop.labels) == set(shop.answers) == set(SHOP)
    for text, label in zip([*shop.support, *shop.query], [*shop.labels, *shop.answers]):
        assert text.startswith(label)
    assert 25 < len(shop.query) < 65  # of 90, about half
    # Texts that come later or are labelled otherwise move no other to the other part.
    more = {**{label: own[::-1] for label, own in SHOP.items()}, **BANK}
    larger = read_set("larger", write_nlu(tmp_path / "larger.yml", more))
    assert set(shop.query) <= set(larger.query)
    assert set(shop.support) <= set(larger.support)


def test_an_intent_with_texts_in_one_part_alone_is_left_out(tmp_path: Path) -> None:
    intents = {**SHOP, "lone": ["just one"]}
    found = read_set("shop", write_nlu(tmp_path / "nlu.yml", intents))
    assert "just one" not in {*found.support, *found.query}
    assert set(found.labels) == set(SHOP)


def test_a_set_that_can_judge_nothing_is_refused(tmp_path: Path) -> None:
    path = write_nlu(tmp_path / "nlu.yml", {"a": ["one"], "b": ["two"], "cancel": SHOP["cancel"]})
    with pytest.raises(ConfigError, match="--judge 'x': .*nlu.yml' has fewer than two intents"):
        read_set("x", path)


def test_strangers_are_messages_of_other_sets_only(sets: Dict[str, LabelledSet]) -> None:
    shop, bank = sets["shop"], sets["bank"]
    shared = LabelledSet("mixed", [bank.query[0]], ["a"], [shop.query[0], bank.query[1]], ["a"] * 2)
    strangers = strangers_of(shop, [shop, bank, shared])
    assert set(strangers) == {*bank.query}
    assert not set(strangers) & {*shop.support, *shop.query}
    assert bank.query[0] not in strangers_of(shared, [shop, bank, shared])
    assert strangers_of(shop, [shop]) == []
    many = LabelledSet("many", [], [], [f"text {n}" for n in range(1000)], [])
    assert len(strangers_of(shop, [shop, many])) == N_STRANGERS
    again = LabelledSet("many", [], [], many.query[::-1], [])
    assert strangers_of(shop, [shop, again]) == strangers_of(shop, [shop, many])


def test_an_encoder_that_tells_all_apart_is_right_each_time(sets: Dict[str, LabelledSet]) -> None:
    found = Judges(list(sets.values()), readable).measure(embed)
    assert found["accuracy"] == 1.0
    assert found["sets"] == {"shop": 1.0, "bank": 1.0}
    assert found["oos_auroc"] > 0.99
    assert found["judged"] == pytest.approx(
        0.6 * found["accuracy"] + 0.3 * found["oos_auroc"] - 0.1 * found["mash_answered"]
    )


def test_an_encoder_that_sees_nothing_guesses(sets: Dict[str, LabelledSet]) -> None:
    judges = Judges(list(sets.values()), readable)
    found = judges.measure(noise)
    assert 0.1 < found["accuracy"] < 0.6  # a third
    assert 0.25 < found["oos_auroc"] < 0.75  # a half
    for name in ("accuracy", "oos_auroc", "ece", "mash_answered"):
        assert 0 <= found[name] <= 1
    assert found["accuracy"] == pytest.approx(np.mean(list(found["sets"].values())))
    assert judges.measure(noise) == found
    assert Judges(list(sets.values()), readable).measure(noise) == found
    assert judges.measure(embed)["judged"] > found["judged"]


def test_one_set_alone_has_no_strangers(sets: Dict[str, LabelledSet]) -> None:
    found = Judges([sets["shop"]], readable).measure(embed)
    assert found["oos_auroc"] is None
    assert found["judged"] == pytest.approx(0.6 * 1.0 - 0.1 * found["mash_answered"])


@pytest.mark.parametrize("order", [1, -1])
def test_a_set_within_another_is_judged_without_strangers(
    sets: Dict[str, LabelledSet], tmp_path: Path, order: int
) -> None:
    part = read_set("part", write_nlu(tmp_path / "part.yml", {w: SHOP[w] for w in ("send", "pay")}))
    both = [sets["shop"], part][::order]
    assert strangers_of(sets["shop"], both) == []
    alone = Judges(both, readable).measure(embed)
    assert list(alone["sets"]) == [own.name for own in both]
    # The part's strangers are the rest of the larger set.
    assert alone["oos_auroc"] > 0.99


def test_what_is_encoded_is_few_shots_queries_and_mash(sets: Dict[str, LabelledSet]) -> None:
    seen: List[str] = []

    def watch(texts: Sequence[str]) -> np.ndarray:
        seen.extend(texts)
        return embed(texts)

    Judges(list(sets.values()), readable).measure(watch)
    for own in sets.values():
        assert set(own.query) <= set(seen)
        assert len(set(seen) & set(own.support)) == 3 * N_SHOT
