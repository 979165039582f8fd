"""Checkpoints with random weights in well-known shapes: good for timing, for nothing else.

python -m benchmarks.engines.checkpoints --shape minilm-l12 --like MODEL --out FOLDER
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Optional, Sequence

from benchmarks.command import module_parser
from rasa_tokprune.encoder.checkpoint.modules import transformer_folder
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec

_BASE = {"hidden_size": 768, "num_attention_heads": 12, "intermediate_size": 3072}
_TINY = {"hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 48}
# name -> (architecture, configuration)
SHAPES: Dict[str, Any] = {
    "minilm-l12": (
        "bert",
        {"hidden_size": 384, "num_attention_heads": 12, "intermediate_size": 1536},
    ),
    "bert-base": ("bert", _BASE),
    "mpnet-base": ("mpnet", _BASE),
    "tiny": ("bert", {**_TINY, "num_hidden_layers": 6}),
}
_N_LAYERS = 12
_MAX_LENGTH = 256
_SEED = 0


def random_checkpoint(shape: str, like: Path, work: Path) -> Path:
    """Returns the folder of a random checkpoint, written by a process of its own if missing.

    Args:
        shape: A key of SHAPES.
        like: Checkpoint whose tokenizer it shares.
        work: Where it is kept.
    """
    folder = work / "shapes" / shape
    if not (folder / "modules.json").is_file():
        module = "benchmarks.engines.checkpoints"
        options = ["--shape", shape, "--like", str(like), "--out", str(folder)]
        subprocess.run([sys.executable, "-m", module, *options], check=True)
    return folder


def write_checkpoint(shape: str, like: Path, folder: Path) -> None:
    """Writes a sentence-transformers checkpoint; modules.json last, so that it marks the end."""
    import torch
    from transformers import BertConfig, BertModel, MPNetConfig, MPNetModel

    architecture, sizes = SHAPES[shape]
    settings = {
        "vocab_size": EncoderSpec.from_folder(like).vocab_size,
        "num_hidden_layers": _N_LAYERS,
        **sizes,
    }
    torch.manual_seed(_SEED)
    if architecture == "mpnet":
        # MPNet counts positions from its pad id, 1 as in RoBERTa; no text holds that token here.
        config = MPNetConfig(**settings, pad_token_id=1, max_position_embeddings=514)
        model: Any = MPNetModel(config, add_pooling_layer=False)
    else:
        model = BertModel(BertConfig(**settings), add_pooling_layer=False)
    model.save_pretrained(str(folder))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        if (transformer_folder(like) / name).is_file():
            shutil.copy(transformer_folder(like) / name, folder / name)
    width = int(settings["hidden_size"])
    pooling = {"word_embedding_dimension": width, "pooling_mode_mean_tokens": True}
    _write(folder / "1_Pooling" / "config.json", pooling)
    _write(folder / "sentence_bert_config.json", {"max_seq_length": _MAX_LENGTH})
    names = ("Transformer", "Pooling", "Normalize")
    paths = ("", "1_Pooling", "2_Normalize")
    modules = [
        {"idx": n, "name": str(n), "path": path, "type": f"sentence_transformers.models.{name}"}
        for n, (name, path) in enumerate(zip(names, paths))
    ]
    _write(folder / "modules.json", modules)


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """Parses the command line and writes a checkpoint."""
    parser = module_parser(__file__, __doc__)
    parser.add_argument("--shape", choices=SHAPES, required=True)
    parser.add_argument("--like", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parsed = parser.parse_args(arguments)
    write_checkpoint(parsed.shape, parsed.like, parsed.out)


if __name__ == "__main__":
    main()
