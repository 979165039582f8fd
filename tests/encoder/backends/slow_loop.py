"""The pruned forward pass as a slow, obvious loop over one sentence's tokens."""

from __future__ import annotations

from typing import Dict, List, Tuple

import numpy as np
import torch
from transformers import AutoModel

from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.plans.plan import PruneMode, PruningPlan, ThresholdKind


def names_of(architecture: str) -> Dict[str, str]:
    if architecture == "mpnet":
        return {"q": "attention.attn.q", "k": "attention.attn.k", "v": "attention.attn.v",
                "o": "attention.attn.o", "n": "attention.LayerNorm"}  # fmt: skip
    return {"q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
            "o": "attention.output.dense", "n": "attention.output.LayerNorm"}  # fmt: skip


def slow_forward(
    folder: str, spec: EncoderSpec, ids: np.ndarray, is_special: np.ndarray, plan: PruningPlan
) -> Tuple[np.ndarray, List[int], float, int]:
    """Returns states, layer each token was pruned after, token-layers, key-value-only rows."""
    model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval().double()
    names = names_of(spec.architecture)
    n, d = len(ids), spec.hidden_size // spec.n_heads
    prunable = n >= plan.min_tokens
    with torch.inference_mode():
        states = list(model.embeddings(torch.from_numpy(ids)[None])[0])
        pruned_after = [-1] * n
        rows_full, rows_kv = 0, 0
        for index in plan.kept_layers:
            layer = model.encoder.layer[index]
            get = layer.get_submodule
            active = [t for t in range(n) if pruned_after[t] < 0]
            visible = list(range(n)) if plan.mode is PruneMode.FREEZE else active
            received = dict.fromkeys(visible, 0.0)
            new_states = dict(enumerate(states))
            for query in active:
                context = []
                for head in range(spec.n_heads):
                    part = slice(head * d, (head + 1) * d)
                    q = get(names["q"])(states[query])[part]
                    scores = []
                    for key in visible:
                        score = q @ get(names["k"])(states[key])[part] / d**0.5
                        if spec.architecture == "mpnet":
                            bias = model.encoder.compute_position_bias(
                                torch.zeros(1, n, 1), num_buckets=spec.n_buckets
                            )
                            score = score + bias[0, head, query, key]
                        scores.append(score)
                    weights = torch.stack(scores).softmax(0)
                    values = torch.stack([get(names["v"])(states[key])[part] for key in visible])
                    context.append(weights @ values)
                    for key, weight in zip(visible, weights.tolist()):
                        received[key] += weight / spec.n_heads / len(active)
                x = get(names["n"])(get(names["o"])(torch.cat(context)) + states[query])
                wide = torch.nn.functional.gelu(get("intermediate.dense")(x))
                new_states[query] = get("output.LayerNorm")(get("output.dense")(wide) + x)
            rows_full += len(active)
            rows_kv += len(visible) - len(active)
            states = [new_states[t] for t in range(n)]
            threshold = plan.thresholds[index]
            content = [t for t in active if not is_special[t]]
            if threshold > 0 and prunable and content:
                if plan.kind is ThresholdKind.QUANTILE:
                    limit = np.quantile([received[t] for t in content], threshold)
                else:
                    limit = threshold / len(visible)
                best = max(content, key=lambda t: received[t])
                for t in content:
                    if received[t] < limit - 1e-9 and t != best:
                        pruned_after[t] = index
    cost = rows_full + spec.kv_share * rows_kv
    return torch.stack(states).numpy(), pruned_after, cost, rows_kv
