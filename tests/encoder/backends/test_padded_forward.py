"""The forward pass over padded sentences, made for GPUs, is the packed one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

import numpy as np
import pytest
import torch

from rasa_tokprune.commands.adapt.training import student as student_module
from rasa_tokprune.commands.adapt.training.sentences import Sentences
from rasa_tokprune.commands.adapt.training.student import Student
from rasa_tokprune.encoder import Encoder, PruneMode, PruningPlan, ThresholdKind, load_encoder
from rasa_tokprune.encoder.backends.batch import NEVER_PRUNED, PackedTokens
from rasa_tokprune.encoder.backends.torch.forward import forward
from rasa_tokprune.encoder.backends.torch.padded import padded_forward
from rasa_tokprune.encoder.backends.torch.runner import packed_tensors, to_device
from rasa_tokprune.encoder.checkpoint.weights import load_weights
from tests.checkpoints import ARCHITECTURES, CORPUS, N_LAYERS
from tests.plans import PLANS, TEXTS

# From two tokens to more than the encoder reads.
MIXED = [*TEXTS, " ".join(CORPUS), "?", "<pad> parcel <pad> [PAD]", CORPUS[6], CORPUS[7][:20]]
FREEZE, DROP = PruneMode.FREEZE, PruneMode.DROP
MORE: Dict[str, PruningPlan] = {
    f"{kind.value} {mode.value} from {least}": PruningPlan(
        N_LAYERS, thresholds, kind=kind, mode=mode, min_tokens=least
    )
    for kind, thresholds in (
        (ThresholdKind.QUANTILE, (0.5, 0.5, 0.5, 0.5)),
        (ThresholdKind.ABSOLUTE, (0.9, 1.0, 1.1, 1.2)),
    )
    for mode in (FREEZE, DROP)
    for least in (0, 9, 1000)
}
ALL = {**PLANS, **MORE}
Run = Callable[..., Tuple[torch.Tensor, torch.Tensor]]


def run(
    run_forward: Run, encoder: Encoder, texts: List[str], plan: PruningPlan, **more: Any
) -> Tuple[np.ndarray, np.ndarray]:
    spec = encoder.model.spec
    assert encoder.folder is not None
    weights = to_device(load_weights(encoder.folder, spec), "cpu", torch.float32)
    packed = PackedTokens.of(encoder.tokenize(texts), spec.position_offset)
    with torch.no_grad():
        states, pruned_after = run_forward(
            weights, spec, plan, **packed_tensors(packed, "cpu"), **more
        )
    return states.numpy(), pruned_after.numpy()


def check(encoder: Encoder, texts: List[str], plan: PruningPlan, **more: Any) -> np.ndarray:
    """Compares both, and returns the layers that tokens were pruned after."""
    states, pruned_after = run(forward, encoder, texts, plan, **more)
    found, found_after = run(padded_forward, encoder, texts, plan, **more)
    np.testing.assert_array_equal(found_after, pruned_after)
    np.testing.assert_allclose(found, states, atol=1e-5)
    return pruned_after


@pytest.mark.thorough
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("name", ALL)
def test_padded_equals_packed(
    checkpoint: Callable[[str], Path], architecture: str, name: str
) -> None:
    encoder, plan = load_encoder(str(checkpoint(architecture)), backend="torch"), ALL[name]
    pruned_after = check(encoder, MIXED, plan)
    is_pruning = bool(plan.pruned_layers) and plan.min_tokens < 1000
    assert (pruned_after != NEVER_PRUNED).any() == is_pruning


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("text", ["", "parcel", CORPUS[1]])
def test_one_sentence_alone(tiny_bert: Path, name: str, text: str) -> None:
    encoder = load_encoder(str(tiny_bert), backend="torch")
    after = check(encoder, [text], ALL[name])
    together = run(padded_forward, encoder, [*MIXED, text], ALL[name])[1]
    np.testing.assert_array_equal(together[-len(after) :], after)


@pytest.mark.parametrize("architecture", ["bert", "mpnet"])
@pytest.mark.parametrize("name", PLANS)
def test_the_tokens_of_a_prompt_are_kept(
    checkpoint: Callable[[str], Path], architecture: str, name: str
) -> None:
    encoder = load_encoder(str(checkpoint(architecture)), backend="torch")
    encoder.prompt = "please change my order: "
    pruned_after = check(encoder, MIXED, PLANS[name])
    sentences = encoder.tokenize(MIXED)
    ends = np.cumsum([len(each) for each in sentences])
    for tokens, end in zip(sentences, ends):
        own = pruned_after[end - len(tokens) : end]
        assert tokens.n_prompt > 1
        assert (own[: tokens.n_prompt] == NEVER_PRUNED).all()


@pytest.mark.parametrize("name", [name for name, plan in ALL.items() if plan.pruned_layers])
def test_controls_prune_the_same_tokens(tiny_bert: Path, name: str) -> None:
    encoder = load_encoder(str(tiny_bert), backend="torch")
    by_least = check(encoder, MIXED, ALL[name], reorder=torch.neg)
    by_most = check(encoder, MIXED, ALL[name])
    if ALL[name].min_tokens < 1000 and ALL[name].kind is ThresholdKind.QUANTILE:
        assert not np.array_equal(by_least, by_most)


@pytest.mark.thorough
@pytest.mark.parametrize("architecture", ["bert", "mpnet"])
@pytest.mark.parametrize("name", [*PLANS, "quantile drop from 9", None])
def test_a_student_learns_the_same_from_both(
    checkpoint: Callable[[str], Path],
    architecture: str,
    name: Optional[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    encoder = load_encoder(str(checkpoint(architecture)), backend="torch")
    plan = ALL[name or "freeze"]
    wanted = torch.from_numpy(encoder.encode(MIXED[::-1]))
    sentences = Sentences.of(encoder.tokenize(MIXED), encoder)
    found = []
    for run_forward in (forward, padded_forward):
        monkeypatch.setattr(student_module, "forward", run_forward)
        assert encoder.folder is not None
        student = Student(encoder.folder, encoder.model.spec, plan, rank=4, seed=0)
        embeddings = student(sentences, prunes=name is not None)
        (embeddings * wanted).sum().backward()
        gradients = torch.cat([each.grad.flatten() for each in student.changed.values()])
        found.append((embeddings.detach().numpy(), gradients.numpy()))
    (packed, by_packed), (padded, by_padded) = found
    np.testing.assert_allclose(padded, packed, atol=1e-5)
    np.testing.assert_allclose(by_padded, by_packed, atol=1e-4)
    assert np.isfinite(by_packed).all()
    assert np.abs(by_packed).max() > 0.01
