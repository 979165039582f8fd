"""Every build of the C library computes the same bits, on this CPU or under emulation.

Compared with the library this machine takes, called by Python. Other CPUs and Windows need the
Debian packages qemu-user and wine64; .ci/check_emulated installs them.
"""

from __future__ import annotations

import functools
import platform
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import numpy as np
import pytest

from native_builds import LINUX_ARM, LINUX_X86
from rasa_tokprune.encoder.backends.batch import PackedTokens
from rasa_tokprune.encoder.backends.builds import runnable_builds
from rasa_tokprune.encoder.backends.native import library as library_module
from rasa_tokprune.encoder.backends.native.library import NativeModel, Scratch
from rasa_tokprune.encoder.backends.native.pack import pack_weights
from rasa_tokprune.encoder.backends.native.structures import NativePlan
from rasa_tokprune.encoder.backends.sentence_runner import attention_bias
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.checkpoint.weights import load_weights
from rasa_tokprune.machine.cpu import cpu_features
from tests.checkpoints import write_checkpoint
from tests.encoder.backends.native.driver import Model, Output, Program, Sentence, run_program
from tests.plans import PLANS

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(not runnable_builds(), reason="not built for this machine"),
]
ARM, X86, WINDOWS = "aarch64-linux-musl", "x86_64-linux-musl", "x86_64-windows-gnu"
QEMU, WINE = "qemu-aarch64", "wine64"
PROGRAMS = {
    "aarch64 i8mm": Program(ARM, LINUX_ARM["i8mm"], runner=QEMU),
    "aarch64 dotprod": Program(ARM, LINUX_ARM["dotprod"], runner=QEMU),
    "aarch64 portable": Program(ARM, LINUX_ARM["portable"], runner=QEMU),
    "x86_64 avxvnni in the encoding of AVX-512": Program(
        X86,
        LINUX_X86["avx2"],
        flags=("-D__AVXVNNI__=1", "-include", "evex.h"),
        needs=("avx512_vnni", "avx512vl"),
    ),
    "x86_64 amx without tiles": Program(
        X86,
        LINUX_X86["avx512vnni"],
        flags=("-D__AMX_TILE__=1", "-D__AMX_INT8__=1", "-DTOKPRUNE_EMULATE_TILES",
               "-include", "tiles.h"),
        needs=("avx512_vnni",),
    ),
    "windows avx512vnni": Program(
        WINDOWS, LINUX_X86["avx512vnni"], runner=WINE, needs=("avx512_vnni",)
    ),
    "windows avx2": Program(WINDOWS, LINUX_X86["avx2"], runner=WINE, needs=("avx2",)),
    "windows portable": Program(WINDOWS, LINUX_X86["portable"], runner=WINE),
}  # fmt: skip
# Heads of 96, 12, 32 and 64 numbers; sizes that are no multiples of 64 and some that are.
MODELS: Dict[str, Dict[str, Any]] = {
    "one head": {"hidden_size": 96, "num_attention_heads": 1, "intermediate_size": 144},
    "heads of 12": {"hidden_size": 96, "num_attention_heads": 8, "hidden_act": "relu"},
    "heads of 32": {"hidden_size": 64, "num_attention_heads": 2, "hidden_act": "silu"},
    "heads of 64": {"hidden_size": 128, "num_attention_heads": 2, "intermediate_size": 320},
    "mpnet": {"architecture": "mpnet", "hidden_size": 48, "num_attention_heads": 3},
}
LENGTHS = (1, 2, 3, 5, 8, 13, 16, 17, 31, 33, 64, 65, 129, 300)
RUN = {name: plan for name, plan in PLANS.items() if name != "gate"}
LONG = {name: PLANS[name] for name in ("identity", "drop", "freeze first")}


Work = Tuple[Model, List[Sentence]]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Work]:
    """Returns a function: name in MODELS -> a model, and sentences of all lengths and plans."""

    @functools.cache
    def make(name: str) -> Work:
        folder = tmp_path_factory.mktemp("model")
        settings = {"intermediate_size": 144, "max_position_embeddings": 320, **MODELS[name]}
        write_checkpoint(folder, max_seq_length=310, **settings)
        spec = EncoderSpec.from_folder(folder)
        weights = load_weights(folder, spec)
        tables = weights.embeddings
        model = Model(
            spec, pack_weights(weights, spec), np.array(tables.words), np.array(tables.positions)
        )
        random = np.random.default_rng(7)
        sentences = []
        for n in LENGTHS:
            ids = random.integers(0, len(tables.words), n)
            is_protected = random.random(n) < 0.1
            is_protected[[0, -1]] = True
            bias = tables.relative_bias
            bias = None if bias is None else attention_bias(bias, n)
            sentences += [
                Sentence(f"{n} tokens, {name}", ids, is_protected, bias, plan)
                for name, plan in (RUN if n < 100 else LONG).items()
            ]
        return model, sentences

    return make


@pytest.fixture(scope="module")
def expected(work: Callable[[str], Work]) -> Callable[[str], List[Output]]:
    """Returns a function: name in MODELS -> what this machine's own library makes of it."""
    return functools.lru_cache(maxsize=None)(lambda name: run_library(*work(name)))


def run_library(model: Model, sentences: List[Sentence]) -> List[Output]:
    """As `run_program`, through the library that Python loads."""
    native = NativeModel(model.packed, model.words, model.positions, model.spec)
    outputs: List[Output] = []
    for s in sentences:
        n = len(s.ids)
        tokens = PackedTokens(s.ids, s.is_protected, np.array([n]), position_offset=0)
        result = native.encode(
            NativePlan(s.plan), tokens, s.bias, Scratch(), needs_states=True, n_threads=1
        )
        outputs.append((result.states, result.pruned_after))
    return outputs


def differing(sentences: List[Sentence], found: List[Output], other: List[Output]) -> List[str]:
    """Returns the sentences that are not the same to the bit, with the largest difference."""
    names = []
    for sentence, (states, pruned), (other_states, other_pruned) in zip(sentences, found, other):
        same_bits = states.tobytes() == other_states.tobytes()
        if not same_bits or pruned.tolist() != other_pruned.tolist():
            difference = np.abs(states - other_states).max()
            names.append(f"{sentence.name}: states differ by {difference:.1e}")
    return names


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], List[str]]:
    """Returns a function: name in PROGRAMS -> command that runs it, compiled once."""

    @functools.cache
    def make(name: str) -> List[str]:
        path = tmp_path_factory.mktemp("program") / "driver.exe"
        PROGRAMS[name].compile(path)
        return PROGRAMS[name].command(path)

    return make


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_build_for_another_cpu_computes_the_same_bits(
    work: Callable[[str], Work],
    expected: Callable[[str], List[Output]],
    program: Callable[[str], List[str]],
    name: str,
    model: str,
) -> None:
    pytest.importorskip("ziglang", reason="compiled with ziglang, of the group dev")
    asked = PROGRAMS[name]
    if not asked.command(Path("driver.exe")):
        pytest.skip(f"{asked.runner} is not installed; .ci/check_emulated installs it on Debian")
    if asked.target != ARM and (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("runs on Linux x86_64 only")
    if not set(asked.needs) <= cpu_features():
        pytest.skip(f"this CPU has no {' and '.join(asked.needs)}")
    encoder, sentences = work(model)
    found = run_program(program(name), encoder, sentences)
    assert differing(sentences, found, expected(model)) == []


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("build", runnable_builds())
def test_a_build_of_this_machine_computes_the_same_bits(
    work: Callable[[str], Work],
    expected: Callable[[str], List[Output]],
    monkeypatch: pytest.MonkeyPatch,
    build: str,
    model: str,
) -> None:
    encoder, sentences = work(model)
    outputs = expected(model)
    monkeypatch.setattr(library_module, "candidates", lambda: [runnable_builds()[build]])
    assert differing(sentences, run_library(encoder, sentences), outputs) == []


def test_the_sentences_prune_and_differ(
    work: Callable[[str], Work], expected: Callable[[str], List[Output]]
) -> None:
    # Or else the same bits would say little.
    outputs = expected("heads of 12")
    n_pruned = [int((pruned >= 0).sum()) for _, pruned in outputs]
    assert sum(n > 0 for n in n_pruned) > len(outputs) / 2
    assert max(n_pruned) > 100
    assert len({states.tobytes() for states, _ in outputs}) > len(outputs) / 2
    changed = [(states + 1, pruned) for states, pruned in outputs]
    sentences = work("heads of 12")[1]
    assert len(differing(sentences, changed, outputs)) == len(sentences)
