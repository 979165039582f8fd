"""Tiny random checkpoints of every architecture, and texts they know."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Dict, List, Optional

import numpy as np
from safetensors.numpy import save_file
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
)

CORPUS = [
    "where is my parcel and when will it arrive",
    "I want to cancel the order that I placed yesterday morning",
    "do you ship to Switzerland, and what does it cost?",
    "my coffee grinder is broken; can I send it back to you",
    "hello there, thanks a lot, goodbye and see you soon",
    "please change the delivery address of order 12345",
    "the payment failed twice although my card is fine",
    "can I talk to a human being about the refund",
]
N_LAYERS = 4
# As Hugging Face's configurations name them.
_SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": N_LAYERS,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 80,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
}
_N_TYPES, _N_BUCKETS = 2, 32
ARCHITECTURES = ["bert", "mpnet", "roberta", "xlm-roberta"]


# Vocabularies are spelled out, not trained: the trainers give another one in every run.
WORDS = sorted({word for text in CORPUS for word in re.findall(r"\w+", text.lower())})
CHARACTERS = sorted(set("".join(CORPUS).lower()) - {" "})


def _wordpiece(specials: List[str]) -> Tokenizer:
    # Words of the corpus are whole, all others fall into pieces.
    pieces = [*specials, *CHARACTERS, *(f"##{c}" for c in CHARACTERS), *WORDS]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=specials[-1]))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(specials)
    return tokenizer


def _byte_level(specials: List[str]) -> Tokenizer:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = dict.fromkeys(
        pair
        for word in WORDS
        if len(word) > 2
        for pair in ((word[0], word[1]), (word[:2], word[2]))
    )
    pieces = [*specials, *alphabet, *("".join(pair) for pair in merges)]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.BPE(vocabulary, list(merges)))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(specials)
    return tokenizer


def _unigram(specials: List[str]) -> Tokenizer:
    pieces = [*specials, "\u2581", *CHARACTERS, *(f"\u2581{word}" for word in WORDS)]
    scored = [(p, 0.0 if p in specials else -10.0) for p in dict.fromkeys(pieces)]
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=specials.index("<unk>")))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.add_special_tokens(specials)
    return tokenizer


def build_tokenizer(architecture: str) -> Tokenizer:
    if architecture == "bert":
        tokenizer = _wordpiece(["[PAD]", "[CLS]", "[SEP]", "[MASK]", "[UNK]"])
        first, last = "[CLS]", "[SEP]"
    else:
        make = {"mpnet": _wordpiece, "roberta": _byte_level, "xlm-roberta": _unigram}[architecture]
        tokenizer = make(["<s>", "<pad>", "</s>", "<mask>", "<unk>"])
        first, last = "<s>", "</s>"
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}",
        special_tokens=[(t, tokenizer.token_to_id(t)) for t in (first, last)],
    )
    return tokenizer


def write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def random_weights(settings: Dict[str, Any], seed: int) -> Dict[str, np.ndarray]:
    """Returns weights under Hugging Face's names: matrices random, biases 0, norms' factors 1."""
    hidden, wide = settings["hidden_size"], settings["intermediate_size"]
    is_mpnet = settings["model_type"] == "mpnet"
    rng = np.random.default_rng(seed)
    found: Dict[str, np.ndarray] = {}

    def matrix(name: str, *shape: int) -> None:
        # Flatter ones would not tell tokens apart.
        found[f"{name}.weight"] = rng.normal(scale=0.15, size=shape).astype(np.float32)

    def linear(name: str, n_out: int, n_in: int) -> None:
        matrix(name, n_out, n_in)
        found[f"{name}.bias"] = np.zeros(n_out, dtype=np.float32)

    def norm(name: str) -> None:
        found[f"{name}.weight"] = np.ones(hidden, dtype=np.float32)
        found[f"{name}.bias"] = np.zeros(hidden, dtype=np.float32)

    matrix("embeddings.word_embeddings", settings["vocab_size"], hidden)
    matrix("embeddings.position_embeddings", settings["max_position_embeddings"], hidden)
    if is_mpnet:
        matrix("encoder.relative_attention_bias", _N_BUCKETS, settings["num_attention_heads"])
    else:
        matrix("embeddings.token_type_embeddings", _N_TYPES, hidden)
    norm("embeddings.LayerNorm")
    for number in range(settings["num_hidden_layers"]):
        layer = f"encoder.layer.{number}"
        names = [f"attn.{part}" for part in "qkvo"]
        if not is_mpnet:
            names = ["self.query", "self.key", "self.value", "output.dense"]
        for name in names:
            linear(f"{layer}.attention.{name}", hidden, hidden)
        norm(f"{layer}.attention.{'' if is_mpnet else 'output.'}LayerNorm")
        linear(f"{layer}.intermediate.dense", wide, hidden)
        linear(f"{layer}.output.dense", hidden, wide)
        norm(f"{layer}.output.LayerNorm")
    return found


def write_checkpoint(
    folder: Path,
    architecture: str = "bert",
    *,
    pooling: Optional[Dict[str, Any]] = None,
    normalize: bool = True,
    max_seq_length: int = 64,
    seed: int = 0,
    **config: Any,
) -> Path:
    """Writes a small random sentence-transformers checkpoint and returns its folder."""
    tokenizer = build_tokenizer(architecture)
    settings = {
        "model_type": architecture,
        "vocab_size": tokenizer.get_vocab_size(),
        "pad_token_id": 0 if architecture == "bert" else 1,
        "type_vocab_size": _N_TYPES,
        "relative_attention_num_buckets": _N_BUCKETS,
        **_SIZES,
        **config,
    }
    write_json(folder / "config.json", settings)
    save_file(random_weights(settings, seed), str(folder / "model.safetensors"), {"format": "pt"})
    tokenizer.save(str(folder / "tokenizer.json"))
    classes = {"bert": "BertTokenizer", "mpnet": "MPNetTokenizer"}
    specials = ["[PAD]", "[CLS]", "[SEP]", "[MASK]", "[UNK]"]
    if architecture != "bert":
        specials = ["<pad>", "<s>", "</s>", "<mask>", "<unk>"]
    names = ("pad_token", "cls_token", "sep_token", "mask_token", "unk_token")
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": 512,
            "original_class": classes.get(architecture, architecture),
            **dict(zip(names, specials)),
        },
    )
    write_json(
        folder / "sentence_bert_config.json",
        {"max_seq_length": max_seq_length, "do_lower_case": False},
    )
    base = "sentence_transformers.models"
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": f"{base}.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": f"{base}.Pooling"},
    ]
    if normalize:
        modules.append({"idx": 2, "name": "2", "path": "2_Normalize", "type": f"{base}.Normalize"})
    write_json(folder / "modules.json", modules)
    write_json(
        folder / "1_Pooling" / "config.json",
        {
            "word_embedding_dimension": settings["hidden_size"],
            **(pooling or {"pooling_mode_mean_tokens": True}),
        },
    )
    return folder
