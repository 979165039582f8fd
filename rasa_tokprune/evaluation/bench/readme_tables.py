"""The short table and the sentence of the README."""

from __future__ import annotations

from typing import Sequence

from rasa_tokprune.evaluation.bench.rows import Row
from rasa_tokprune.evaluation.bench.tables import (
    BASELINE,
    NOTHING,
    grid,
    latency_cell,
    machine_line,
    select,
)

OURS = "ours:native:int8:off"
RIVAL = "onnxruntime:int8"
SHORT, LONG = 8, 256
SHOWN = {
    "sentence-transformers": "sentence-transformers",
    "onnxruntime:int8": "ONNX Runtime, fused BERT, int8",
    "openvino:bf16": "OpenVINO, bf16",
    "openvino:int8": "OpenVINO, int8",
    "ours:onnx:int8:off": "this package on ONNX Runtime, int8",
    "ours:native:int8:off": "this package",
    "ours:native:int8:freeze": "this package, pruned hard",
}


def speed_table(rows: Sequence[Row], lengths: Sequence[int] = (8, 16, 64, 256)) -> str:
    """Returns the short table of the README: one thread, texts of exact lengths."""
    rows = select(rows, benchmark="latency", kind="exact", threads=1)
    cells = {(row["engine"], row["tokens"]): row for row in rows}
    lines = [
        [
            name,
            *(latency_cell(cells, engine, n, BASELINE, "median_ms") for n in lengths),
            _mean_cosine([cells[engine, n] for n in lengths if (engine, n) in cells]),
        ]
        for engine, name in SHOWN.items()
        if any(key[0] == engine for key in cells)
    ]
    head = ["ms: median / p95", *(f"{n} tokens" for n in lengths), "cosine to fp32"]
    return f"{grid(head, lines)}\n\n{machine_line(rows)}" if lines else NOTHING


def _mean_cosine(rows: Sequence[Row]) -> str:
    """Returns how near an engine's embeddings are to the original model's."""
    found = [row["cosine"] for row in rows if "cosine" in row]
    return f"{sum(found) / len(found):.3f}" if found else ""


def speed_claim(rows: Sequence[Row]) -> str:
    """Returns one sentence: our un-pruned engine against others, shortest and longest texts."""
    rows = select(rows, benchmark="latency", kind="exact", threads=1)
    times = {(row["engine"], row["tokens"]): row["median_ms"] for row in rows}
    if not all((engine, n) in times for engine in (OURS, RIVAL, BASELINE) for n in (SHORT, LONG)):
        return NOTHING
    against = [
        " and ".join(f"{times[engine, n] / times[OURS, n]:.1f}" for n in (SHORT, LONG))
        for engine in (BASELINE, RIVAL)
    ]
    return (
        f"**An answer costs {times[OURS, SHORT]:.1f} ms of encoding at {SHORT} tokens and "
        f"{times[OURS, LONG]:.0f} ms at {LONG}, un-pruned, on one core: {against[0]} times faster "
        f"than sentence-transformers, {against[1]} times faster than ONNX Runtime's int8 BERT.**"
    )
