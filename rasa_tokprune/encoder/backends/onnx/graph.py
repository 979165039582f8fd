"""Writes the forward pass of one sentence as a graph, with the pruning inside it.

One sentence is a (n_tokens, hidden_size) matrix: no batch axis, no mask, no padding. Where a plan
prunes, the graph ranks the tokens by the attention they receive and goes on with the rows that are
kept; the number of rows is an input, because by quantile it depends on the length alone.
"""

from __future__ import annotations

import dataclasses
from typing import Dict, List, Tuple

import numpy as np

from rasa_tokprune.encoder.backends.onnx.writer import GraphWriter
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.checkpoint.weights import Affine, EncoderWeights, LayerWeights
from rasa_tokprune.encoder.formats import Precision
from rasa_tokprune.encoder.plans.plan import PruneMode, PruningPlan, ThresholdKind


@dataclasses.dataclass
class _Tokens:
    """The names of what a graph knows of its tokens at some layer.

    Attributes:
        states: Active tokens, (n_active, hidden_size).
        places: Place in the sentence of each active token, (n_active,).
        protection: Added to importance: infinite for tokens that are never pruned, else 0.
        bias: MPNet's relative bias, (n_heads, n_active, n_visible); empty if there is none.
        frozen: For each later layer the keys and the values of frozen tokens.
        done_states: States that frozen and dropped tokens were left with.
        done_places: Their places in the sentence.
    """

    states: str
    places: str = ""
    protection: str = ""
    bias: str = ""
    frozen: Dict[int, List[List[str]]] = dataclasses.field(default_factory=dict)
    done_states: List[str] = dataclasses.field(default_factory=list)
    done_places: List[str] = dataclasses.field(default_factory=list)


def build_graph(
    weights: EncoderWeights, spec: EncoderSpec, plan: PruningPlan, precision: Precision
) -> bytes:
    """Returns the serialised ONNX model of an encoder with a plan.

    Inputs: `embeddings` (n_tokens, hidden_size), sums of the embedding tables; `bias` (n_heads,
    n_tokens, n_tokens) for MPNet. If the plan prunes also `places` (n_tokens,) 0, 1, 2, ...;
    `protection` (n_tokens,); and for each pruned layer by quantile `counts_L` (2,), the tokens
    kept and pruned after layer L, and `kept_L` (1,); by absolute threshold `least` (1,), the
    tokens that stay at least.

    Outputs: `states` (n_tokens, hidden_size); if the plan prunes also `places` (n_tokens,), the
    place each row has in the sentence, kept tokens first, then those pruned last; and `sizes`
    (n_pruned_layers,), tokens pruned after each such layer.
    """
    return _Builder(weights, spec, plan, precision).build()


class _Builder:
    """Writes one graph."""

    def __init__(
        self, weights: EncoderWeights, spec: EncoderSpec, plan: PruningPlan, precision: Precision
    ) -> None:
        self._weights, self._spec, self._plan = weights, spec, plan
        self._is_exact = precision is Precision.FP32
        self._graph = GraphWriter(precision)
        self._sizes: List[str] = []

    def build(self) -> bytes:
        graph, spec, plan = self._graph, self._spec, self._plan
        tokens = self._inputs()
        tokens.states = graph.node(
            "LayerNormalization",
            *(tokens.states, *self._constants(self._weights.embedding_norm)),
            **self._epsilon(),
        )
        for index in plan.kept_layers or ():
            layer = self._weights.layers[index]
            context, probabilities = self._attend(tokens, layer, index)
            tokens.states = self._finish(layer, tokens.states, context)
            if plan.thresholds[index] > 0:
                self._prune(tokens, index, probabilities)
        states = self._concat([tokens.states, *reversed(tokens.done_states)])
        graph.output("states", states, "float", ["n_tokens", spec.hidden_size])
        if plan.pruned_layers:
            places = self._concat([tokens.places, *reversed(tokens.done_places)])
            graph.output("places_out", places, "int64", ["n_tokens"])
            graph.output("sizes", self._concat(self._sizes), "int64", [len(self._sizes)])
        return graph.serialize()

    def _inputs(self) -> _Tokens:
        graph, plan = self._graph, self._plan
        tokens = _Tokens(graph.input("embeddings", "float", ["n_tokens", self._spec.hidden_size]))
        if self._spec.n_buckets:
            shape = [self._spec.n_heads, "n_tokens", "n_tokens"]
            tokens.bias = graph.input("bias", "float", shape)
        if plan.pruned_layers:
            tokens.places = graph.input("places", "int64", ["n_tokens"])
            tokens.protection = graph.input("protection", "float", ["n_tokens"])
            if plan.kind is ThresholdKind.ABSOLUTE:
                graph.input("least", "int64", [1])
            else:
                for index in plan.pruned_layers:
                    graph.input(f"counts_{index}", "int64", [2])
                    graph.input(f"kept_{index}", "int64", [1])
        return tokens

    def _attend(self, tokens: _Tokens, layer: LayerWeights, index: int) -> Tuple[str, str]:
        """Returns the context (n_active, hidden) and the probabilities (heads, n_q, n_k)."""
        graph, heads = self._graph, self._spec.n_heads
        q, k, v = self._split_heads(graph.linear(tokens.states, layer.qkv), 3)
        for frozen_k, frozen_v in tokens.frozen.get(index, []):
            k, v = self._concat([k, frozen_k]), self._concat([v, frozen_v])
        head_size = self._spec.hidden_size // heads
        # q and k are (n, heads, d); the multiplication itself puts heads first.
        scores = graph.microsoft(
            "FusedMatMul", q, k, transBatchA=1, transBatchB=1, transB=1, alpha=head_size**-0.5
        )
        if tokens.bias:
            scores = graph.node("Add", scores, tokens.bias)
        probabilities = graph.node("Softmax", scores, axis=-1)
        context = graph.microsoft("FusedMatMul", probabilities, v, transBatchB=1)
        context = graph.node("Transpose", context, perm=[1, 0, 2])  # (n_active, heads, d)
        shape = graph.constant([-1, self._spec.hidden_size])
        return graph.node("Reshape", context, shape), probabilities

    def _finish(self, layer: LayerWeights, x: str, context: str) -> str:
        graph = self._graph
        x = self._add_norm(graph.linear(context, layer.attention_out), x, layer.attention_norm)
        wide = self._activate(graph.linear(x, layer.feed_forward_in))
        return self._add_norm(graph.linear(wide, layer.feed_forward_out), x, layer.output_norm)

    def _add_norm(self, y: str, x: str, norm: Affine) -> str:
        return self._graph.microsoft(
            "SkipLayerNormalization",
            *(y, x, *self._constants(norm)),
            epsilon=self._spec.layer_norm_eps,
        )

    def _activate(self, x: str) -> str:
        graph, kind = self._graph, self._spec.activation
        if kind == "relu":
            return graph.node("Relu", x)
        if kind == "tanh":
            return graph.node("Tanh", x)
        if kind == "silu":
            return graph.microsoft("QuickGelu", x, alpha=1.0)
        if kind == "gelu" and self._is_exact:
            return graph.microsoft("Gelu", x)
        # By tanh: what gelu_new means, and for 8 bits nearer to gelu than their own rounding.
        return graph.microsoft("FastGelu", x)

    def _prune(self, tokens: _Tokens, index: int, probabilities: str) -> None:
        """Scores the active tokens after layer `index`, keeps the best, sets the others aside."""
        graph = self._graph
        received = graph.node("ReduceMean", probabilities, axes=[0, 1], keepdims=0)  # (n_k,)
        n_keys = graph.node("Shape", received)
        n_active = graph.node("Shape", tokens.places)
        if tokens.frozen:  # frozen tokens receive attention too, but are not judged again
            received = graph.node("Slice", received, graph.constant([0]), n_active)
        importance = graph.node("Add", received, tokens.protection)
        kept, counts = self._counts(importance, n_keys, n_active, index)
        _, order = graph.nodes("TopK", 2, importance, n_active)
        best, worst = graph.nodes("Split", 2, order, counts, axis=0)
        best, _ = graph.nodes("TopK", 2, best, kept, largest=0)  # back into the sentence's order
        self._set_aside(tokens, index, best, worst)
        self._sizes.append(graph.node("Shape", worst))

    def _counts(self, importance: str, n_keys: str, n_active: str, index: int) -> Tuple[str, str]:
        """Returns how many tokens are kept (1,), and kept and pruned (2,)."""
        graph = self._graph
        if self._plan.kind is ThresholdKind.QUANTILE:
            return f"kept_{index}", f"counts_{index}"
        threshold = graph.constant(np.array([self._plan.thresholds[index]], dtype=np.float32))
        limit = graph.node("Div", threshold, graph.node("Cast", n_keys, to=1))
        passes = graph.node("GreaterOrEqual", importance, limit)
        passing = graph.node("ReduceSum", graph.node("Cast", passes, to=7), keepdims=1)
        least = graph.node("Min", "least", n_active)
        kept = graph.node("Max", passing, least)
        return kept, self._concat([kept, graph.node("Sub", n_active, kept)])

    def _set_aside(self, tokens: _Tokens, index: int, best: str, worst: str) -> None:
        """Goes on with the rows `best`; freezes or drops the rows `worst`."""
        graph = self._graph
        pruned = graph.node("Gather", tokens.states, worst)
        tokens.done_states.append(pruned)
        tokens.done_places.append(graph.node("Gather", tokens.places, worst))
        tokens.states = graph.node("Gather", tokens.states, best)
        tokens.places = graph.node("Gather", tokens.places, best)
        tokens.protection = graph.node("Gather", tokens.protection, best)
        later = [layer for layer in self._plan.kept_layers or () if layer > index]
        if self._plan.mode is PruneMode.FREEZE and later:
            self._freeze(tokens, pruned, later)
        if tokens.bias:
            self._gather_bias(tokens)

    def _freeze(self, tokens: _Tokens, pruned: str, later: List[int]) -> None:
        """Makes keys and values of the pruned rows for all later layers in one multiplication."""
        hidden = self._spec.hidden_size
        layers = [self._weights.layers[layer].qkv for layer in later]
        joined = Affine(
            np.concatenate([qkv.weight[hidden:] for qkv in layers]),
            np.concatenate([qkv.bias[hidden:] for qkv in layers]),
        )
        parts = self._split_heads(self._graph.linear(pruned, joined), 2 * len(later))
        for number, layer in enumerate(later):
            keys_values = [parts[2 * number], parts[2 * number + 1]]
            tokens.frozen.setdefault(layer, []).append(keys_values)

    def _gather_bias(self, tokens: _Tokens) -> None:
        """Cuts MPNet's bias to the active queries and the visible keys, in the keys' order."""
        graph = self._graph
        visible = [tokens.places]
        if self._plan.mode is PruneMode.FREEZE:
            visible += tokens.done_places
        rows = graph.node("Gather", "bias", tokens.places, axis=1)
        tokens.bias = graph.node("Gather", rows, self._concat(visible), axis=2)

    def _split_heads(self, x: str, n_parts: int) -> Tuple[str, ...]:
        """Cuts (n, n_parts * hidden) into n_parts times (n, heads, d)."""
        graph, heads = self._graph, self._spec.n_heads
        head_size = self._spec.hidden_size // heads
        x = graph.node("Reshape", x, graph.constant([-1, n_parts * heads, head_size]))
        return graph.nodes("Split", n_parts, x, graph.constant([heads] * n_parts), axis=1)

    def _concat(self, parts: List[str]) -> str:
        return parts[0] if len(parts) == 1 else self._graph.node("Concat", *parts, axis=0)

    def _constants(self, norm: Affine) -> Tuple[str, str]:
        return self._graph.constant(norm.weight), self._graph.constant(norm.bias)

    def _epsilon(self) -> Dict[str, float]:
        return {"epsilon": self._spec.layer_norm_eps}
