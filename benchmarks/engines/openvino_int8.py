r"""Quantizes an exported BERT graph for OpenVINO with NNCF: its defaults, smooth quant included.

    PYTHONPATH=. /other/venv/bin/python -m benchmarks.engines.openvino_int8 \
        --onnx WORK/graphs/ID/exported.onnx --messages WORK/calibration.txt \
        --out WORK/graphs/ID/openvino-int8.xml

Needs nncf, openvino and tokenizers, nothing of Rasa: the nncf that fits Rasa's dependencies may be
too old for the installed OpenVINO. tokenizer.json is expected beside the graph.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Dict, List, Optional, Sequence

import numpy as np

# Messages the benchmark leaves in its work folder.
CALIBRATION = "calibration.txt"
N_CALIBRATION = 300
MAX_LENGTH = 256


def quantize(onnx_path: Path, inputs: Sequence[Dict[str, np.ndarray]], out: Path) -> None:
    """Writes the quantized graph (.xml and .bin).

    Args:
        onnx_path: Exported graph with inputs input_ids, attention_mask, token_type_ids.
        inputs: Calibration messages, each input (1, n_tokens) int64.
        out: Path ending in .xml.
    """
    import nncf
    import openvino

    quantized = nncf.quantize(
        openvino.Core().read_model(str(onnx_path)),
        nncf.Dataset(list(inputs)),
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=len(inputs),
    )
    openvino.save_model(quantized, str(out), compress_to_fp16=False)


def read_calibration(
    paths: Sequence[Path], tokenizer_path: Path, n_texts: int = N_CALIBRATION
) -> List[Dict[str, np.ndarray]]:
    """Returns the inputs of evenly chosen messages.

    Args:
        paths: Text files, one message per line; of YAML files the items `- ...` are taken,
            which is enough for calibration.
        tokenizer_path: tokenizer.json without padding.
        n_texts: At most so many.
    """
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tokenizer_path))
    tokenizer.enable_truncation(MAX_LENGTH)
    texts = [text for path in paths for text in _lines(path)]
    inputs = []
    for text in texts[:: max(1, len(texts) // n_texts)][:n_texts]:
        ids = np.array([tokenizer.encode(text).ids], dtype=np.int64)
        inputs.append(
            {
                "input_ids": ids,
                "attention_mask": np.ones_like(ids),
                "token_type_ids": np.zeros_like(ids),
            }
        )
    return inputs


def _lines(path: Path) -> List[str]:
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    if path.suffix in (".yml", ".yaml"):
        lines = [line[2:] for line in lines if line.startswith("- ") and ":" not in line[:9]]
    return [line for line in lines if line]


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """Parses the command line and quantizes."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.engines.openvino_int8",
        description=__doc__.splitlines()[0] if __doc__ else None,
    )
    parser.add_argument("--onnx", type=Path, required=True)
    parser.add_argument("--messages", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parsed = parser.parse_args(arguments)
    inputs = read_calibration(parsed.messages, parsed.onnx.with_name("tokenizer.json"))
    quantize(parsed.onnx, inputs, parsed.out)


if __name__ == "__main__":
    main()
