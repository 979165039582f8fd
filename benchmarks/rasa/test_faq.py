"""Bots of questions, the selectors that answer them, and their table."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Optional

import pytest
from rasa.shared.core.domain import Domain

from benchmarks.conftest import ENVIRONMENT, Refusal
from benchmarks.rasa import faq
from benchmarks.rasa.faq import SEEDS, SELECTORS, FaqBot
from benchmarks.rasa.tables import faq_table
from rasa_tokprune.texts.tasks import read_examples
from tests.bots_on_disk import BOT, HELLO, REFUND, SHIPPING, write_nlu

TEXTS = {
    "many": [f"many {row}" for row in range(7)],
    "enough": [f"enough {row}" for row in range(5)],
    "few": ["few 0", "a: few, (1)", '"few" 2'],
}


def faq_row(pipeline: str, accuracy: float, train_s: float, seed: Optional[int]) -> Dict[str, Any]:
    row = {"bot": "bot", "pipeline": pipeline, "accuracy": accuracy, "train_s": train_s}
    training = {"epochs": None if seed is None else 100, "seed": seed, "environment": ENVIRONMENT}
    return {**row, **training, "n_keys": 3, "n_examples": 13, "n_messages": 8}


def test_every_intent_becomes_a_key_with_five_examples(tmp_path: Path) -> None:
    path = write_nlu(tmp_path / "set.yml", TEXTS)
    bot = faq.rewritten_bot("set", path, tmp_path / "set")
    texts, intents, keys = read_examples(bot.train)
    assert set(intents) == {"faq"}
    assert [keys.count(f"faq/{name}") for name in TEXTS] == [5, 5, 3]
    assert bot.keys == ["faq/many"] * 2
    assert sorted([*texts, *bot.questions]) == sorted(t for own in TEXTS.values() for t in own)
    assert set(Domain.load(bot.domain).responses) == {f"utter_faq/{name}" for name in TEXTS}
    assert bot.counts() == {"n_keys": 3, "n_examples": 13, "n_messages": 2}


def test_examples_are_drawn_alike_every_time(tmp_path: Path) -> None:
    path = write_nlu(tmp_path / "set.yml", TEXTS)
    first, second = (faq.rewritten_bot("set", path, tmp_path / name) for name in ("1", "2"))
    assert first.questions == second.questions
    assert first.train.read_text() == second.train.read_text()


def test_the_example_bot_is_asked_what_it_was_not_taught() -> None:
    bot = faq.example_bot()
    texts, _, keys = read_examples(bot.train)
    assert set(bot.keys) == {key for key in keys if "/" in key}
    assert not set(bot.questions) & set(texts)
    assert bot.counts()["n_keys"] == 12
    assert len(bot.questions) == len(bot.keys) == 48, "four of each"


def test_epochs_and_seed_are_those_of_rasas_selector() -> None:
    assert faq.variants("tokprune", 7) == [(None, None)]
    for name in ("counts", "counts+tokprune"):
        assert faq.variants(name, 7) == [(7, seed) for seed in SEEDS]
        *features, selector = faq.pipeline(name, 7, 1)
        assert selector["name"] == "ResponseSelector"
        assert (selector["epochs"], selector["random_seed"]) == (7, 1)
        assert not any("random_seed" in component for component in features)
    assert [component["name"] for component in features] == [
        "WhitespaceTokenizer",
        "RegexFeaturizer",
        "LexicalSyntacticFeaturizer",
        "CountVectorsFeaturizer",
        "CountVectorsFeaturizer",
        "rasa_tokprune.TokPruneFeaturizer",
    ]


def test_what_is_there_is_not_measured_again(tmp_path: Path) -> None:
    out = tmp_path / "faq.jsonl"
    row = '{{"bot": "bot", "pipeline": "{}", "epochs": {}, "seed": {}}}\n'
    rows = [row.format("tokprune", "null", "null")]
    rows += [row.format(name, 7, seed) for name in list(SELECTORS)[1:] for seed in SEEDS]
    out.write_text("".join(rows), encoding="utf-8")
    before = out.read_text()
    faq.measure([FaqBot("bot", BOT / "nlu.yml", BOT / "domain.yml", [], [])], 7, out)
    assert out.read_text() == before


def test_a_folder_without_the_bots(tmp_path: Path, refusal: Refusal) -> None:
    options = ["--intents", str(tmp_path), "--out", str(tmp_path / "rows.jsonl")]
    assert "rasabot_rasahq_carbon_bot.yml': No such file" in refusal(faq.main, options)


def test_table() -> None:
    rows = [
        faq_row("tokprune", 0.875, 20.0, None),
        faq_row("counts", 0.5, 30.0, 0),
        faq_row("counts", 0.25, 50.0, 1),
    ]
    head, _, ours, rasas, _, about, seeds, _, machine = faq_table(rows).splitlines()
    assert head == "| selector | epochs | bot: right % | train s |"
    assert ours == "| TokPruneResponseSelector |  | 87.5 | 20 |"
    assert rasas.endswith(" counts of words and characters | 100 | 25.0 to 50.0 | 40 |")
    assert about == "bot: 3 keys, 13 examples, 8 messages."
    assert "2 seeds" in seeds
    assert machine.startswith("A CPU, 2 usable cores")


@pytest.mark.slow
@pytest.mark.parametrize("name", list(SELECTORS))
def test_a_selector_is_trained_and_asked(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taught = {"hello": HELLO, "refund": REFUND, "shipping": SHIPPING}
    path = write_nlu(tmp_path / "set.yml", taught)
    bot = faq.rewritten_bot("set", path, tmp_path / "set")
    # Every text is an example, so they are asked again.
    questions, _, keys = read_examples(bot.train)
    asked = FaqBot("set", bot.train, bot.domain, questions, keys)
    epochs, seed = faq.variants(name, 30)[0]
    found = faq.measure_selector(asked, faq.pipeline(name, epochs, seed))
    assert found["accuracy"] == 1.0
    assert found["train_s"] > 0
    assert capsys.readouterr().out == "", "Rasa's log would show the messages"
