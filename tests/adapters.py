"""Random adapters that change every matrix, bias and norm of some layers."""

from __future__ import annotations

from pathlib import Path
from typing import Optional, Sequence

import numpy as np

from rasa_tokprune.encoder.adapters.adapter import Adapter
from rasa_tokprune.encoder.checkpoint.find import checkpoint_identity
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.tokens import read_tokenizer

RANK = 2


def random_adapter(folder: Path, layers: Optional[Sequence[int]] = None, seed: int = 0) -> Adapter:
    """Returns an adapter for the checkpoint in `folder`, of all layers if none are named."""
    spec = EncoderSpec.from_folder(folder)
    rng = np.random.default_rng(seed)
    h, wide = spec.hidden_size, spec.intermediate_size
    sizes = {
        "qkv": (3 * h, h),
        "attention_out": (h, h),
        "feed_forward_in": (wide, h),
        "feed_forward_out": (h, wide),
    }
    shapes = {}
    for layer in range(spec.n_layers) if layers is None else layers:
        for name, (n_out, n_in) in sizes.items():
            shapes[f"{layer}.{name}.down"] = (RANK, n_in)
            shapes[f"{layer}.{name}.up"] = (n_out, RANK)
            shapes[f"{layer}.{name}.bias"] = (n_out,)
        for name in ("attention_norm", "output_norm"):
            for part in ("weight", "bias"):
                shapes[f"{layer}.{name}.{part}"] = (h,)
    return Adapter(
        name="random",
        encoder_identity=checkpoint_identity(folder, spec, read_tokenizer(folder)),
        tensors={
            name: rng.normal(scale=0.2, size=shape).astype(np.float16)
            for name, shape in shapes.items()
        },
        provenance={"model": "a tiny model", "licence": "Apache-2.0", "data": "none; random"},
    )
