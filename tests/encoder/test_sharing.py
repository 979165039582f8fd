"""One copy of the weights per process; safe in threads and after a fork."""

from __future__ import annotations

import gc
import multiprocessing
import shutil
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable

import numpy as np
import pytest

from rasa_tokprune.encoder import load_encoder, plan_from_quantile
from tests.checkpoints import CORPUS, N_LAYERS


def test_equal_files_share_weights_wherever_they_lie(tiny_bert: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_bert, copy)
    first = load_encoder(str(tiny_bert))
    second = load_encoder(str(copy), prune=plan_from_quantile(0.3, [1], N_LAYERS), max_length=20)
    assert first.model is second.model
    assert first.fingerprint != second.fingerprint


def test_fingerprint_follows_what_decides_an_embedding(
    tiny_bert: Path, new_checkpoint: Callable[..., Path]
) -> None:
    plan = plan_from_quantile(0.3, [1], N_LAYERS)
    encoders = [
        load_encoder(str(tiny_bert)),
        load_encoder(str(tiny_bert), prune=plan),
        load_encoder(str(tiny_bert), max_length=10),
        load_encoder(str(new_checkpoint(seed=1))),
        load_encoder(str(new_checkpoint(normalize=False))),
    ]
    assert len({encoder.fingerprint for encoder in encoders}) == len(encoders)
    again = load_encoder(str(tiny_bert), prune=plan, batch_size=3)
    assert again.fingerprint == encoders[1].fingerprint


def test_unused_weights_are_released(new_checkpoint: Callable[..., Path]) -> None:
    first = load_encoder(str(new_checkpoint(seed=11)))
    watched = weakref.ref(first.model)
    del first
    load_encoder(str(new_checkpoint(seed=12)))
    gc.collect()
    assert watched() is None


@pytest.mark.parametrize(
    ("backend", "precision"), [("torch", "fp32"), ("onnx", "fp32"), ("native", "int8")]
)
def test_threads_get_the_same_answers(tiny_bert: Path, backend: str, precision: str) -> None:
    settings = {
        "prune": plan_from_quantile([0.3, 0.5], [1, 2], N_LAYERS),
        "backend": backend,
        "precision": precision,
    }
    encoder = load_encoder(str(tiny_bert), **settings)
    expected = [encoder.encode([text]) for text in CORPUS]
    barrier = threading.Barrier(4)

    def work(_: int) -> list[np.ndarray]:
        barrier.wait()
        return [load_encoder(str(tiny_bert), **settings).encode([text]) for text in CORPUS * 5]

    with ThreadPoolExecutor(4) as pool:
        for answers in pool.map(work, range(4)):
            for answer, right in zip(answers, expected * 5):
                np.testing.assert_allclose(answer, right, atol=1e-6)


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("backend", "precision"), [("torch", "fp32"), ("onnx", "fp32"), ("native", "int8")]
)
def test_forked_child_encodes_like_its_parent(
    tiny_bert: Path, backend: str, precision: str
) -> None:
    settings = {"backend": backend, "precision": precision, "num_threads": 2}
    encoder = load_encoder(str(tiny_bert), **settings)
    texts = CORPUS * 40  # enough rows for torch to have used its thread pool
    expected = encoder.encode(texts)
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def child() -> None:
        again = load_encoder(str(tiny_bert), **settings)
        sender.send((encoder.encode(texts), again.encode(texts)))

    process = context.Process(target=child, daemon=True)
    process.start()
    assert receiver.poll(60), "the child hangs"
    for answer in receiver.recv():
        np.testing.assert_allclose(answer, expected, atol=1e-6)
    process.join(10)
    assert process.exitcode == 0
