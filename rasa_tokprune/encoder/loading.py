"""A model's name and settings to an encoder, in one call."""

from __future__ import annotations

from pathlib import Path
from typing import Optional, Union

from rasa_tokprune.encoder.adapters.adapter import Adapter
from rasa_tokprune.encoder.adapters.resolve import resolve_adapter
from rasa_tokprune.encoder.checkpoint.find import DEFAULT_MODEL, find_checkpoint
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.encoder import DEFAULT_BATCH_SIZE, Encoder
from rasa_tokprune.encoder.formats import AUTO, Precision
from rasa_tokprune.encoder.plans.plan import PruningPlan
from rasa_tokprune.encoder.plans.resolve import resolve_plan
from rasa_tokprune.encoder.shared import share_model


def load_encoder(
    model: str = "",
    *,
    prune: Union[str, Path, PruningPlan] = "off",
    adapter: Union[str, Path, Adapter] = AUTO,
    revision: Optional[str] = None,
    cache_dir: Optional[str] = None,
    local_files_only: bool = False,
    device: str = "cpu",
    backend: str = AUTO,
    precision: str = Precision.FP32.value,
    num_threads: Optional[int] = None,
    max_length: Optional[int] = None,
    batch_size: int = DEFAULT_BATCH_SIZE,
    cache_size: int = 0,
    prompt_name: Optional[str] = None,
) -> Encoder:
    """Loads an encoder; weights are shared with every other encoder of this process.

    Args:
        model: Folder or hub id; empty takes sentence-transformers/all-MiniLM-L6-v2.
        prune: 'off', a shipped plan's name, a plan file, or a plan.
        adapter: 'auto' (what the plan was made with), 'off' for the original weights, a shipped
            adapter's name, an adapter file, or an adapter.
        revision: Branch, tag or commit on the hub.
        cache_dir: Where the hub's files are kept.
        local_files_only: Never use the network.
        device: 'cpu', 'cuda', 'cuda:1', or 'auto' (cuda if there is one).
        backend: 'torch', 'onnx', 'native', or 'auto' (the fastest here for the precision).
        precision: 'fp32' is the original model and takes the extra `onnx` or `torch`; 'bf16' takes
            `torch`; 'int8', or 'auto' (the fastest here that keeps accuracy).
        num_threads: Threads; None takes all cores, shared out among Rasa's server workers, for many
            texts at a time. See `share_model`.
        max_length: Most tokens of a text, special tokens counted; None takes the model's own.
        batch_size: Texts per forward pass.
        cache_size: Texts whose embeddings are remembered; 0 remembers none.
        prompt_name: Prompt of the checkpoint to put before every text; None takes its default.

    Raises:
        CheckpointError: If the model cannot be found, read or used.
        ConfigError: If a setting is out of range, or needs an extra that is not installed.
    """
    folder = find_checkpoint(
        model or DEFAULT_MODEL,
        revision=revision,
        cache_dir=cache_dir,
        local_files_only=local_files_only,
    )
    plan = resolve_plan(prune, EncoderSpec.from_folder(folder).n_layers)
    shared = share_model(
        folder,
        device=device,
        backend=backend,
        precision=precision,
        num_threads=num_threads,
        adapter=resolve_adapter(adapter, plan),
    )
    return Encoder(
        shared,
        plan,
        folder=folder,
        max_length=max_length,
        batch_size=batch_size,
        prompt_name=prompt_name,
        cache_size=cache_size,
    )
