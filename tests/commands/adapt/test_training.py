"""Training: it learns, it resumes, it is the same each time."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict

import numpy as np
import pytest
import torch

from rasa_tokprune.commands.adapt.corpus import Corpus
from rasa_tokprune.commands.adapt.training.loop import AdapterTraining, TrainingSettings
from rasa_tokprune.commands.adapt.training.losses import contrastive_loss, distillation_loss
from rasa_tokprune.commands.adapt.training.student import Student
from rasa_tokprune.encoder import PruningPlan, load_encoder
from rasa_tokprune.encoder.adapters.adapter import Adapter
from rasa_tokprune.encoder.formats import Precision
from rasa_tokprune.errors import ConfigError
from tests.checkpoints import CORPUS, N_LAYERS
from tests.plans import PLANS

PLAN = PruningPlan(N_LAYERS, (0.0, 0.4, 0.4, 0.0), kept_layers=(0, 1, 2))
TASK = {"parcel": [CORPUS[0], CORPUS[3]], "order": [CORPUS[1], CORPUS[5]]}
TRAIN = Corpus(tuple(sorted(CORPUS)), {"shop": TASK})
HELD_OUT = Corpus(("is my parcel there", "cancel it please"), {"shop": TASK})
QUICK = TrainingSettings(steps=12, batch_size=4, n_labels=2, check_every=4, patience=9)


def student(folder: Path, plan: PruningPlan = PLAN, seed: int = 0) -> Student:
    spec = load_encoder(str(folder), backend="torch").model.spec
    return Student(folder, spec, plan, rank=4, seed=seed)


def training(folder: Path, settings: TrainingSettings = QUICK, **own: Any) -> AdapterTraining:
    encoder = load_encoder(str(folder), backend="torch")
    texts = [*TRAIN.texts, *HELD_OUT.texts]
    teacher = dict(zip(texts, encoder.encode(texts)))
    learner = own.pop("student", None) or student(folder)
    return AdapterTraining(learner, encoder.tokenize, teacher, TRAIN, HELD_OUT, settings, **own)


@pytest.mark.parametrize("name", PLANS)
def test_an_untrained_student_is_the_encoder(tiny_bert: Path, name: str) -> None:
    encoder = load_encoder(str(tiny_bert), prune=PLANS[name], backend="torch")
    with torch.no_grad():
        embeddings = student(tiny_bert, PLANS[name])(encoder.tokenize(CORPUS)).numpy()
    assert np.abs(embeddings - encoder.encode(CORPUS)).max() < 1e-6


@pytest.mark.parametrize("prunes", [True, False])
def test_a_trained_student_is_the_encoder_with_its_adapter(tiny_bert: Path, prunes: bool) -> None:
    learner = student(tiny_bert)
    changes = training(tiny_bert, student=learner).run()
    base = load_encoder(str(tiny_bert), backend="torch")
    adapter = Adapter("own", base.model.identity, changes)
    plan = PLAN if prunes else PLAN.without_pruning
    encoder = load_encoder(str(tiny_bert), prune=plan, adapter=adapter, backend="torch")
    learner.load_changes(adapter)
    with torch.no_grad():
        embeddings = learner(encoder.tokenize(CORPUS), prunes).numpy()
    assert np.abs(embeddings - encoder.encode(CORPUS)).max() < 1e-5
    assert np.abs(embeddings - base.encode(CORPUS)).max() > 1e-3


def test_it_learns(tiny_bert: Path) -> None:
    settings = TrainingSettings(
        steps=60, batch_size=8, n_labels=2, check_every=20, learning_rate=1e-2
    )
    run = training(tiny_bert, settings)
    run.run()
    held_out = [entry["held_out"] for entry in run.history]
    assert held_out[-1] < 0.9 * held_out[0]


def test_a_killed_run_goes_on_to_the_same_end(tiny_bert: Path, tmp_path: Path) -> None:
    whole = training(tiny_bert, identity="x")
    expected = whole.run()

    class KilledError(Exception):
        pass

    state = tmp_path / "state.safetensors"
    first = training(tiny_bert, identity="x")
    tokenize, calls = first._tokenize, iter(range(10**6))

    def dies(texts: Any) -> Any:
        if next(calls) > 18:
            raise KilledError
        return tokenize(texts)

    first._tokenize = dies
    with pytest.raises(KilledError):
        first.run(checkpoint=state)
    second = training(tiny_bert, identity="x", student=student(tiny_bert, seed=7))
    found = second.run(checkpoint=state)
    assert second.history[0]["step"] == 0
    assert second.history == whole.history
    assert all(np.array_equal(found[name], expected[name]) for name in expected)
    # A finished run has nothing left to do.
    third = training(tiny_bert, identity="x")
    again = third.run(checkpoint=state)
    assert all(np.array_equal(again[name], expected[name]) for name in expected)
    assert third.history == whole.history


def test_an_encoder_of_embeddings_of_any_length_teaches_directions(new_checkpoint: Any) -> None:
    folder = new_checkpoint("bert", normalize=False)
    run = training(folder)
    assert np.linalg.norm(run._teacher[CORPUS[0]]) > 2
    identity = student(folder, PruningPlan.identity(N_LAYERS))
    same = training(folder, student=identity)
    same._look(None)
    assert same.history[0]["distillation"] == pytest.approx(0.0, abs=1e-5)


def test_training_that_only_harms_gives_no_change(tiny_bert: Path) -> None:
    settings = TrainingSettings(
        steps=3, batch_size=4, n_labels=2, check_every=1, learning_rate=3.0, contrastive_every=0
    )
    run = training(tiny_bert, settings, student=student(tiny_bert, PruningPlan.identity(N_LAYERS)))
    best = run.run()
    assert run.history[0]["held_out"] == pytest.approx(0.0, abs=1e-5)
    assert run.history[-1]["held_out"] > 0.01
    assert not any(tensor.any() for name, tensor in best.items() if not name.endswith(".down"))


def test_training_that_diverges_says_so(tiny_bert: Path) -> None:
    settings = TrainingSettings(steps=200, batch_size=4, n_labels=2, learning_rate=1e30)
    with pytest.raises(ConfigError, match="training diverged at step .* lower learning_rate"):
        training(tiny_bert, settings).run()


def test_the_state_of_another_training_is_refused(tiny_bert: Path, tmp_path: Path) -> None:
    state = tmp_path / "state.safetensors"
    training(tiny_bert, identity="x").run(checkpoint=state)
    with pytest.raises(ConfigError, match="with other settings or data"):
        training(tiny_bert, identity="y").run(checkpoint=state)
    state.write_bytes(b"nonsense")
    with pytest.raises(ConfigError, match="is not the state of a training"):
        training(tiny_bert, identity="x").run(checkpoint=state)


def test_it_stops_when_held_out_texts_get_no_better(tiny_bert: Path) -> None:
    settings = TrainingSettings(
        steps=100, batch_size=4, n_labels=2, check_every=1, patience=3, learning_rate=1.0
    )
    run = training(tiny_bert, settings)
    run.run()
    assert run.has_stopped
    assert run.history[-1]["step"] < 100
    losses = [entry["held_out"] for entry in run.history]
    assert min(losses) < min(losses[-3:])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"learning_rate": 0.0}, "learning_rate must be positive"),
        ({"contrastive_weight": -1.0}, "contrastive_every and contrastive_weight"),
        ({"un_pruned_share": 1.5}, r"un_pruned_share must be in \[0, 1\], got 1.5"),
    ],
)
def test_wrong_settings(wrong: Dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TrainingSettings(**wrong)


def test_what_pools_otherwise_is_refused(new_checkpoint: Any) -> None:
    folder = new_checkpoint("bert", pooling={"pooling_mode_max_tokens": True})
    with pytest.raises(ConfigError, match="adapters are trained for encoders that pool by mean"):
        student(folder)


def test_distillation_loss_by_hand() -> None:
    teacher = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    assert distillation_loss(teacher, teacher) == 0
    # Both on the first axis: cosines 1 and 0; similarities 1 where the teacher's are 0, twice of 4.
    student_embeddings = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    assert distillation_loss(student_embeddings, teacher) == pytest.approx(0.5 + 0.5)


def test_contrastive_loss_by_hand() -> None:
    embeddings = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    # The third stands alone. First and second: e / (e + 1) for each other.
    expected = -np.log(np.e / (np.e + 1))
    found = contrastive_loss(embeddings, torch.tensor([0, 0, 1]), temperature=1.0)
    assert float(found) == pytest.approx(expected)


@pytest.mark.parametrize("name", PLANS)
def test_sixteen_bits_train_as_thirty_two_nearly(tiny_bert: Path, name: str) -> None:
    encoder = load_encoder(str(tiny_bert), backend="torch")
    tokens = encoder.tokenize(CORPUS)
    teacher = torch.from_numpy(encoder.encode(CORPUS[::-1]))
    gradients = []
    for precision in (Precision.FP32, Precision.BF16):
        plan = PLANS[name]
        learner = Student(tiny_bert, encoder.model.spec, plan, rank=4, seed=0, precision=precision)
        embeddings = learner(tokens)
        assert embeddings.dtype == torch.float32
        similarity = embeddings @ teacher.T
        similarity.diagonal().sum().backward()
        gradients.append(
            torch.cat([p.grad.flatten() for n, p in learner.changed.items() if "bias" in n])
        )
    assert torch.cosine_similarity(*gradients, dim=0) > 0.9
