"""Which backend and precision 'auto' means, and what is refused."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, FrozenSet

import numpy as np
import pytest

from rasa_tokprune.encoder import load_encoder
from rasa_tokprune.encoder.backends import choice as backends
from rasa_tokprune.encoder.backends.choice import choose
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.formats import Backend, Precision
from rasa_tokprune.encoder.plans.break_even import break_even, read_table
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.machine import stored
from tests.checkpoints import CORPUS
from tests.plans import PLANS

VNNI = frozenset({"avx2", "avx512_vnni", "avx512_bf16"})
OLD = frozenset({"avx2"})
ARM = frozenset({"asimddp"})


@pytest.fixture
def spec(tiny_bert: Path) -> EncoderSpec:
    return EncoderSpec.from_folder(tiny_bert)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Returns a function that pretends to run on another machine."""

    def pretend(features: FrozenSet[str], has_onnx: bool = True, has_library: bool = True) -> None:
        monkeypatch.setattr(backends, "cpu_features", lambda: features)
        monkeypatch.setattr(backends, "has_onnx", lambda: has_onnx)
        # torch is there; tests/test_without_torch.py has the rest.
        monkeypatch.setattr(backends, "is_installed", lambda library: True)
        monkeypatch.setattr(backends, "require", lambda *_, **__: None)
        path = tmp_path / "library.so" if has_library else None
        monkeypatch.setattr(backends, "library_path", lambda: path)

    return pretend


@pytest.mark.parametrize(
    ("there", "asked", "chosen"),
    [
        ({"features": VNNI}, ("auto", "auto"), "native int8"),
        ({"features": VNNI}, ("auto", "fp32"), "onnx fp32"),
        ({"features": VNNI}, ("auto", "bf16"), "torch bf16"),
        ({"features": VNNI}, ("torch", "auto"), "torch bf16"),
        ({"features": VNNI}, ("onnx", "auto"), "onnx int8"),
        ({"features": VNNI, "has_library": False}, ("auto", "auto"), "onnx int8"),
        ({"features": VNNI, "has_onnx": False}, ("auto", "fp32"), "torch fp32"),
        ({"features": VNNI, "has_onnx": False, "has_library": False}, ("auto", "auto"),
         "torch bf16"),
        # 8-bit products saturate in ONNX Runtime on CPUs without VNNI.
        ({"features": OLD, "has_library": False}, ("auto", "auto"), "onnx fp32"),
        ({"features": OLD}, ("auto", "auto"), "native int8"),
        ({"features": OLD}, ("auto", "fp32"), "onnx fp32"),
        ({"features": OLD, "has_library": False}, ("auto", "int8"), "onnx int8"),
        ({"features": OLD, "has_onnx": False}, ("auto", "auto"), "native int8"),
        ({"features": OLD, "has_onnx": False, "has_library": False}, ("auto", "auto"),
         "torch fp32"),
        ({"features": ARM}, ("auto", "auto"), "native int8"),
        ({"features": ARM, "has_library": False}, ("auto", "auto"), "onnx int8"),
    ],
)  # fmt: skip
def test_auto(
    machine: Callable[..., None], spec: EncoderSpec, there: Any, asked: Any, chosen: str
) -> None:
    machine(**there)
    backend, precision = choose(*asked, "cpu", spec)
    assert f"{backend.value} {precision.value}" == chosen


def test_a_gpu_needs_torch(machine: Callable[..., None], spec: EncoderSpec) -> None:
    machine(VNNI)
    assert choose("auto", "auto", "cuda:0", spec) == (Backend.TORCH, Precision.FP32)
    for backend in ("onnx", "native"):
        with pytest.raises(ConfigError, match=f"'{backend}' runs on the CPU, device is 'cuda:0'"):
            choose(backend, "auto", "cuda:0", spec)


@pytest.mark.parametrize(
    ("asked", "there", "message"),
    [
        (("onx", "auto"), {}, "Did you mean 'onnx'"),
        (("auto", "int9"), {}, "Did you mean 'int8'"),
        (("onnx", "bf16"), {}, "'bf16' does not run on backend 'onnx' .* it runs fp32, int8"),
        (("native", "fp32"), {}, "'fp32' does not run on backend 'native' .* it runs int8"),
        (("torch", "int8"), {}, "'int8' does not run on backend 'torch' .* it runs fp32, bf16"),
        (("onnx", "auto"), {"has_onnx": False}, r"pip install 'rasa-tokprune\[onnx\]'"),
        (("auto", "int8"), {"has_onnx": False, "has_library": False}, r"pip install 'rasa-tok"),
        (("native", "auto"), {"has_library": False}, "was not built for this machine; use 'onnx'"),
    ],
)
def test_what_cannot_run_is_refused(
    machine: Callable[..., None], spec: EncoderSpec, asked: Any, there: Any, message: str
) -> None:
    machine(VNNI, **there)
    with pytest.raises(ConfigError, match=message):
        choose(*asked, "cpu", spec)


def test_a_plan_for_a_model_whose_folder_is_gone(tiny_bert: Path, tmp_path: Path) -> None:
    # Rasa deletes the folder of a bundled encoder after loading; a later training brings its own.
    copy = tmp_path / "copy"
    shutil.copytree(tiny_bert, copy)
    settings = {"backend": "onnx", "precision": "int8", "num_threads": 4}
    served = load_encoder(str(copy), prune=PLANS["drop"], **settings)
    shutil.rmtree(copy)
    trained = load_encoder(str(tiny_bert), prune=PLANS["freeze first"], **settings)
    assert trained.model is served.model
    assert trained.encode(CORPUS).any()


@pytest.mark.parametrize(("backend", "precision"), [("onnx", "fp32"), ("native", "int8")])
@pytest.mark.parametrize("problem", ["no home", "forbidden"])
def test_a_cache_that_cannot_be_used_is_no_obstacle(
    new_checkpoint: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    backend: str,
    precision: str,
    problem: str,
) -> None:
    folder = new_checkpoint(seed=41)
    if problem == "no home":
        monkeypatch.delenv("RASA_TOKPRUNE_CACHE")
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        monkeypatch.setattr(stored.Path, "home", lambda: _raise(RuntimeError("no home")))
    else:
        monkeypatch.setattr(stored.Path, "mkdir", lambda *_, **__: _raise(PermissionError()))
        monkeypatch.setattr(stored, "is_stored", lambda _: False)
    encoder = load_encoder(str(folder), backend=backend, precision=precision)
    assert encoder.encode(CORPUS).any()


def test_a_file_that_may_not_be_looked_at_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored.Path, "is_file", lambda _: _raise(PermissionError()))
    assert not stored.is_stored(Path("somewhere"))


def _raise(error: Exception) -> None:
    raise error


def test_every_pair_has_a_break_even_length() -> None:
    pairs = [("native", "int8"), ("onnx", "int8"), ("onnx", "fp32"), ("torch", "fp32"),
             ("torch", "bf16")]  # fmt: skip
    assert sorted(read_table()) == sorted(f"{b} {p}" for b, p in pairs)
    assert break_even(Backend.NATIVE, Precision.INT8) <= break_even(Backend.TORCH, Precision.FP32)


@pytest.mark.parametrize(("backend", "precision"), [("onnx", "int8"), ("torch", "bf16")])
@pytest.mark.parametrize("name", ["identity", "skip"])
def test_reduced_precision_stays_near(
    tiny_bert: Path, backend: str, precision: str, name: str
) -> None:
    plan = PLANS[name].without_pruning  # pruning decides by differences that rounding removes
    exact = load_encoder(str(tiny_bert), prune=plan).encode(CORPUS)
    near = load_encoder(str(tiny_bert), prune=plan, backend=backend, precision=precision)
    assert (exact * near.encode(CORPUS)).sum(axis=1).min() > 0.995


@pytest.mark.parametrize(("backend", "precision"), [("onnx", "fp32"), ("onnx", "int8")])
def test_onnx_sentences_do_not_know_their_neighbours(
    tiny_bert: Path, backend: str, precision: str
) -> None:
    settings = {"backend": backend, "precision": precision, "num_threads": 2}
    encoder = load_encoder(str(tiny_bert), prune=PLANS["freeze"], **settings)
    alone = np.concatenate([encoder.encode([text]) for text in CORPUS])
    np.testing.assert_allclose(encoder.encode(CORPUS), alone, atol=1e-6)


@pytest.mark.needs("torch", "onnxruntime")
def test_precision_and_backend_are_part_of_the_fingerprint(tiny_bert: Path) -> None:
    fp32 = [load_encoder(str(tiny_bert), backend=b).fingerprint for b in ("torch", "onnx")]
    assert len(set(fp32)) == 1
    others = [("onnx", "int8"), ("native", "int8"), ("torch", "bf16")]
    fingerprints = {
        load_encoder(str(tiny_bert), backend=b, precision=p).fingerprint for b, p in others
    }
    assert len(fingerprints | set(fp32)) == 4


def test_a_damaged_stored_graph_is_replaced(
    new_checkpoint: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RASA_TOKPRUNE_CACHE", str(tmp_path / "cache"))
    folder = str(new_checkpoint(seed=31))
    first = load_encoder(folder, backend="onnx", num_threads=1).encode(CORPUS)
    (stored,) = (tmp_path / "cache").iterdir()
    stored.write_bytes(b"damaged")
    again = load_encoder(folder, backend="onnx", num_threads=2).encode(CORPUS)
    assert (first == again).all()
    assert stored.stat().st_size > 1000


@pytest.mark.parametrize(
    ("backend", "precision", "unwanted"),
    [
        ("native", "int8", {"torch", "onnx", "onnxruntime"}),
        ("onnx", "int8", {"torch"}),
    ],
)
def test_a_serving_process_imports_little(
    tiny_bert: Path, backend: str, precision: str, unwanted: set
) -> None:
    settings = f"backend={backend!r}, precision={precision!r}"
    load_encoder(str(tiny_bert), backend=backend, precision=precision)  # files are stored now
    code = (
        f"import sys; from rasa_tokprune import load_encoder; "
        f"load_encoder({str(tiny_bert)!r}, {settings}).encode(['hello']); print(*sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = set(result.stdout.split())
    assert not loaded & {*unwanted, "transformers", "sentence_transformers", "rasa"}


def test_threads_are_shared_out_among_server_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    from rasa_tokprune.machine import threads

    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda _: range(8), raising=False)
    shares = []
    for workers in ("1", "3", "100", "nonsense"):
        monkeypatch.setenv("SANIC_WORKERS", workers)
        shares.append(threads.available_threads())
    assert shares == [8, 2, 1, 8]
