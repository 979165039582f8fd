"""A thin layer over onnx: nodes in, a serialised model out."""

from __future__ import annotations

from typing import Any, List, Sequence, Tuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from rasa_tokprune.encoder.backends.quantize import quantize_per_channel
from rasa_tokprune.encoder.checkpoint.weights import Affine
from rasa_tokprune.encoder.formats import Precision

_ONNX_OPSET = 17
_IR_VERSION = 8
_MICROSOFT = "com.microsoft"  # ONNX Runtime's own operators
_TYPES = {"float": TensorProto.FLOAT, "int64": TensorProto.INT64}


class GraphWriter:
    """Collects the nodes and constants of one graph; values are known by their names."""

    def __init__(self, precision: Precision) -> None:
        """Starts an empty graph whose linear layers have `precision`."""
        self._precision = precision
        self._nodes: List[Any] = []
        self._constants: List[Any] = []
        self._inputs: List[Any] = []
        self._outputs: List[Any] = []

    def input(self, name: str, kind: str, shape: Sequence[Any]) -> str:
        """Declares an input; strings in `shape` are sizes known only when it runs."""
        self._inputs.append(helper.make_tensor_value_info(name, _TYPES[kind], list(shape)))
        return name

    def output(self, name: str, value: str, kind: str, shape: Sequence[Any]) -> None:
        """Declares `value` an output called `name`."""
        self._nodes.append(helper.make_node("Identity", [value], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, _TYPES[kind], list(shape)))

    def constant(self, value: Any) -> str:
        """Adds a constant; plain numbers become int64."""
        array = np.ascontiguousarray(value)
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(array, name))
        return name

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Adds an ONNX operator with one output and returns its name."""
        return self.nodes(kind, 1, *inputs, **attributes)[0]

    def nodes(self, kind: str, n_outputs: int, *inputs: str, **attributes: Any) -> Tuple[str, ...]:
        """Adds an ONNX operator with several outputs and returns their names."""
        outputs = [f"{kind}_{len(self._nodes)}_{number}" for number in range(n_outputs)]
        self._nodes.append(helper.make_node(kind, list(inputs), outputs, **attributes))
        return tuple(outputs)

    def microsoft(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Adds one of ONNX Runtime's own operators and returns its output's name."""
        return self.node(kind, *inputs, domain=_MICROSOFT, **attributes)

    def linear(self, x: str, layer: Affine) -> str:
        """Multiplies rows by a weight (out, in) and adds the bias."""
        bias = self.constant(layer.bias)
        if self._precision is Precision.INT8:
            weight, scale = quantize_per_channel(layer.weight)
            # The activations' scale is found when it runs, over the rows of one sentence.
            return self.microsoft(
                "DynamicQuantizeMatMul",
                *(x, self.constant(weight.T), self.constant(scale), "", bias),
            )
        return self.node("Gemm", x, self.constant(layer.weight.T), bias)

    def serialize(self) -> bytes:
        """Returns the graph as an ONNX model."""
        graph = helper.make_graph(
            self._nodes, "encoder", self._inputs, self._outputs, self._constants
        )
        opsets = [helper.make_opsetid("", _ONNX_OPSET), helper.make_opsetid(_MICROSOFT, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())
