"""What engines are called in the documents' tables and plots, and whose colour they have."""

from __future__ import annotations

import dataclasses
from typing import Dict


@dataclasses.dataclass(frozen=True)
class Name:
    """Words for an engine.

    Attributes:
        long: In a table.
        short: Beside a line.
        thing: Key of the palette.
    """

    long: str
    short: str
    thing: str


# By the engine's name in rows, in reading order.
ENGINES: Dict[str, Name] = {
    "sentence-transformers": Name(
        "sentence-transformers", "sentence-\ntransformers", "sentence_transformers"
    ),
    "sentence-transformers:bf16": Name(
        "sentence-transformers, bf16", "sentence-\ntransformers, bf16", "sentence_transformers"
    ),
    "onnxruntime:int8": Name("ONNX Runtime, fused BERT, int8", "ONNX Runtime, int8", "onnxruntime"),
    "openvino:bf16": Name("OpenVINO, bf16", "OpenVINO, bf16", "openvino"),
    "openvino:int8": Name("OpenVINO, int8", "OpenVINO, int8", "openvino"),
    "ours:onnx:int8:off": Name(
        "this package on ONNX Runtime, int8", "ours on\nONNX Runtime", "off"
    ),
    "ours:native:int8:off": Name("this package, un-pruned", "ours, un-pruned", "off"),
    "ours:native:int8:light": Name(
        "this package, `light` (the default, with its adapter)", "ours, light (default)", "light"
    ),
    "ours:native:int8:freeze": Name("this package, pruned hard", "ours, pruned hard", "hard"),
}

# Tasks as the titles of panels name them.
TASKS: Dict[str, str] = {
    "banking77_5shot": "BANKING77, 5 examples an intent",
    "clinc150_5shot": "CLINC150, 5 examples an intent",
    "sofmattress": "sofmattress, from live users (HINT3)",
    "powerplay11": "powerplay11, from live users (HINT3)",
}


def task_title(task: str) -> str:
    """Returns a task's name in words, or as it is."""
    return TASKS.get(task, task)
