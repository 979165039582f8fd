"""One copy of a model's weights per process, whoever asks for it."""

from __future__ import annotations

import dataclasses
import os
import re
import threading
import weakref
from pathlib import Path
from typing import Optional, Tuple

from rasa_tokprune.encoder.adapters.adapter import Adapter
from rasa_tokprune.encoder.adapters.weight_source import WeightSource
from rasa_tokprune.encoder.backends.batch import Runner
from rasa_tokprune.encoder.backends.choice import choose
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.checkpoint.weights import Affine, load_dense
from rasa_tokprune.encoder.formats import AUTO, Backend, Precision
from rasa_tokprune.encoder.tokens import TextTokenizer, read_tokenizer
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.extras import is_installed, require
from rasa_tokprune.machine.threads import available_threads, n_server_workers

# More than any machine has cores; the runtimes raise errors of their own, or start them all.
MOST_THREADS = 1024
# identity, backend, precision, device, threads for many texts, threads for one
_Key = Tuple[str, str, str, str, int, int]


@dataclasses.dataclass(frozen=True)
class SharedModel:
    """A loaded model: read-only, so that threads and components can share it.

    Attributes:
        identity: Hash of weights, adapter, vocabulary and specification.
        spec: Its specification.
        tokenizer: Its tokenizer.
        dense: Its dense layers after pooling.
        runner: Its transformer layers, on a backend.
        backend: Which backend that is.
        precision: Number format of the matrix products.
        device: Where it runs.
        adapter: What was added to its weights, if anything.
    """

    identity: str
    spec: EncoderSpec
    tokenizer: TextTokenizer
    dense: Tuple[Affine, ...]
    runner: Runner
    backend: Backend
    precision: Precision
    device: str
    adapter: Optional[Adapter] = None

    @property
    def build(self) -> Optional[str]:
        """The instruction set that the C library was built for; None on other backends."""
        return getattr(self.runner, "build", None)


class _Registry:
    """Models in use, and the latest one whether in use or not.

    Keeping the latest bridges the gap between two components of one training run.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.models: weakref.WeakValueDictionary[_Key, SharedModel]
        self.models = weakref.WeakValueDictionary()
        self.latest: Optional[SharedModel] = None
        self.is_fork_guarded = False

    def guard_forks(self) -> None:
        """Gives forked children a free lock: another thread may hold it while we fork."""
        if not self.is_fork_guarded and hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._free_lock)
        self.is_fork_guarded = True

    def _free_lock(self) -> None:
        self.lock = threading.Lock()


_registry = _Registry()


def share_model(
    folder: Path,
    *,
    device: str = "cpu",
    backend: str = AUTO,
    precision: str = AUTO,
    num_threads: Optional[int] = None,
    adapter: Optional[Adapter] = None,
) -> SharedModel:
    """Returns a checkpoint's model, loading it only if this process does not hold it yet.

    Args:
        folder: The checkpoint, from `find_checkpoint`.
        device: 'cpu', 'cuda', 'cuda:N' or 'auto'.
        backend: 'auto', 'torch', 'onnx' or 'native'.
        precision: 'auto', 'int8', 'bf16' or 'fp32'.
        num_threads: Threads; None takes `available_threads()`, for many texts at a time: a single
            one stays on one thread. A number is, on the onnx backend, for a single text. torch has
            one count per process: a number sets it, None leaves it unless several server workers
            share the cores.
        adapter: Added to the weights; None takes them as they are.

    Raises:
        CheckpointError: If the model cannot be read or used.
        ConfigError: If the device does not exist, or backend and precision, or the
            adapter, do not fit, or there are too many threads.
    """
    # Forked servers warn and stall otherwise; a user's own setting wins.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    device = resolve_device(device)
    spec = EncoderSpec.from_folder(folder)
    chosen, format_ = choose(backend, precision, device, spec)
    threads, sentence_threads = _share_out(num_threads, chosen)
    content = read_tokenizer(folder)
    source = WeightSource.of(folder, spec, content, adapter)
    _registry.guard_forks()
    key = (source.identity, chosen.value, format_.value, device, threads, sentence_threads)
    with _registry.lock:
        found = _registry.models.get(key)
        if found is None:
            found = SharedModel(
                identity=source.identity,
                spec=spec,
                tokenizer=TextTokenizer.from_content(content, spec),
                dense=load_dense(folder, spec),
                runner=_load_runner(source, key),
                backend=chosen,
                precision=format_,
                device=device,
                adapter=adapter,
            )
            _registry.models[key] = found
        _registry.latest = found
    return found


def _load_runner(source: WeightSource, key: _Key) -> Runner:
    """Loads a backend; what it needs is imported only now."""
    _, backend, precision, device, threads, sentence_threads = key
    if backend == Backend.ONNX:
        from rasa_tokprune.encoder.backends.onnx.runner import OnnxRunner

        return OnnxRunner(source, Precision(precision), threads, sentence_threads)
    if backend == Backend.NATIVE:
        from rasa_tokprune.encoder.backends.native.runner import NativeRunner

        return NativeRunner(source, threads)
    from rasa_tokprune.encoder.backends.torch.runner import TorchRunner

    return TorchRunner(source, device, Precision(precision))


def _share_out(num_threads: Optional[int], backend: Backend) -> Tuple[int, int]:
    """Returns a model's threads for many texts and for a single one; (0, 0) if it has none."""
    if num_threads is not None and not 1 <= num_threads <= MOST_THREADS:
        raise ConfigError(
            f"num_threads must be a whole number from 1 to {MOST_THREADS}, or None; got "
            f"{num_threads!r}"
        )
    threads = available_threads() if num_threads is None else num_threads
    if backend is Backend.ONNX and num_threads is not None:
        return 1, num_threads  # both would only get in each other's way
    if backend is not Backend.TORCH:
        return threads, 1
    if num_threads is not None or n_server_workers() > 1:
        from rasa_tokprune.encoder.backends.torch.threads import set_num_threads

        set_num_threads(threads)
    return 0, 0


def resolve_device(device: str) -> str:
    """Returns torch's name of a device.

    Raises:
        ConfigError: If there is no such device, or torch, which runs on GPUs, is not installed.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", device):
        raise ConfigError(f"device must be 'cpu', 'cuda', 'cuda:N' or 'auto', got {device!r}")
    if device == "auto" and not is_installed("torch"):
        device = "cpu"
    if device == "cpu":
        return device
    require("torch", f"device '{device}'", otherwise="use 'cpu'")
    import torch

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu":
        return device
    number = int(device[5:] or 0)
    if number >= torch.cuda.device_count():
        raise ConfigError(
            f"device '{device}' asked for, but torch sees {torch.cuda.device_count()} GPUs; "
            f"use 'cpu', or 'auto' for whatever is there"
        )
    return f"cuda:{number}"
