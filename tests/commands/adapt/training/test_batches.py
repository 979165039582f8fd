"""What a student sees at each step."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, List, Mapping, Sequence

import numpy as np
import pytest

from rasa_tokprune.commands.adapt.corpus import Corpus
from rasa_tokprune.commands.adapt.training.batches import Batch, Batches
from rasa_tokprune.commands.adapt.training.sentences import tokenize
from rasa_tokprune.commands.adapt.training.settings import TrainingSettings
from tests.checkpoints import CORPUS
from tests.commands.adapt.training.tiny import encoder_in

TEXTS = tuple(f"{'word ' * (number % 7)}{number}" for number in range(100))
TASK = {f"label {n}": [f"order {n} {k}" for k in range(4)] for n in range(6)}
TASKS = {"shop": TASK, "bank": {label: own[:2] for label, own in TASK.items()}}
MASH = ("asdf", "uh", "?!", "qwertz")


def batches(
    folder: Path,
    texts: Sequence[str] = TEXTS,
    *,
    tasks: Mapping[str, Any] = {},
    mash: Sequence[str] = (),
    drops_end: bool = False,
    part: int = 0,
    **settings: Any,
) -> Batches:
    own = TrainingSettings(**{"batch_size": 10, "n_labels": 3, **settings}).batches
    return Batches(
        encoder_in(folder), drops_end, Corpus(tuple(texts), tasks), mash, own,
        is_labelled=bool(tasks), part=part, n_steps=40,
    )  # fmt: skip


def arrays(batch: Batch) -> List[Any]:
    found: List[Any] = [batch.texts, batch.n_mash, batch.prunes, *batch.sentences.packed.ids]
    if batch.labelled is not None:
        labelled = batch.labelled
        found += [*labelled.sentences.packed.ids, *labelled.labels, *labelled.tasks]
    return found


def test_a_step_has_the_same_batch_wherever_a_run_begins(tiny_bert: Path) -> None:
    settings = {"tasks": TASKS, "mash": MASH, "mash_share": 0.3}
    whole = [arrays(batch) for batch in map(batches(tiny_bert, **settings).__getitem__, range(40))]
    for start in (39, 3, 10, 27):
        assert arrays(batches(tiny_bert, **settings)[start]) == whole[start]
    assert len({str(each) for each in whole}) == 40
    assert len(batches(tiny_bert)) == 40


@pytest.mark.parametrize("other", [{"seed": 1}, {"part": 1}])
def test_another_seed_or_part_draws_otherwise(tiny_bert: Path, other: Any) -> None:
    assert batches(tiny_bert)[0].texts != batches(tiny_bert, **other)[0].texts


def test_an_epoch_sees_every_text_once_in_batches_of_like_length(tiny_bert: Path) -> None:
    own = batches(tiny_bert)
    for epoch in range(3):
        found = [own.texts(10 * epoch + step) for step in range(10)]
        assert sorted(itertools.chain.from_iterable(found)) == sorted(TEXTS)
        spread = [max(map(len, batch)) - min(map(len, batch)) for batch in found]
        assert np.mean(spread) < 8  # of 31
    assert own.texts(0) != own.texts(10)


def test_the_rest_of_an_epoch_is_another_one_each_time(tiny_bert: Path) -> None:
    own = batches(tiny_bert, batch_size=30)
    left_out = []
    for epoch in range(3):
        found = list(itertools.chain.from_iterable(own.texts(3 * epoch + n) for n in range(3)))
        assert len(found) == len(set(found)) == 90
        left_out.append(frozenset(TEXTS) - set(found))
    assert len(set(left_out)) == 3


def test_fewer_texts_than_asked_for_are_all_in_a_batch(tiny_bert: Path) -> None:
    assert sorted(batches(tiny_bert, TEXTS[:3], batch_size=64)[5].texts) == sorted(TEXTS[:3])


def test_mash_stands_at_the_end_and_is_not_disturbed(tiny_bert: Path) -> None:
    own = batches(tiny_bert, mash=MASH, batch_size=20, mash_share=0.25)
    seen = set()
    for step in range(10):
        batch = own[step]
        assert (len(batch.texts), batch.n_mash) == (20, 5)
        assert set(batch.texts[:15]) <= set(TEXTS)
        assert set(batch.texts[15:]) <= set(MASH)
        packed = batch.sentences.packed
        expected = tokenize(encoder_in(tiny_bert), False, batch.texts[15:]).packed
        assert packed.lengths[15:].tolist() == expected.lengths.tolist()
        assert packed.ids[-len(expected.ids) :].tolist() == expected.ids.tolist()
        seen.update(batch.texts[15:])
    assert seen == set(MASH)


@pytest.mark.parametrize(("mash", "share"), [((), 0.25), (MASH, 0.0)])
def test_without_mash_all_are_texts(tiny_bert: Path, mash: Any, share: float) -> None:
    batch = batches(tiny_bert, mash=mash, mash_share=share)[0]
    assert (len(batch.texts), batch.n_mash) == (10, 0)


def test_what_the_student_sees_is_disturbed_and_what_teachers_saw_is_not(tiny_bert: Path) -> None:
    encoder = encoder_in(tiny_bert)
    own = batches(tiny_bert, CORPUS, batch_size=8)
    same = 0
    for step in range(20):
        batch = own[step]
        assert sorted(batch.texts) == sorted(CORPUS)
        plain = tokenize(encoder, False, batch.texts).packed.ids
        same += plain.tolist() == batch.sentences.packed.ids.tolist()
    assert same < 5


@pytest.mark.parametrize("drops_end", [True, False])
def test_the_student_sees_no_end_that_its_plan_drops(tiny_bert: Path, drops_end: bool) -> None:
    texts = [f"{text.rstrip('?')} ?" for text in CORPUS]
    tasks = {"shop": {"a": texts[:4], "b": texts[4:]}}
    own = batches(tiny_bert, texts, tasks=tasks, mash=["hello ?"], drops_end=drops_end)
    encoder = encoder_in(tiny_bert)
    (mark,) = encoder.tokenize(["?"])[0].ids[1:-1]
    for step in range(10):
        batch = own[step]
        assert batch.labelled is not None
        seen = (batch.sentences.packed, batch.labelled.sentences.packed)
        assert [mark in packed.ids for packed in seen] == [not drops_end] * 2
        assert all(text.endswith("?") for text in batch.texts)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_the_plan_rests_in_a_share_of_the_steps(tiny_bert: Path, share: float) -> None:
    own = batches(tiny_bert, ["a"], batch_size=1, un_pruned_share=share)
    rests = np.mean([not own[step].prunes for step in range(400)])
    # Five standard deviations of a quarter: 5 * sqrt(0.25 * 0.75 / 400) = 0.108.
    assert rests == share if share in (0, 1) else rests == pytest.approx(share, abs=0.108)


def test_labelled_texts_come_of_several_tasks(tiny_bert: Path) -> None:
    labelled = batches(tiny_bert, tasks=TASKS)[0].labelled
    assert labelled is not None
    assert set(labelled.tasks) == {0, 1}
    owners = {label: set(labelled.tasks[labelled.labels == label]) for label in labelled.labels}
    assert len(owners) == 6
    assert all(len(own) == 1 for own in owners.values())
    n_texts = len(labelled.sentences.packed.lengths)
    assert len(labelled.labels) == len(labelled.tasks) == n_texts
    assert batches(tiny_bert)[0].labelled is None


def test_labelled_texts_are_cut_at_32_tokens_and_others_are_not(tiny_bert: Path) -> None:
    long = ["where is my order " * 12 + str(number) for number in range(4)]
    own = batches(tiny_bert, long, tasks={"shop": {"a": long[:2], "b": long[2:]}}, batch_size=4)
    for step in range(5):
        batch = own[step]
        assert batch.labelled is not None
        # Names of labels are shorter.
        assert batch.labelled.sentences.packed.lengths.max() == 32
        assert batch.sentences.packed.lengths.min() > 32
