"""A large intent beside small ones: the bots drawn, what is counted, the constant, the table."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np
import pytest

from benchmarks.conftest import Refusal
from benchmarks.robustness import imbalance
from benchmarks.robustness.imbalance import EVEN, UNEVEN, EmbeddedSet, count, draw_bots
from benchmarks.robustness.tables import chosen_advantage, imbalance_table
from benchmarks.rows import read_rows
from rasa_tokprune.fewshot import Messages, prototypes
from tests.bots_on_disk import write_nlu

# One large intent, ten small ones, one of too few texts.
SIZES = {"large": 80, **{f"small_{number}": 8 for number in range(10)}, "tiny": 5}
LABELS = [intent for intent, n in SIZES.items() for _ in range(n)]


@dataclasses.dataclass(frozen=True)
class Told:
    """Stands for a classifier: each message's embedding is what it is answered with."""

    classes: Tuple[str, ...]

    def predict_proba(self, messages: Messages) -> np.ndarray:
        return messages.embeddings


def test_bots_have_one_large_intent_and_are_never_asked_their_examples() -> None:
    bots = list(draw_bots(LABELS))
    assert [(bot.intent, bot.draw) for bot in bots] == [("large", 0), ("large", 1), ("large", 2)]
    labels = np.array(LABELS)
    for bot in bots:
        assert "tiny" not in labels[bot.examples(EVEN)]
        assert len(bot.examples(EVEN)) == 3 * 11
        assert len(bot.examples(UNEVEN)) == 3 * 10 + 64, "four fifths of 80"
        assert set(bot.examples(EVEN)) < set(bot.examples(UNEVEN))
        asked = bot.asked()
        assert set(labels[asked["large"]]) == {"large"}
        assert "large" not in labels[asked["small"]]
        assert (len(asked["large"]), len(asked["small"])) == (16, 10 * 5)
        rows = np.concatenate([bot.examples(UNEVEN), *asked.values()])
        assert len(set(rows)) == len(rows) == 80 + 10 * 8


@pytest.mark.parametrize(
    ("labels", "n_large"),
    [
        (LABELS[4:], 1),  # 76 texts
        (LABELS[5:], 0),  # 75
        ([label for label in LABELS if label not in ("tiny", "small_0")], 0),  # ten intents
        ([f"{number % 11}" for number in range(11 * 76)], 3),  # of eleven that are large
    ],
)
def test_only_some_sets_have_bots(labels: List[str], n_large: int) -> None:
    assert len({bot.intent for bot in draw_bots(labels)}) == n_large


def test_what_is_answered_is_counted() -> None:
    confidences = [
        [0.9, 0.1, 0.0],  # right
        [0.1, 0.0, 0.9],  # wrong, the large intent, sure
        [0.4, 0.3, 0.3],  # wrong, not sure
        [0.2, 0.5, 0.3],  # right
        [0.0, 0.6, 0.4],  # right
    ]
    messages = Messages(np.array(confidences))
    found = count(Told(("a", "b", "big")), messages, np.array(["a", "a", "b", "b", "b"]), "big")
    assert found.pop("recall") == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert found == {"n": 5, "wrong": 2, "to_large": 1, "sure": 1}


def test_the_constant_is_set_and_put_back() -> None:
    vectors = np.random.default_rng(0).normal(size=(len(LABELS), 16)).astype(np.float32)
    texts = [f"text {number}" for number in range(len(LABELS))]
    own = EmbeddedSet(Messages(vectors, texts), np.array(LABELS), {}, vectors[:4])
    rows = next(draw_bots(LABELS)).examples(UNEVEN)
    before = prototypes._ADVANTAGE
    found = [own.fit(rows, advantage).head.advantage for advantage in (0.0, 0.05, 0.15)]
    assert before == prototypes._ADVANTAGE
    assert not found[0].any()
    assert found[1].max() > 0
    np.testing.assert_allclose(found[2], 3 * found[1], rtol=1e-5)


def test_the_smallest_advantage_that_keeps_two_points_is_chosen(
    imbalance_rows: List[Dict[str, Any]],
) -> None:
    assert chosen_advantage(imbalance_rows) == 0.1
    lossy = [row for row in imbalance_rows if row["advantage"] == 0.0]
    assert chosen_advantage(lossy) is None


def test_the_package_has_what_was_chosen() -> None:
    rows = read_rows(Path(__file__).with_name("imbalance.jsonl"))
    assert chosen_advantage(rows) == prototypes._ADVANTAGE


def test_table(imbalance_rows: List[Dict[str, Any]]) -> None:
    lines = imbalance_table(imbalance_rows).splitlines()
    assert lines[0].startswith("| plan | sizes | advantage | small intents: recall % | messages |")
    assert (
        lines[2]
        == "| `default` from 8 tokens on | even | 0 | 90.0 | 100 | 12 | 4 | 6 | 75.0 | 32 |"
    )
    uneven = "| uneven | 0.1 | 89.0 | 100 | 12 | 4 | 6 | 75.0 | 32 |"
    assert lines[5] == f"| `default` from 8 tokens on {uneven}"
    assert len(lines) == 2 + 4
    today = imbalance_table([{**row, "min_tokens": 0} for row in imbalance_rows]).splitlines()
    assert today[5] == f"| `default` {uneven}"


def test_a_folder_without_a_large_intent_is_refused(tmp_path: Path, refusal: Refusal) -> None:
    options = ["--intents", str(tmp_path), "--prune", "off", "--out", str(tmp_path / "rows.jsonl")]
    assert "no labelled file" in refusal(imbalance.main, options)
    write_nlu(tmp_path / "set.yml", {"one": ["a text"] * 100})
    assert "one of them with 76 texts" in refusal(imbalance.main, options)


@pytest.mark.thorough
def test_the_command_measures_both_sizes_and_every_advantage(
    tiny_bert: Path, tmp_path: Path
) -> None:
    texts = {intent: [f"{intent} {each}" for each in range(n)] for intent, n in SIZES.items()}
    write_nlu(tmp_path / "judge" / "set.yml", texts)
    out = tmp_path / "rows.jsonl"
    options = ["--intents", str(tmp_path / "judge"), "--prune", "off", "--model", str(tiny_bert)]
    assert imbalance.main([*options, "--out", str(out)]) == 0
    rows = read_rows(out)
    assert len(rows) == 3 * 2 * 4
    assert {(row["sizes"], row["n_large"], row["n_way"]) for row in rows} == {
        (EVEN, 3, 11),
        (UNEVEN, 64, 11),
    }
    assert all((row["small"]["n"], row["large"]["n"]) == (50, 16) for row in rows)
    assert all(row["environment"]["cores"] for row in rows)
    assert not any(text in out.read_text() for own in texts.values() for text in own)
