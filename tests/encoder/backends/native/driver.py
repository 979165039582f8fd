"""Compiles and runs driver.c: the C library for CPUs other than this one."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import List, Mapping, Optional, Sequence, Tuple

import numpy as np

from native_builds import FLAGS, LIBRARIES, SOURCE, compiler
from rasa_tokprune.encoder import PruneMode, PruningPlan, ThresholdKind
from rasa_tokprune.encoder.backends.native.library import _ACTIVATIONS
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.checkpoint.weights import LINEAR_LAYERS, NORMS

FOLDER = Path(__file__).parent
Output = Tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Program:
    """How driver.c is compiled and run for a CPU.

    Attributes:
        target: The compiler's name of machine and system.
        cpu: The compiler's name of the CPU.
        flags: More options of the compiler.
        runner: The program that runs it; none if this CPU does.
        needs: What this CPU must have, by the names of machine/cpu.py.
    """

    target: str
    cpu: str
    flags: Tuple[str, ...] = ()
    runner: Optional[str] = None
    needs: Tuple[str, ...] = ()

    def compile(self, path: Path) -> None:
        """Compiles into one static program that needs no other file."""
        optimized = [flag for flag in FLAGS if flag not in ("-shared", "-fPIC")]
        command = [*compiler(self.target, self.cpu), *optimized, "-static"]
        command += [f"-I{FOLDER}", f"-I{SOURCE.parent}", *self.flags]
        subprocess.run(
            [*command, str(FOLDER / "driver.c"), "-o", str(path), *LIBRARIES], check=True
        )

    def command(self, path: Path) -> List[str]:
        """Returns how the compiled program is started; nothing if its runner is not installed."""
        if self.runner is None:
            return [str(path)]
        # Debian has wine64 out of the way.
        runner = shutil.which(self.runner, path=f"{os.environ['PATH']}:/usr/lib/wine")
        return [] if runner is None else [runner, str(path)]


@dataclass(frozen=True)
class Sentence:
    """What is encoded: ids (n_tokens,), is_protected (n_tokens,), bias of MPNet, and the plan."""

    name: str
    ids: np.ndarray
    is_protected: np.ndarray
    bias: Optional[np.ndarray]
    plan: PruningPlan


@dataclass(frozen=True)
class Model:
    """Packed weights and tables of embeddings, float32 (rows, hidden_size)."""

    spec: EncoderSpec
    packed: Mapping[str, np.ndarray]
    words: np.ndarray
    positions: np.ndarray

    def as_bytes(self) -> bytes:
        """Returns it in the order in which driver.c reads it."""
        spec, parts = self.spec, []
        sizes = (spec.n_layers, spec.hidden_size, spec.intermediate_size, spec.n_heads)
        parts.append(struct.pack("<5i", *sizes, _ACTIVATIONS[spec.activation]))
        parts.append(struct.pack("<f", spec.layer_norm_eps))
        parts.append(struct.pack("<2i", len(self.words), len(self.positions)))
        parts += [self.words.tobytes(), self.positions.tobytes()]
        names = ["embedding_norm.scale", "embedding_norm.shift"]
        for layer in range(spec.n_layers):
            for linear in LINEAR_LAYERS:
                names += [f"{layer}.{linear}.{part}" for part in ("weight", "scale", "bias")]
            for norm in NORMS:
                names += [f"{layer}.{norm}.{part}" for part in ("scale", "shift")]
        return b"".join([*parts, *(self.packed[name].tobytes() for name in names)])


def as_bytes(sentence: Sentence) -> bytes:
    """Returns a sentence in the order in which driver.c reads it."""
    plan, bias = sentence.plan, sentence.bias
    is_freezing = plan.mode is PruneMode.FREEZE and bool(plan.pruned_layers)
    return b"".join(
        [
            struct.pack("<i", len(plan.kept_layers)),
            np.array(plan.kept_layers, "<i4").tobytes(),
            np.array(plan.thresholds, "<f8").tobytes(),
            struct.pack("<2i", plan.kind is ThresholdKind.ABSOLUTE, is_freezing),
            struct.pack("<i", len(sentence.ids)),
            sentence.ids.astype("<i8").tobytes(),
            sentence.is_protected.astype(np.uint8).tobytes(),
            struct.pack("<i", bias is not None),
            b"" if bias is None else bias.astype("<f4").tobytes(),
        ]
    )


def run_program(
    command: Sequence[str], model: Model, sentences: Sequence[Sentence]
) -> List[Output]:
    """Returns last states (n_tokens, hidden_size) and pruned_after (n_tokens,) of each sentence.

    Raises:
        subprocess.CalledProcessError: If the program ends with an error.
    """
    given = [model.as_bytes(), struct.pack("<i", len(sentences)), *map(as_bytes, sentences)]
    # Wine keeps its Windows in a folder of its own.
    variables = {"WINEPREFIX": str(Path(command[-1]).parents[1] / "wine"), "WINEDEBUG": "-all"}
    answer = subprocess.run(
        command,
        input=b"".join(given),
        stdout=subprocess.PIPE,
        env={**os.environ, **variables},
        check=True,
    )
    outputs, hidden, at = [], model.spec.hidden_size, 0
    for sentence in sentences:
        n = len(sentence.ids)
        states = np.frombuffer(answer.stdout, "<f4", n * hidden, at).reshape(n, hidden)
        pruned_after = np.frombuffer(answer.stdout, "<i4", n, at + states.nbytes)
        at += states.nbytes + pruned_after.nbytes
        outputs.append((states, pruned_after))
    if at != len(answer.stdout):
        raise ValueError(f"the program wrote {len(answer.stdout)} bytes, not {at}")
    return outputs
