"""The student is the package's encoder, with changes that can be trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
import torch

from rasa_tokprune.commands.adapt.training.sentences import Sentences, tokenize
from rasa_tokprune.commands.adapt.training.student import Importance, Student, embed
from rasa_tokprune.encoder import Encoder, PruneMode, PruningPlan
from rasa_tokprune.encoder.adapters.adapter import Adapter
from rasa_tokprune.encoder.formats import Precision
from rasa_tokprune.errors import ConfigError
from tests.adapters import random_adapter
from tests.checkpoints import ARCHITECTURES, CORPUS, N_LAYERS, write_json
from tests.commands.adapt.training.tiny import PLAN, encoder_in, sentences, student, training
from tests.plans import PLANS, TEXTS


def difference(learner: Student, encoder: Encoder, prunes: bool = True) -> float:
    with torch.no_grad():
        own = learner(Sentences.of(encoder.tokenize(TEXTS), encoder), prunes).numpy()
    return float(np.abs(own - encoder.encode(TEXTS)).max())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("name", PLANS)
def test_an_untrained_student_is_the_encoder(
    checkpoint: Callable[[str], Path], architecture: str, name: str
) -> None:
    folder = checkpoint(architecture)
    encoder = encoder_in(folder, prune=PLANS[name])
    assert difference(student(folder, PLANS[name]), encoder) < 1e-6
    unpruned = encoder_in(folder, prune=PLANS[name].without_pruning)
    assert difference(student(folder, PLANS[name]), unpruned, prunes=False) < 1e-6


@pytest.mark.parametrize("mode", list(PruneMode))
@pytest.mark.parametrize("include_prompt", [True, False])
def test_a_prompt_is_pooled_as_the_encoder_does(
    new_checkpoint: Callable[..., Path], include_prompt: bool, mode: PruneMode
) -> None:
    pooling = {"pooling_mode_mean_tokens": True, "include_prompt": include_prompt}
    folder = new_checkpoint("bert", pooling=pooling)
    write_json(
        folder / "config_sentence_transformers.json",
        {"prompts": {"query": "my order: "}, "default_prompt_name": "query"},
    )
    plan = PruningPlan(N_LAYERS, (0.5, 0.5, 0.0, 0.0), mode=mode)
    assert difference(student(folder, plan), encoder_in(folder, prune=plan)) < 1e-6


def test_punctuation_at_the_end_is_dropped_as_the_encoder_does(tiny_bert: Path) -> None:
    plan = PruningPlan(N_LAYERS, (0.0, 0.5, 0.0, 0.0), drop_end=True)
    texts = ["where is my parcel?", "where is my parcel", "?", "cancel it ..."]
    encoder = encoder_in(tiny_bert, prune=plan)
    found = embed(student(tiny_bert, plan), encoder_in(tiny_bert), texts)
    np.testing.assert_allclose(found, encoder.encode(texts), atol=1e-6)
    np.testing.assert_array_equal(found[0], found[1])


def test_texts_are_embedded_in_their_order_however_many(tiny_bert: Path) -> None:
    texts = [f"{text} {number}" for number in range(40) for text in CORPUS[:4]]
    found = embed(student(tiny_bert), encoder_in(tiny_bert), texts)
    expected = encoder_in(tiny_bert, prune=PLAN).encode(texts)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.thorough
@pytest.mark.parametrize("prunes", [True, False])
def test_a_trained_student_is_the_encoder_with_its_adapter(tiny_bert: Path, prunes: bool) -> None:
    learner = student(tiny_bert)
    changes = training(tiny_bert, student=learner).run()
    base = encoder_in(tiny_bert)
    adapter = Adapter("own", base.model.identity, changes)
    plan = PLAN if prunes else PLAN.without_pruning
    encoder = encoder_in(tiny_bert, prune=plan, adapter=adapter)
    learner.load_changes(adapter)
    assert difference(learner, encoder, prunes) < 1e-5
    bare = encoder_in(tiny_bert, prune=plan, adapter="off")
    assert np.abs(encoder.encode(TEXTS) - bare.encode(TEXTS)).max() > 1e-3


def test_changes_of_layers_that_run_are_taken_over(tiny_bert: Path) -> None:
    adapter = random_adapter(tiny_bert)
    learner = Student(tiny_bert, encoder_in(tiny_bert).model.spec, PLAN, rank=2, seed=0)
    learner.load_changes(adapter)
    encoder = encoder_in(tiny_bert, prune=PLAN, adapter=adapter)
    assert difference(learner, encoder) < 1e-5
    assert set(learner.changes()) == {name for name in adapter.tensors if name[0] in "012"}
    for name, tensor in learner.changes().items():
        np.testing.assert_array_equal(tensor, adapter.tensors[name])


def test_an_adapter_of_another_rank_is_refused(tiny_bert: Path) -> None:
    with pytest.raises(ConfigError, match="go on with the rank it has"):
        student(tiny_bert).load_changes(random_adapter(tiny_bert))


@pytest.mark.parametrize("name", PLANS)
def test_sixteen_bits_train_as_thirty_two_nearly(tiny_bert: Path, name: str) -> None:
    encoder = encoder_in(tiny_bert)
    teacher = torch.from_numpy(encoder.encode(CORPUS[::-1]))
    gradients = []
    for precision in (Precision.FP32, Precision.BF16):
        learner = student(tiny_bert, PLANS[name], precision=precision)
        embeddings = learner(sentences(encoder))
        assert embeddings.dtype == torch.float32
        (embeddings * teacher).sum().backward()
        gradients.append(
            torch.cat([p.grad.flatten() for n, p in learner.changed.items() if "bias" in n])
        )
    assert torch.cosine_similarity(*gradients, dim=0) > 0.9


def test_controls_prune_other_tokens(tiny_bert: Path) -> None:
    encoder = encoder_in(tiny_bert)
    found = [
        embed(student(tiny_bert, importance=importance), encoder, CORPUS)
        for importance in (Importance.ATTENTION, Importance.INVERSE, Importance.RANDOM)
    ]
    again = embed(student(tiny_bert, importance=Importance.RANDOM), encoder, CORPUS)
    np.testing.assert_array_equal(found[2], again)
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(found[first] - found[second]).max() > 1e-3


def test_what_pools_otherwise_is_refused(new_checkpoint: Callable[..., Path]) -> None:
    folder = new_checkpoint("bert", pooling={"pooling_mode_max_tokens": True})
    with pytest.raises(ConfigError, match="adapters are trained for encoders that pool by mean"):
        student(folder)


def test_what_pools_the_first_token_is_trained(new_checkpoint: Callable[..., Path]) -> None:
    folder = new_checkpoint("bert", pooling={"pooling_mode_cls_token": True})
    assert difference(student(folder), encoder_in(folder, prune=PLAN)) < 1e-6


@pytest.mark.parametrize(("longest", "n_tokens"), [(5, 5), (None, 12), (1000, 12)])
def test_texts_are_cut_where_it_is_said(tiny_bert: Path, longest: Any, n_tokens: int) -> None:
    encoder = encoder_in(tiny_bert, max_length=12)
    packed = tokenize(encoder, False, [" ".join(CORPUS), "parcel"], longest).packed
    assert packed.lengths.tolist() == [n_tokens, 3]
