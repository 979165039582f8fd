"""What a checkpoint's JSON files say: architecture, pooling, normalisation, prompts."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any, Dict, Optional, Tuple

from rasa_tokprune.encoder.checkpoint.modules import (
    TRANSFORMER_SETTINGS,
    DenseSpec,
    module_settings,
    read_json,
    transformer_folder,
)
from rasa_tokprune.encoder.stable_fields import stable_fields
from rasa_tokprune.errors import CheckpointError, ConfigError, did_you_mean

SUPPORTED_ARCHITECTURES = {
    "bert": "BERT (MiniLM, bge, e5, gte-small)",
    "mpnet": "MPNet (all-mpnet-base-v2)",
    "roberta": "RoBERTa",
    "xlm-roberta": "XLM-RoBERTa (multilingual)",
}
ACTIVATIONS = ("gelu", "gelu_new", "gelu_pytorch_tanh", "relu", "silu", "tanh")

# One token between the two special ones.
_SHORTEST = 3


@dataclasses.dataclass(frozen=True)
class EncoderSpec:
    """Everything that decides an embedding besides weights and vocabulary.

    Attributes:
        architecture: A key of SUPPORTED_ARCHITECTURES.
        n_layers: Number of transformer layers.
        n_heads: Attention heads per layer.
        vocab_size: Rows of the word embedding.
        hidden_size: Width of a hidden state.
        intermediate_size: Width of the feed-forward layer.
        activation: One of ACTIVATIONS.
        layer_norm_eps: Epsilon of every layer norm.
        max_positions: Rows of the position embedding.
        pad_token_id: Token id that RoBERTa and MPNet leave out when counting positions.
        n_buckets: Relative attention buckets (MPNet), 0 elsewhere.
        max_seq_length: Most tokens of a sentence, special tokens counted.
        do_lower_case: Text is lower-cased before the tokenizer's own normaliser.
        pooling: Pooling modes, concatenated in order.
        include_prompt: False leaves the prompt's tokens out of pooling.
        dense: Dense layers after pooling.
        normalize: The embedding is divided by its L2 norm at the end.
        prompts: (name, text) pairs.
        default_prompt_name: Prompt put before every text, or None.
    """

    architecture: str
    n_layers: int
    n_heads: int
    vocab_size: int
    hidden_size: int
    intermediate_size: int
    activation: str
    layer_norm_eps: float
    max_positions: int
    pad_token_id: int
    n_buckets: int
    max_seq_length: int
    do_lower_case: bool = False
    pooling: Tuple[str, ...] = ("mean",)
    include_prompt: bool = True
    dense: Tuple[DenseSpec, ...] = ()
    normalize: bool = False
    prompts: Tuple[Tuple[str, str], ...] = ()
    default_prompt_name: Optional[str] = None

    @classmethod
    def from_folder(cls, folder: Path) -> EncoderSpec:
        """Reads the specification of the checkpoint in `folder`.

        Raises:
            CheckpointError: If a file is missing, damaged, or asks for something unsupported.
        """
        base = transformer_folder(folder)
        config = read_json(base / "config.json")
        if not isinstance(config, dict):
            raise CheckpointError(f"'{base}/config.json' is not a JSON object")
        architecture = _supported_architecture(config, folder)
        prompts = read_json(folder / "config_sentence_transformers.json", required=False)
        transformer = _transformer_settings(base)
        modules = module_settings(folder)
        try:
            spec = cls(
                architecture=architecture,
                n_layers=config["num_hidden_layers"],
                n_heads=config["num_attention_heads"],
                vocab_size=config["vocab_size"],
                hidden_size=config["hidden_size"],
                intermediate_size=config["intermediate_size"],
                activation=config.get("hidden_act", "gelu"),
                layer_norm_eps=config.get("layer_norm_eps", 1e-12),
                max_positions=config["max_position_embeddings"],
                pad_token_id=_pad_token_id(architecture, config),
                n_buckets=_n_buckets(architecture, config),
                max_seq_length=_max_seq_length(architecture, config, transformer, base),
                do_lower_case=bool(transformer.get("do_lower_case", False)),
                prompts=tuple(sorted((prompts.get("prompts") or {}).items())),
                default_prompt_name=prompts.get("default_prompt_name"),
                **modules,
            )
        except KeyError as error:
            raise CheckpointError(f"'{base}/config.json' lacks the key {error}") from error
        if spec.hidden_size % spec.n_heads:
            raise CheckpointError(
                f"'{base}/config.json': hidden_size {spec.hidden_size} is not a multiple of "
                f"num_attention_heads {spec.n_heads}"
            )
        return spec

    @property
    def kv_share(self) -> float:
        """Share of a layer's matrix work that a frozen token's key and value cost."""
        attention, feed_forward = 4 * self.hidden_size, 2 * self.intermediate_size
        return 2 * self.hidden_size / (attention + feed_forward)

    @property
    def position_offset(self) -> int:
        """Position id of the first token."""
        return 0 if self.architecture == "bert" else self.pad_token_id + 1

    def check_max_length(self, max_length: Optional[int]) -> None:
        """Raises ConfigError if sentences cannot be cut at `max_length` tokens."""
        longest = self.max_positions - self.position_offset
        if max_length is not None and not _SHORTEST <= max_length <= longest:
            raise ConfigError(
                f"max_length must be in [{_SHORTEST}, {longest}] for this model, got "
                f"{max_length}; null takes the model's own {self.max_seq_length}"
            )

    def prompt(self, name: Optional[str] = None) -> str:
        """Returns the prompt called `name`, by default the checkpoint's default prompt."""
        prompts = dict(self.prompts)
        name = self.default_prompt_name if name is None else name
        if name is None:
            return ""
        if name not in prompts:
            raise CheckpointError(
                f"the model has no prompt '{name}'.{did_you_mean(name, prompts)} "
                f"It has: {', '.join(prompts) or 'none'}"
            )
        return prompts[name]

    def fingerprint(self) -> str:
        """Returns a hash of all fields."""
        content = json.dumps(stable_fields(self), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


def _supported_architecture(config: Dict[str, Any], folder: Path) -> str:
    architecture = config.get("model_type")
    supported = "; ".join(f"{key}: {text}" for key, text in SUPPORTED_ARCHITECTURES.items())
    if architecture not in SUPPORTED_ARCHITECTURES:
        raise CheckpointError(
            f"architecture '{architecture}' of '{folder}' is not supported; "
            f"supported are {supported}"
        )
    positions = config.get("position_embedding_type", "absolute")
    if positions != "absolute" or config.get("is_decoder"):
        raise CheckpointError(
            f"'{folder}': position_embedding_type '{positions}', is_decoder "
            f"{bool(config.get('is_decoder'))} is not supported; expected an encoder with "
            f"absolute positions ({supported})"
        )
    activation = config.get("hidden_act", "gelu")
    if activation not in ACTIVATIONS:
        raise CheckpointError(
            f"'{folder}': hidden_act '{activation}' is not supported; "
            f"supported are {', '.join(ACTIVATIONS)}"
        )
    return str(architecture)


def _pad_token_id(architecture: str, config: Dict[str, Any]) -> int:
    # Hugging Face's MPNet fixes it at 1, whatever the config says.
    default = {"bert": 0, "mpnet": 1}.get(architecture, 1)
    given = config.get("pad_token_id")
    return default if architecture == "mpnet" or given is None else int(given)


def _n_buckets(architecture: str, config: Dict[str, Any]) -> int:
    return config.get("relative_attention_num_buckets", 32) if architecture == "mpnet" else 0


def _max_seq_length(
    architecture: str, config: Dict[str, Any], transformer: Dict[str, Any], base: Path
) -> int:
    offset = 0 if architecture == "bert" else _pad_token_id(architecture, config) + 1
    tokenizer = read_json(base / "tokenizer_config.json", required=False)
    # As in sentence-transformers, its own setting overrules the tokenizer's.
    wanted = transformer.get("max_seq_length") or tokenizer.get("model_max_length")
    longest = config["max_position_embeddings"] - offset
    return int(min(wanted or longest, longest))


def _transformer_settings(base: Path) -> Dict[str, Any]:
    for name in TRANSFORMER_SETTINGS:
        if (base / name).is_file():
            return dict(read_json(base / name))
    return {}
