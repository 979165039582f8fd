"""Texts and tasks to train on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rasa_tokprune.commands.adapt.corpus import Corpus
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.texts.disturb import disturb
from tests.bots_on_disk import write_nlu

TEXTS = tuple(f"{'word ' * (number % 7)}{number}" for number in range(100))


def test_it_reads_lines_yaml_and_tasks(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("one line\n\n  two lines  \none line\n", encoding="utf-8")
    intents = {
        "greet": ["hello", "hi there"], "lone": ["just one"], "bye": ["good bye", "see you"],
    }  # fmt: skip
    nlu = write_nlu(tmp_path / "nlu.yml", intents)
    corpus = Corpus.read([tmp_path / "lines.txt"], {"bot": nlu})
    assert corpus.texts == (
        "good bye", "hello", "hi there", "just one", "one line", "see you", "two lines"
    )  # fmt: skip
    # One text alone has nothing to be drawn to.
    assert corpus.tasks == {"bot": {"greet": ["hello", "hi there"], "bye": ["good bye", "see you"]}}
    unlabelled = Corpus.read([nlu], {})
    assert "just one" in unlabelled.texts
    assert not unlabelled.tasks


def test_nothing_to_train_on_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "blank.txt").write_text("\n\n")
    with pytest.raises(ConfigError, match="there is no text to train on"):
        Corpus.read([tmp_path / "blank.txt"], {})
    with pytest.raises(ConfigError, match="missing.txt' cannot be read: No such file"):
        Corpus.read([tmp_path / "missing.txt"], {})


def test_a_task_that_teaches_nothing_is_refused(tmp_path: Path) -> None:
    nlu = write_nlu(tmp_path / "nlu.yml", {"greet": ["hello", "hi"]})
    with pytest.raises(ConfigError, match="task 'bot': .* holds fewer than two intents"):
        Corpus.read([], {"bot": nlu})


def test_concatenations_are_longer_and_the_same_each_time() -> None:
    corpus = Corpus(TEXTS, {})
    longer = corpus.with_concatenations(50, seed=1)
    added = set(longer.texts) - set(TEXTS)
    assert len(added) == 50
    assert all(2 <= sum(part.isdigit() for part in text.split()) <= 8 for text in added)
    assert longer == corpus.with_concatenations(50, seed=1)
    assert longer != corpus.with_concatenations(50, seed=2)
    assert corpus.with_concatenations(0, seed=1).texts == tuple(sorted(TEXTS))


def test_texts_to_judge_by_go_from_texts_and_tasks() -> None:
    tasks = {
        "bot": {"a": ["a1", "a2", "a3"], "b": ["b1", "b2"], "c": ["c1", "c2"]},
        "other": {"a": ["a1", "a2"], "d": ["d1", "d2"]},
    }
    texts = tuple(sorted({t for task in tasks.values() for own in task.values() for t in own}))
    rest = Corpus(texts, tasks).without({"a1", "b1", "elsewhere"})
    assert rest.texts == ("a2", "a3", "b2", "c1", "c2", "d1", "d2")
    # Of the second task one label is left, and one label has nothing to be told from.
    assert rest.tasks == {"bot": {"a": ["a2", "a3"], "c": ["c1", "c2"]}}
    with pytest.raises(ConfigError, match="every text to train on is one to judge by"):
        Corpus(texts, tasks).without(set(texts))
    assert tasks["bot"]["a"] == ["a1", "a2", "a3"], "what is given stays as it is"


@pytest.mark.parametrize(
    "text", ["", "a", "?", "!!", "? ?", "... ...", "Where is my parcel, please?"]
)
def test_disturbed_text_is_never_blank_unless_it_was(text: str) -> None:
    for seed in range(200):
        disturbed = disturb(text, np.random.default_rng(seed))
        assert bool(disturbed.strip()) == bool(text.strip())
    assert disturb(text, np.random.default_rng(3)) == disturb(text, np.random.default_rng(3))


def test_disturbing_changes_few_letters() -> None:
    text = "Where is my parcel, and when will it arrive at home?"
    lengths = [len(disturb(text, np.random.default_rng(seed))) for seed in range(200)]
    assert len(text) - 6 < np.mean(lengths) <= len(text)
    unchanged = sum(disturb(text, np.random.default_rng(seed)) == text for seed in range(500))
    assert 0.15 < unchanged / 500 < 0.35  # 0.7 * 0.6 * 0.6 = 0.25
