"""What an encoder can run on, and in which number format."""

from __future__ import annotations

from enum import Enum

AUTO = "auto"

# Raise it when what NATIVE computes changes: 2 has attention in 8-bit products, and the same
# numbers from every build.
NATIVE_ARITHMETIC = 2


class Backend(str, Enum):
    """A runtime.

    TORCH: the reference; runs on GPUs, and where adapters are trained.
    ONNX: ONNX Runtime, fast on every CPU.
    NATIVE: this package's own C library; the same numbers, to the last bit, on every CPU.
    """

    TORCH = "torch"
    ONNX = "onnx"
    NATIVE = "native"


class Precision(str, Enum):
    """Number format of the matrix products.

    FP32: the original model, to rounding.
    BF16: bfloat16 weights and states; TORCH only.
    INT8: 8-bit weights scaled per output channel; 8-bit activations scaled when it runs, per
        token on NATIVE, per sentence on ONNX.
    """

    FP32 = "fp32"
    BF16 = "bf16"
    INT8 = "int8"
