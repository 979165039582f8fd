"""ONNX Runtime with its own BERT graph, set up as its documentation recommends.

Fusion by `onnxruntime.transformers.optimizer`, then `quantize_dynamic` per output channel. The
fusion is run on both graphs of `bert_export`: on one it fuses the attention, on the other it does
not. Both are timed once on this machine, and the faster one is the engine (`variant`).
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any, Dict

import numpy as np

from benchmarks.engines.padded import PaddedEncoder, RunGraph
from benchmarks.engines.settings import EngineSettings
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec

# variant -> whether it is made of the graph in which the fusion finds the attention
VARIANTS = {"attention fused": True, "attention as exported": False}
_LENGTHS = (8, 16, 32, 64, 128)
_REPETITIONS = 15


class OnnxRuntimeEngine(PaddedEncoder):
    """A fused BERT graph in an InferenceSession."""

    facts: Dict[str, Any]


def build(settings: EngineSettings) -> OnnxRuntimeEngine:
    """Opens the faster graph that `prepare` has found."""
    choice = json.loads(_choice_path(settings).read_text(encoding="utf-8"))
    path = _graph_path(settings, VARIANTS[choice["variant"]])
    engine = OnnxRuntimeEngine(
        settings.folder,
        open_graph(path, settings.threads),
        max_length=settings.max_length,
        batch_size=settings.batch_size,
    )
    engine.facts = choice
    return engine


def prepare(settings: EngineSettings) -> None:
    """Exports, fuses and quantizes both graphs, and notes which one is faster here."""
    if _choice_path(settings).is_file():
        return
    longest = EncoderSpec.from_folder(settings.folder).max_seq_length
    times, fused = {}, {}
    for variant, is_matched in VARIANTS.items():
        path = _graph_path(settings, is_matched)
        fused[variant] = _make_graph(settings, path, is_matched=is_matched)
        times[variant] = _time_graph(open_graph(path, threads=1), longest)
    variant = min(times, key=lambda name: times[name])
    choice = {
        "variant": variant,
        "variant_ms": {name: round(1e3 * seconds, 4) for name, seconds in times.items()},
        "attention_fused": fused[variant],
    }
    _choice_path(settings).write_text(json.dumps(choice), encoding="utf-8")


def open_graph(path: Path, threads: int) -> RunGraph:
    """Returns a function that runs a graph with a fixed number of threads."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def run_graph(feeds: Dict[str, np.ndarray]) -> np.ndarray:
        states: np.ndarray = session.run(None, feeds)[0]
        return states

    return run_graph


def _make_graph(settings: EngineSettings, path: Path, *, is_matched: bool) -> int:
    """Writes a fused graph and returns how many attentions were fused."""
    from onnxruntime.transformers import optimizer

    from benchmarks.engines.bert_export import export

    source = settings.cache / ("matched.onnx" if is_matched else "exported.onnx")
    spec = EncoderSpec.from_folder(settings.folder)
    fused = optimizer.optimize_model(
        str(export(settings.folder, source, is_matched=is_matched)),
        model_type="bert",
        num_heads=spec.n_heads,
        hidden_size=spec.hidden_size,
    )
    n_fused = int(fused.get_fused_operator_statistics()["Attention"])
    partial = path.with_suffix(".partial")
    fused.save_model_to_file(str(partial))
    if settings.option == "int8":
        _quantize(partial, path.with_suffix(".quantized"))
        partial.unlink()
        partial = path.with_suffix(".quantized")
    os.replace(partial, path)
    return n_fused


def _quantize(source: Path, target: Path) -> None:
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        str(source),
        str(target),
        per_channel=True,
        weight_type=QuantType.QInt8,
        # The fused operators carry no shapes, from which the type would be inferred.
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )


def _time_graph(run_graph: RunGraph, longest: int) -> float:
    """Returns the geometric mean over lengths of the median seconds of one call."""
    medians = [_time_length(run_graph, n) for n in _LENGTHS if n <= longest]
    return float(np.exp(np.mean(np.log(medians))))


def _time_length(run_graph: RunGraph, n_tokens: int) -> float:
    ids = np.full((1, n_tokens), 5, dtype=np.int64)
    feeds = {
        "input_ids": ids,
        "attention_mask": np.ones_like(ids),
        "token_type_ids": np.zeros_like(ids),
    }
    run_graph(feeds)
    times = []
    for _ in range(_REPETITIONS):
        start = time.perf_counter()
        run_graph(feeds)
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def _graph_path(settings: EngineSettings, is_matched: bool) -> Path:
    name = "fused" if is_matched else "exported-fused"
    return settings.cache / f"{name}-{settings.option}.onnx"


def _choice_path(settings: EngineSettings) -> Path:
    return settings.cache / f"onnxruntime-{settings.option}.json"
