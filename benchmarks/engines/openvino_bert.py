"""OpenVINO on the graph torch's exporter makes of Hugging Face's model.

`bf16` asks for bfloat16, which is also what OpenVINO chooses by itself where the CPU has it; the
precision in force is in the row. `int8` is NNCF's post-training quantization (see openvino_int8).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict

import numpy as np

from benchmarks.engines.openvino_int8 import CALIBRATION, quantize, read_calibration
from benchmarks.engines.padded import PaddedEncoder
from benchmarks.engines.settings import EngineSettings
from rasa_tokprune.errors import ConfigError

INT8_NAME = "openvino-int8.xml"


class OpenVinoEngine(PaddedEncoder):
    """A compiled model, one request at a time."""

    facts: Dict[str, Any]


def build(settings: EngineSettings) -> OpenVinoEngine:
    """Compiles the graph for low latency."""
    import openvino

    config: Dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": settings.threads,
    }
    if settings.option == "bf16":
        config["INFERENCE_PRECISION_HINT"] = "bf16"
    compiled = openvino.Core().compile_model(str(_graph_path(settings)), "CPU", config)
    request = compiled.create_infer_request()
    names = {port.any_name for port in compiled.inputs}

    def run_graph(feeds: Dict[str, np.ndarray]) -> np.ndarray:
        request.infer({name: feeds[name] for name in names}, share_inputs=True)
        states: np.ndarray = request.get_output_tensor(0).data
        return states

    engine = OpenVinoEngine(
        settings.folder,
        run_graph,
        max_length=settings.max_length,
        batch_size=settings.batch_size,
    )
    precision = compiled.get_property("INFERENCE_PRECISION_HINT")
    engine.facts = {"precision": str(precision.get_type_name())}
    return engine


def prepare(settings: EngineSettings) -> None:
    """Exports the graph and, for int8, quantizes it unless that was done by hand.

    Raises:
        ConfigError: If NNCF here cannot do it; the message has the command to run elsewhere.
    """
    from benchmarks.engines.bert_export import export

    source = export(settings.folder, settings.cache / "exported.onnx", is_matched=False)
    tokenizer = settings.cache / "tokenizer.json"
    if not tokenizer.is_file():
        from rasa_tokprune.encoder.tokens import read_tokenizer

        tokenizer.write_text(read_tokenizer(settings.folder), encoding="utf-8")
    target = _graph_path(settings)
    if settings.option != "int8" or target.is_file():
        return
    calibration = settings.work / CALIBRATION
    try:
        quantize(source, read_calibration([calibration], tokenizer), target)
    except Exception as error:  # whatever NNCF raises with an OpenVINO it does not know
        raise ConfigError(
            f"NNCF cannot quantize here ({type(error).__name__}); with an interpreter that has a "
            f"newer nncf run: PYTHONPATH=. python -m "
            f"benchmarks.engines.openvino_int8 --onnx {source} "
            f"--messages {calibration} --out {target}"
        ) from error


def _graph_path(settings: EngineSettings) -> Path:
    return settings.cache / (INT8_NAME if settings.option == "int8" else "exported.onnx")
