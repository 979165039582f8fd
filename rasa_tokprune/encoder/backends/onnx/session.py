"""Opens ONNX Runtime sessions; graphs are written once and kept in the user's cache."""

from __future__ import annotations

import hashlib
import importlib.util
from typing import Any

import onnxruntime
import structlog

from rasa_tokprune.encoder.adapters.weight_source import WeightSource
from rasa_tokprune.encoder.formats import Precision
from rasa_tokprune.encoder.plans.plan import PruningPlan
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.machine.stored import is_stored, store, stored_path

logger = structlog.get_logger(__name__)

# Part of the names of stored graphs: raise it when the graph of a plan changes.
GRAPH_VERSION = 1
_ERRORS_ONLY = 3


def open_session(
    source: WeightSource,
    plan: PruningPlan,
    precision: Precision,
    num_threads: int,
) -> Any:
    """Returns a session of a model with a plan, from its stored graph if there is one.

    Args:
        source: The weights, read only if the graph has to be written.
        plan: What the graph prunes.
        precision: FP32 or INT8.
        num_threads: Threads of this session alone; 1 starts none.

    Raises:
        CheckpointError: If the graph has to be written and the weights are damaged.
    """
    name = hashlib.sha256(f"{source.identity} {plan.fingerprint()}".encode()).hexdigest()[:32]
    path = stored_path(f"{name}-{precision.value}-v{GRAPH_VERSION}.onnx")
    if path is not None and is_stored(path):
        try:
            return _session(path.read_bytes(), num_threads)
        except Exception as error:  # onnxruntime's errors have no common class
            logger.warning("rasa_tokprune.stored_graph_unusable", path=str(path), error=str(error))
    # Writing needs onnx, which a server with a stored graph does without.
    if importlib.util.find_spec("onnx") is None:
        raise ConfigError(
            "the graph of this model and plan is not stored here, and writing it needs the package "
            "onnx: pip install 'rasa-tokprune[onnx]'"
        )
    from rasa_tokprune.encoder.backends.onnx.graph import build_graph

    graph = build_graph(source.load(), source.spec, plan, precision)
    store(graph, path)
    return _session(graph, num_threads)


def _session(graph: bytes, num_threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
