"""Texts and tasks to train on."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from rasa_tokprune.commands.adapt.corpus import Corpus, labelled_batch, text_batches
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.texts.disturb import disturb

TASK = {f"intent_{n}": [f"text {n} {k}" for k in range(4)] for n in range(10)}
TEXTS = tuple(f"{'word ' * (number % 7)}{number}" for number in range(100))


def test_it_reads_lines_yaml_and_tasks(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("one line\n\n  two lines  \none line\n", encoding="utf-8")
    (tmp_path / "nlu.yml").write_text(
        'version: "3.1"\nnlu:\n- intent: greet\n  examples: |\n    - hello\n    - hi there\n'
        "- intent: lone\n  examples: |\n    - just one\n"
        "- intent: bye\n  examples: |\n    - good bye\n    - see you\n",
        encoding="utf-8",
    )
    corpus = Corpus.read([tmp_path / "lines.txt"], {"bot": tmp_path / "nlu.yml"})
    assert corpus.texts == (
        "good bye", "hello", "hi there", "just one", "one line", "see you", "two lines"
    )  # fmt: skip
    # One text alone has nothing to be drawn to.
    assert corpus.tasks == {"bot": {"greet": ["hello", "hi there"], "bye": ["good bye", "see you"]}}
    unlabelled = Corpus.read([tmp_path / "nlu.yml"], {})
    assert "just one" in unlabelled.texts
    assert not unlabelled.tasks


def test_nothing_to_train_on_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "blank.txt").write_text("\n\n")
    with pytest.raises(ConfigError, match="there is no text to train on"):
        Corpus.read([tmp_path / "blank.txt"], {})
    with pytest.raises(ConfigError, match="missing.txt' cannot be read: No such file"):
        Corpus.read([tmp_path / "missing.txt"], {})


def test_concatenations_are_longer_and_the_same_each_time() -> None:
    corpus = Corpus(TEXTS, {})
    longer = corpus.with_concatenations(50, seed=1)
    added = set(longer.texts) - set(TEXTS)
    assert len(added) == 50
    assert all(2 <= sum(part.isdigit() for part in text.split()) <= 8 for text in added)
    assert longer == corpus.with_concatenations(50, seed=1)
    assert longer != corpus.with_concatenations(50, seed=2)


def test_what_is_held_out_is_nowhere_else() -> None:
    texts = {*TEXTS, *itertools.chain.from_iterable(TASK.values())}
    train, held_out = Corpus(tuple(sorted(texts)), {"bot": TASK}).split(0.3, seed=0)
    assert set(train.texts) | set(held_out.texts) == texts
    assert not set(train.texts) & set(held_out.texts)
    assert not set(train.tasks["bot"]) & set(held_out.tasks["bot"])
    learned = {text for own in train.tasks["bot"].values() for text in own}
    assert learned
    assert not learned & set(held_out.texts)
    for label in held_out.tasks["bot"]:
        assert set(TASK[label]) <= set(held_out.texts)


@pytest.mark.parametrize(("n_labels", "n_held_out"), [(2, 0), (3, 0), (4, 2), (10, 2), (100, 3)])
def test_two_labels_or_none_are_held_out(n_labels: int, n_held_out: int) -> None:
    task = {f"intent_{n}": [f"text {n} {k}" for k in range(20)] for n in range(n_labels)}
    texts = tuple(sorted(itertools.chain.from_iterable(task.values())))
    for seed in range(5):
        train, held_out = Corpus(texts, {"bot": task}).split(0.03, seed)
        assert len(held_out.tasks.get("bot", {})) == n_held_out
        assert len(train.tasks["bot"]) == n_labels - n_held_out


def test_a_task_that_teaches_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "nlu.yml").write_text(
        'version: "3.1"\nnlu:\n- intent: greet\n  examples: |\n    - hello\n    - hi\n',
        encoding="utf-8",
    )
    with pytest.raises(ConfigError, match="task 'bot': .* holds fewer than two intents"):
        Corpus.read([], {"bot": tmp_path / "nlu.yml"})


def test_an_epoch_sees_every_text_in_batches_of_like_length() -> None:
    batches = list(itertools.islice(text_batches(TEXTS, 10, seed=0, start=0), 10))
    assert sorted(itertools.chain.from_iterable(batches)) == sorted(TEXTS)
    spread = [max(map(len, batch)) - min(map(len, batch)) for batch in batches]
    assert np.mean(spread) < 8  # of 31


@pytest.mark.parametrize("start", [3, 10, 27])
def test_a_later_start_goes_on_with_the_same_batches(start: int) -> None:
    whole = list(itertools.islice(text_batches(TEXTS, 10, seed=5, start=0), 40))
    rest = list(itertools.islice(text_batches(TEXTS, 10, seed=5, start=start), 40 - start))
    assert rest == whole[start:]


def test_batches_of_fewer_texts_than_asked_for() -> None:
    assert sorted(next(text_batches(TEXTS[:3], 64, seed=0, start=0))) == sorted(TEXTS[:3])


def test_a_labelled_batch_holds_two_texts_of_each_label() -> None:
    texts, targets = labelled_batch({"bot": TASK}, 4, np.random.default_rng(0))
    assert set(targets) == {0, 1, 2, 3}
    for target in range(4):
        own = [text for text, other in zip(texts, targets) if other == target]
        (label,) = {label for label, known in TASK.items() for text in own[:2] if text in known}
        assert own[:2] != [own[0]] * 2
        assert own[2:] in ([], [label.replace("_", " ")])


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
