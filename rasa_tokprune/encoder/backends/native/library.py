"""The C library; see src/encoder.c."""

from __future__ import annotations

import ctypes
import functools
import threading
from pathlib import Path
from typing import Any, List, Mapping, Optional, Tuple

import numpy as np
import structlog

from rasa_tokprune.encoder.backends.batch import ForwardResult, PackedTokens
from rasa_tokprune.encoder.backends.builds import candidates
from rasa_tokprune.encoder.backends.native.pack import checked, layer_sizes
from rasa_tokprune.encoder.backends.native.structures import (
    Layer,
    Linear,
    Model,
    NativePlan,
    Norm,
)
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.checkpoint.weights import NORMS
from rasa_tokprune.errors import CheckpointError, ConfigError
from rasa_tokprune.machine.checksums import check_shipped

logger = structlog.get_logger(__name__)

_ACTIVATIONS = {
    "gelu": 1,
    "gelu_new": 1,
    "gelu_pytorch_tanh": 1,
    "relu": 2,
    "silu": 3,
    "tanh": 4,
}
_ALIGNMENT = 64
_NO_STATES, _NO_LAYERS = np.empty((0, 0), np.float32), np.empty(0, np.int32)
# What tokprune_version() returns: raise both when a structure or an argument changes.
_VERSION = 2
# How the library pools, by the names of pooling modules.
POOLING = {"mean": 1, "cls": 2}


@functools.cache
def _load(path: Path) -> Any:
    check_shipped(path)  # before any of its code runs
    library = ctypes.CDLL(str(path))
    if not hasattr(library, "tokprune_version") or library.tokprune_version() != _VERSION:
        raise ConfigError(
            f"'{path.name}' was built from other sources than this package; install it again"
        )
    pointer, count = ctypes.c_void_p, ctypes.c_int32
    library.tokprune_scratch_size.argtypes = [pointer, pointer, count, count]
    library.tokprune_scratch_size.restype = ctypes.c_size_t
    library.tokprune_encode.argtypes = [pointer, pointer, count, *[pointer] * 8, count]
    library.tokprune_encode.restype = count
    return library


def _open_library() -> Tuple[str, Any]:
    """Returns the fastest build that this CPU can run and that the system allows, by its name."""
    for path in candidates():
        library = _load(path)
        if library.tokprune_prepare():
            return path.stem.removeprefix("tokprune_"), library
        logger.debug("rasa_tokprune.build_not_allowed", build=path.name)
    raise ConfigError(
        "backend 'native' was not built for this machine, or the system does not allow the build "
        "that it needs; use backend 'onnx' or 'torch'"
    )


class Scratch(threading.local):
    """Memory for one sentence, each thread's own, kept from call to call."""

    memory = np.empty(0, dtype=np.uint8)
    start = 0

    def address(self, size: int) -> int:
        """Returns the address of at least `size` bytes, at a multiple of 64."""
        if len(self.memory) < size + _ALIGNMENT:
            self.memory = np.empty(size + _ALIGNMENT, dtype=np.uint8)
            address = self.memory.ctypes.data
            self.start = address + -address % _ALIGNMENT
        return self.start


class NativeModel:
    """An encoder's packed weights as the library reads them; read-only, thread-safe."""

    def __init__(
        self,
        packed: Mapping[str, np.ndarray],
        words: np.ndarray,
        positions: np.ndarray,
        spec: EncoderSpec,
    ) -> None:
        """Points at weights and keeps them alive.

        Args:
            packed: From `pack_weights`.
            words: Embeddings of tokens, (vocabulary_size, hidden_size) float32.
            positions: Embeddings of positions, those of the token type added, (., hidden_size)
                float32.
            spec: The encoder.

        Raises:
            CheckpointError: If an array is not of the size that the library reads.
        """
        self._packed, self._spec = checked(packed, spec), spec
        # Whether the library pools as this encoder does.
        self._pools = len(spec.pooling) == 1 and spec.pooling[0] in POOLING and not spec.dense
        self._counts_positions = spec.position_offset == 0
        self._words = _as_read(words, spec.hidden_size)
        self._positions = _as_read(positions, spec.hidden_size)
        self.build, self._library = _open_library()
        self._layers = (Layer * spec.n_layers)()
        for number in range(spec.n_layers):
            for name, (n_in, n_out) in layer_sizes(spec).items():
                linear = Linear(*self._pointers(f"{number}.{name}", "weight", "scale", "bias"))
                linear.n_in, linear.n_out = n_in, n_out
                setattr(self._layers[number], name, linear)
            for name in NORMS:
                pointers = self._pointers(f"{number}.{name}", "scale", "shift")
                setattr(self._layers[number], name, Norm(*pointers))
        self._model = Model(
            spec.n_layers,
            spec.hidden_size,
            spec.intermediate_size,
            spec.n_heads,
            _ACTIVATIONS[spec.activation],
            POOLING[spec.pooling[0]] if self._pools else 0,
            spec.normalize,
            len(words),
            len(positions),
            spec.layer_norm_eps,
            self._words.ctypes.data,
            self._positions.ctypes.data,
            Norm(*self._pointers("embedding_norm", "scale", "shift")),
            self._layers,
        )
        self._reference = ctypes.byref(self._model)

    def _scratch_size(self, plan: NativePlan, n_tokens: int, n_threads: int) -> int:
        size = plan.scratch_sizes.get((n_tokens, n_threads))
        if size is None:
            ask = self._library.tokprune_scratch_size
            size = int(ask(self._reference, plan.reference, n_tokens, n_threads))
            plan.scratch_sizes[n_tokens, n_threads] = size
        return size

    def encode(
        self,
        plan: NativePlan,
        tokens: PackedTokens,
        bias: Optional[np.ndarray],
        scratch: Scratch,
        *,
        needs_states: bool,
        n_threads: int,
    ) -> ForwardResult:
        """Encodes one sentence; other Python threads run meanwhile.

        Args:
            plan: What to prune.
            tokens: One sentence.
            bias: MPNet's bias, (n_heads, n_tokens, n_tokens) float32, or None.
            scratch: Memory that nobody else uses meanwhile.
            needs_states: Whether the tokens' states are wanted.
            n_threads: Most threads; a long sentence takes those that no other sentence needs.

        Raises:
            ConfigError: If the library would read or write past the end of something.
            CheckpointError: If a token has no embedding.
        """
        self._check(plan, tokens, bias)
        n_tokens, width = len(tokens.ids), self._spec.hidden_size
        pooled = states = pruned_after = None
        if self._pools:
            pooled = np.empty((1, width), np.float32)
        if needs_states or not self._pools:
            states = np.empty((n_tokens, width), np.float32)
            pruned_after = np.empty(n_tokens, dtype=np.int32)
        is_done = self._library.tokprune_encode(
            self._reference,
            plan.reference,
            n_tokens,
            _address(tokens.ids),
            None if self._counts_positions else _address(tokens.position_ids),
            _address(tokens.is_protected),
            _address(bias),
            scratch.address(self._scratch_size(plan, n_tokens, n_threads)),
            _address(states),
            _address(pruned_after),
            _address(pooled),
            n_threads,
        )
        if not is_done:
            raise CheckpointError(
                f"the tokenizer gives token ids up to {int(tokens.ids.max())}, but the model has "
                f"embeddings for {len(self._words)} tokens and {len(self._positions)} positions; "
                f"tokenizer.json and the weights are not of one model"
            )
        if states is None or pruned_after is None:
            return ForwardResult(_NO_STATES, _NO_LAYERS, pooled)
        return ForwardResult(states, pruned_after, pooled)

    def _check(self, plan: NativePlan, tokens: PackedTokens, bias: Optional[np.ndarray]) -> None:
        n_tokens, n_layers = len(tokens.ids), self._spec.n_layers
        if n_tokens == 0:
            raise ConfigError("a sentence must have at least one token, got none")
        if plan.n_layers != n_layers:
            raise ConfigError(f"the plan is for {plan.n_layers} layers, the model has {n_layers}")
        _require(tokens.ids, np.int64, (n_tokens,), "ids")
        _require(tokens.is_protected, np.bool_, (n_tokens,), "is_protected")
        if not self._counts_positions:
            _require(tokens.position_ids, np.int64, (n_tokens,), "position_ids")
        if bias is not None:
            _require(bias, np.float32, (self._spec.n_heads, n_tokens, n_tokens), "bias")

    def _pointers(self, prefix: str, *names: str) -> List[int]:
        return [self._packed[f"{prefix}.{name}"].ctypes.data for name in names]


def _as_read(table: np.ndarray, width: int) -> np.ndarray:
    if table.ndim != 2 or table.shape[1] != width:
        raise CheckpointError(f"a table of embeddings is {table.shape}, expected rows of {width}")
    return np.ascontiguousarray(table, dtype=np.float32)


def _require(array: np.ndarray, dtype: Any, shape: Tuple[int, ...], name: str) -> None:
    """Raises ConfigError if the library would read past the end of an array."""
    if array.dtype != dtype or array.shape != shape or not array.flags.c_contiguous:
        raise ConfigError(
            f"{name} of a sentence must be {np.dtype(dtype)} {shape} without gaps, got "
            f"{array.dtype} {array.shape}"
        )


def _address(array: Optional[np.ndarray]) -> Optional[int]:
    # A third of the time that `array.ctypes.data` takes.
    return None if array is None else array.__array_interface__["data"][0]
