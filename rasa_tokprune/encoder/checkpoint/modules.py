"""What follows the transformer, as modules.json lists it: pooling, dense layers, norm."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, Dict, List

from rasa_tokprune.errors import CheckpointError

POOLING_MODES = ("cls", "max", "mean", "mean_sqrt_len")
# Names that sentence-transformers has given the file with max_seq_length and do_lower_case.
TRANSFORMER_SETTINGS = tuple(
    f"sentence_{name}_config.json"
    for name in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)
DENSE_ACTIVATIONS = ("Identity", "Tanh", "ReLU", "GELU", "Sigmoid", "SiLU")
# In the order in which sentence-transformers concatenates them.
_POOLING_KEYS = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}


@dataclasses.dataclass(frozen=True)
class DenseSpec:
    """A dense layer after pooling: its folder and its activation."""

    folder: str
    activation: str


def read_json(path: Path, required: bool = True) -> Any:
    """Returns the content of a JSON file; an empty dict if it is absent and not required."""
    if not path.is_file():
        if required:
            raise CheckpointError(f"'{path}' is missing; is '{path.parent}' a model folder?")
        return {}
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"'{path}' cannot be read as JSON: {error}") from error


def transformer_folder(folder: Path) -> Path:
    """Returns where the transformer's own files are; older checkpoints use a sub-folder."""
    for module in _modules(folder):
        if module["type"].endswith(".Transformer"):
            return _inside(folder, module.get("path", ""))
    return folder


def _modules(folder: Path) -> List[Dict[str, Any]]:
    path = folder / "modules.json"
    modules = read_json(path, required=False) or []
    if not isinstance(modules, list) or not all(
        isinstance(module, dict) and isinstance(module.get("type"), str) for module in modules
    ):
        raise CheckpointError(f"'{path}' is not a list of modules with a type")
    return modules


def _inside(folder: Path, path: str) -> Path:
    if ".." in Path(path).parts or Path(path).is_absolute():
        raise CheckpointError(f"module path '{path}' in '{folder}/modules.json' leaves the folder")
    return folder / path


def module_settings(folder: Path) -> Dict[str, Any]:
    """Returns pooling, dense layers and normalisation as modules.json lists them."""
    settings: Dict[str, Any] = {"dense": (), "normalize": False}
    for module in _modules(folder):
        kind, path = module["type"].rsplit(".", 1)[-1], module.get("path", "")
        if kind == "Pooling":
            settings.update(_pooling(_inside(folder, path) / "config.json"))
        elif kind == "Dense" and not settings["normalize"]:
            settings["dense"] += (_dense(folder, path),)
        elif kind == "Normalize":
            settings["normalize"] = True
        elif kind not in ("Transformer", "Dropout"):
            raise CheckpointError(
                f"module '{kind}' in '{folder}/modules.json' is not supported in its place; "
                f"supported are Transformer, Pooling, Dense, Normalize, in this order"
            )
    return settings


def _pooling(path: Path) -> Dict[str, Any]:
    config = read_json(path)
    modes: List[str]
    if "pooling_mode" in config:
        given = config["pooling_mode"]
        modes = [given] if isinstance(given, str) else list(given)
        modes = [mode.replace("mean_sqrt_len_tokens", "mean_sqrt_len") for mode in modes]
    else:
        modes = [mode for key, mode in _POOLING_KEYS.items() if config.get(key)] or ["mean"]
    for mode in modes:
        if mode not in POOLING_MODES:
            raise CheckpointError(
                f"pooling '{mode}' in '{path}' is not supported; "
                f"supported are {', '.join(POOLING_MODES)}"
            )
    return {"pooling": tuple(modes), "include_prompt": config.get("include_prompt", True)}


def _dense(folder: Path, path: str) -> DenseSpec:
    config = read_json(_inside(folder, path) / "config.json")
    activation = config.get("activation_function", "torch.nn.modules.activation.Tanh")
    short = activation.rsplit(".", 1)[-1]
    if not activation.startswith("torch.") or short not in DENSE_ACTIVATIONS:
        raise CheckpointError(
            f"activation '{activation}' of the dense layer in '{folder / path}' is not "
            f"supported; supported are {', '.join(DENSE_ACTIVATIONS)} of torch"
        )
    streams = {config.get(key) for key in ("module_input_name", "module_output_name")}
    if streams - {None, "sentence_embedding"}:
        raise CheckpointError(
            f"the dense layer in '{folder / path}' does not map the sentence embedding; "
            f"only module_input_name 'sentence_embedding' is supported"
        )
    return DenseSpec(path, short)
