"""The command line of `rasa-tokprune export`: checks, files, weights last."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Dict, Sequence

from rasa_tokprune.commands.export.card import write_card
from rasa_tokprune.commands.output import make_folder
from rasa_tokprune.commands.screen import Screen
from rasa_tokprune.encoder import PruningPlan, resolve_plan, shipped_plans
from rasa_tokprune.encoder.adapters.adapter import add_adapter
from rasa_tokprune.encoder.adapters.resolve import resolve_adapter
from rasa_tokprune.encoder.checkpoint.copies import copy_checkpoint, write_json
from rasa_tokprune.encoder.checkpoint.find import find_checkpoint
from rasa_tokprune.encoder.checkpoint.layers_file import write_layers
from rasa_tokprune.encoder.checkpoint.modules import read_json, transformer_folder
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.checkpoint.weights import load_weights
from rasa_tokprune.encoder.formats import AUTO
from rasa_tokprune.encoder.plans.resolve import OFF
from rasa_tokprune.encoder.pruned_checkpoint import PrunedCheckpoint
from rasa_tokprune.errors import ConfigError

_MEGABYTE = 1e6


def run(arguments: argparse.Namespace) -> None:
    """Writes the checkpoint and says what is in it.

    Raises:
        TokPruneError: If the input is wrong, or the folder holds something already.
    """
    out: Path = arguments.out
    if out.is_dir() and any(out.iterdir()):
        raise ConfigError(f"--out: folder '{out}' is not empty; give a new one, or empty it")
    n_layers = EncoderSpec.from_folder(find_checkpoint(arguments.model)).n_layers
    plan = _plan(arguments.prune, arguments.adapter, n_layers)
    found = PrunedCheckpoint.find(
        arguments.model, plan, resolve_adapter(arguments.adapter, plan) or OFF
    )
    _check(found, is_plan_given=arguments.prune is not None)
    screen = Screen.of(arguments)
    with screen.working("Writing the checkpoint"):
        file = _write(found, arguments.model, out)
    _show(screen, found, n_layers, file.stat().st_size, out)


def _write(found: PrunedCheckpoint, model: str, out: Path) -> Path:
    """Writes all files and returns that of the weights."""
    weights = load_weights(found.folder, found.spec)
    if found.adapter is not None:
        weights = add_adapter(weights, found.adapter)
    make_folder("--out", out)
    kept = found.plan.kept_layers or ()
    base = out / transformer_folder(found.folder).relative_to(found.folder)
    copy_checkpoint(found.folder, found.spec, out, with_layers=False)
    config = base / "config.json"
    write_json(_config(read_json(config), kept), config)
    write_card(out, model, found)
    # Last: a folder without them is no checkpoint.
    file = base / "model.safetensors"
    write_layers(found.folder, found.spec, weights, kept, file)
    return file


def _show(
    screen: Screen, found: PrunedCheckpoint, n_layers: int, n_bytes: int, folder: Path
) -> None:
    kept = found.plan.kept_layers or ()
    name = None if found.adapter is None else found.adapter.name
    if screen.is_json:
        screen.json(
            {
                "folder": str(folder),
                "plan": found.plan.name,
                "kept_layers": list(kept),
                "n_layers": n_layers,
                "adapter": name,
                "bytes": n_bytes,
            }
        )
        return
    adapted = "no adapter" if name is None else f"adapter '{name}' merged in"
    screen.line(
        f"{len(kept)} of {n_layers} layers, {adapted}, {n_bytes / _MEGABYTE:.0f} MB in {folder}"
    )


def _plan(prune: Any, adapter: str, n_layers: int) -> PruningPlan:
    """Returns the plan that says which layers run.

    Raises:
        ConfigError: If neither a plan nor an adapter is named, or there is no such plan.
    """
    if prune is not None:
        return resolve_plan(prune, n_layers)
    if adapter in (AUTO, OFF):
        raise ConfigError("--prune or --adapter is missing: a plan's or an adapter's name or file")
    for plans in shipped_plans().values():
        for plan in plans:
            if plan.adapter == adapter and plan.n_layers == n_layers:
                return plan
    return PruningPlan.identity(n_layers)


def _check(found: PrunedCheckpoint, *, is_plan_given: bool) -> None:
    """Raises ConfigError if the result would be the checkpoint itself, or half adapted."""
    plan, adapter = found.plan, found.adapter
    n_kept = len(plan.kept_layers or ())
    if adapter is None and n_kept == plan.n_layers:
        raise ConfigError(
            f"nothing to write: plan '{plan.name}' without an adapter runs all layers with the "
            f"model's own weights; name a plan with an adapter, or an adapter"
        )
    if adapter is None or is_plan_given:
        return
    changed = adapter.changed_layers
    if not set(changed) >= set(plan.kept_layers or ()):
        raise ConfigError(
            f"adapter '{adapter.name}' changes layers {', '.join(map(str, changed))} of "
            f"{plan.n_layers} only: it was trained for a plan that skips the others; give that "
            f"plan with --prune, or --prune off for all layers"
        )


def _config(config: Dict[str, Any], kept: Sequence[int]) -> Dict[str, Any]:
    """Returns the config.json of the written layers, all in float32."""
    types = {key: "float32" for key in ("torch_dtype", "dtype") if key in config}
    return {**config, **types, "num_hidden_layers": len(kept)}
