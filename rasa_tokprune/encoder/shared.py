"""One copy of a model's weights per process, whoever asks for it."""

from __future__ import annotations

import dataclasses
import os
import re
import threading
import weakref
from pathlib import Path
from typing import Optional, Tuple

import structlog
import torch

from rasa_tokprune.encoder.checkpoint import checkpoint_identity
from rasa_tokprune.encoder.spec import EncoderSpec
from rasa_tokprune.encoder.tokens import TextTokenizer, read_tokenizer
from rasa_tokprune.encoder.weights import EncoderWeights, load_weights
from rasa_tokprune.errors import ConfigError

logger = structlog.get_logger(__name__)


@dataclasses.dataclass(frozen=True)
class SharedModel:
    """A loaded model: read-only, so that threads and components can share it.

    Attributes:
        identity: Hash of weights, vocabulary and specification.
        spec: Its specification.
        tokenizer: Its tokenizer.
        weights: Its weights.
        device: Where the weights are.
    """

    identity: str
    spec: EncoderSpec
    tokenizer: TextTokenizer
    weights: EncoderWeights
    device: str


class _Registry:
    """Models in use, by identity and device, and the latest one whether in use or not.

    Keeping the latest bridges the gap between two components of one training run.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.models: weakref.WeakValueDictionary[Tuple[str, str], SharedModel]
        self.models = weakref.WeakValueDictionary()
        self.latest: Optional[SharedModel] = None
        self.is_fork_guarded = False
        self.is_forked = False

    def guard_forks(self) -> None:
        """Gives a forked child a free lock, and keeps it off the lost thread pool.

        Another thread may hold the lock while the process forks, and a child that asks its
        parent's OpenMP threads for help waits for them forever.
        """
        if not self.is_fork_guarded and hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._after_fork)
        self.is_fork_guarded = True

    def _after_fork(self) -> None:
        self.lock = threading.Lock()
        self.is_forked = True
        torch.set_num_threads(1)


_registry = _Registry()


def share_model(folder: Path, device: str = "cpu") -> SharedModel:
    """Returns a checkpoint's model, loading it only if this process does not hold it yet.

    Args:
        folder: The checkpoint, from `find_checkpoint`.
        device: 'cpu', 'cuda', 'cuda:N' or 'auto'.

    Raises:
        CheckpointError: If the model cannot be read or used.
        ConfigError: If the device does not exist.
    """
    # Forked servers warn and stall otherwise; a user's own setting wins.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    device = resolve_device(device)
    spec = EncoderSpec.from_folder(folder)
    content = read_tokenizer(folder)
    identity = checkpoint_identity(folder, spec, content)
    _registry.guard_forks()
    with _registry.lock:
        found = _registry.models.get((identity, device))
        if found is None:
            tokenizer = TextTokenizer.from_content(content, spec)
            weights = load_weights(folder, spec, device)
            found = SharedModel(identity, spec, tokenizer, weights, device)
            _registry.models[identity, device] = found
        _registry.latest = found
    return found


def set_num_threads(num_threads: int) -> None:
    """Sets torch's thread count, for this whole process.

    A process forked from one that has encoded stays at one thread.
    """
    if _registry.is_forked:
        logger.warning("rasa_tokprune.num_threads_ignored_after_fork", num_threads=num_threads)
    else:
        torch.set_num_threads(num_threads)


def resolve_device(device: str) -> str:
    """Returns torch's name of a device; raises ConfigError if there is no such device."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if not re.fullmatch(r"cpu|cuda(:\d+)?", device):
        raise ConfigError(f"device must be 'cpu', 'cuda', 'cuda:N' or 'auto', got {device!r}")
    if device == "cpu":
        return device
    number = int(device[5:] or 0)
    if number >= torch.cuda.device_count():
        raise ConfigError(
            f"device '{device}' asked for, but torch sees {torch.cuda.device_count()} GPUs; "
            f"use 'cpu', or 'auto' for whatever is there"
        )
    return f"cuda:{number}"
