"""ONNX graphs of a BERT checkpoint, for the peers that run such graphs.

Two of them: `exported`, the graph that torch's exporter makes of Hugging Face's model, and
`matched`, the same computation written in the shape that ONNX Runtime's attention fusion knows. The
fusion finds nothing in the graph of transformers 5. Inputs of both: input_ids, attention_mask,
token_type_ids, (batch_size, seq_len) int64; output: states, (batch_size, seq_len, hidden_size).
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModel

from rasa_tokprune.encoder.checkpoint.modules import transformer_folder
from rasa_tokprune.errors import CheckpointError

INPUTS = ["input_ids", "attention_mask", "token_type_ids"]
OPSET = 17


def export(checkpoint: Path, target: Path, *, is_matched: bool) -> Path:
    """Writes one of the two graphs, unless it is there already, and returns its path.

    Raises:
        CheckpointError: If the checkpoint is not a BERT.
    """
    if target.is_file():
        return target
    model = AutoModel.from_pretrained(
        str(transformer_folder(checkpoint)), attn_implementation="eager"
    ).eval()
    if model.config.model_type != "bert":
        raise CheckpointError(
            f"the peers' graphs are made from BERT checkpoints, this one is "
            f"'{model.config.model_type}'; leave these engines out"
        )
    ids = torch.full((2, 16), 5)
    axes = {0: "batch", 1: "sequence"}
    partial = target.with_suffix(".partial")
    torch.onnx.export(
        MatchedBert(model) if is_matched else ExportedBert(model),
        (ids, torch.ones_like(ids), torch.zeros_like(ids)),
        str(partial),
        input_names=INPUTS,
        output_names=["states"],
        dynamic_axes=dict.fromkeys((*INPUTS, "states"), axes),
        opset_version=OPSET,
        dynamo=False,
    )
    os.replace(partial, target)
    return target


class ExportedBert(nn.Module):
    """Hugging Face's model as it is."""

    def __init__(self, model: Any) -> None:
        """Wraps a BertModel."""
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, mask: Tensor, types: Tensor) -> Tensor:
        """Returns the last states, (batch_size, seq_len, hidden_size)."""
        output = self.model(input_ids=ids, attention_mask=mask, token_type_ids=types)
        states: Tensor = output.last_hidden_state
        return states


class MatchedBert(ExportedBert):
    """The same weights and computation, in the operations ONNX Runtime's fusion looks for."""

    def forward(self, ids: Tensor, mask: Tensor, types: Tensor) -> Tensor:
        """Returns the last states, (batch_size, seq_len, hidden_size)."""
        embeddings = self.model.embeddings
        positions = embeddings.position_ids[:, : ids.shape[1]]
        states = embeddings.word_embeddings(ids) + embeddings.position_embeddings(positions)
        states = embeddings.LayerNorm(states + embeddings.token_type_embeddings(types))
        bias = (1.0 - mask.unsqueeze(1).unsqueeze(2).to(states.dtype)) * -10000.0  # (b, 1, 1, s)
        for layer in self.model.encoder.layer:
            states = self._layer(layer, states, bias)
        return states

    def _layer(self, layer: Any, states: Tensor, bias: Tensor) -> Tensor:
        attention = layer.attention
        query = self._heads(attention.self.query(states)).permute(0, 2, 1, 3)
        key = self._heads(attention.self.key(states)).permute(0, 2, 3, 1)
        value = self._heads(attention.self.value(states)).permute(0, 2, 1, 3)
        scores = query @ key / math.sqrt(self.model.config.hidden_size // self._n_heads) + bias
        context = (scores.softmax(-1) @ value).permute(0, 2, 1, 3)  # (b, s, heads, d)
        context = context.reshape(context.shape[0], context.shape[1], -1)
        output = attention.output
        states = output.LayerNorm(output.dense(context) + states)
        inner = layer.intermediate.intermediate_act_fn(layer.intermediate.dense(states))
        result: Tensor = layer.output.LayerNorm(layer.output.dense(inner) + states)
        return result

    @property
    def _n_heads(self) -> int:
        return int(self.model.config.num_attention_heads)

    def _heads(self, states: Tensor) -> Tensor:
        # (b, s, hidden) -> (b, s, heads, d)
        return states.view(states.shape[0], states.shape[1], self._n_heads, -1)
