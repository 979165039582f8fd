"""The command line of `rasa-tokprune adapt`: checks, training, files."""

from __future__ import annotations

import argparse
import base64
import dataclasses
import json
from pathlib import Path
from typing import Sequence

from rasa_tokprune.commands.adapt.arguments import check_options
from rasa_tokprune.commands.adapt.named_files import Named, named_files, without_named
from rasa_tokprune.commands.adapt.provenance import History, stage_looks
from rasa_tokprune.commands.adapt.recipe import (
    JOB,
    Recipe,
    resolve_precision,
    train_adapter,
)
from rasa_tokprune.commands.adapt.search import command as search
from rasa_tokprune.commands.adapt.training.settings import TrainingSettings
from rasa_tokprune.commands.output import make_folder, write_text
from rasa_tokprune.commands.screen import Screen
from rasa_tokprune.encoder import PruningPlan
from rasa_tokprune.encoder.adapters.adapter import Adapter
from rasa_tokprune.encoder.checkpoint.find import find_checkpoint
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.plans.resolve import resolve_plan
from rasa_tokprune.encoder.shared import resolve_device
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.jobs.run import check_scheduler, run_jobs
from rasa_tokprune.machine.stored import stored_path
from rasa_tokprune.texts.files import absolute, hash_files

ADAPTER_FILE, PLAN_FILE = "adapter.safetensors", "plan.json"
HISTORY_FILE, STATE_FILE = "history.jsonl", "state.safetensors"


def run(arguments: argparse.Namespace) -> int:
    """Trains, or searches, writes the files and returns 0.

    Raises:
        TokPruneError: If the input is wrong, or training diverges.
    """
    check_options(arguments)
    settings = _settings(arguments)
    check_scheduler(arguments.scheduler)
    every = named_files("--task", arguments.task)
    tasks = without_named("--leave", every, arguments.leave)
    texts = tuple(each for each in _texts(arguments.texts, every) if each[0] not in arguments.leave)
    if arguments.search:
        return search.run(arguments, tasks, [path for _, path in texts], settings)
    n_layers = EncoderSpec.from_folder(find_checkpoint(arguments.model)).n_layers
    plan = resolve_plan(arguments.prune, n_layers)
    if plan.is_identity and not (tasks or arguments.teacher):
        raise ConfigError(
            "--prune off without --task or --teacher has nothing to learn: the encoder already is "
            "its teacher"
        )
    make_folder("--out", arguments.out)
    if arguments.leave_one_out:
        return _leave_one_out(arguments, plan, texts, tasks, settings)
    recipe = _recipe(arguments, plan, texts, tasks, settings)
    adapter, history = recipe.train(arguments.out / STATE_FILE, not arguments.quiet)
    _write(arguments.out, adapter, plan, history)
    _show(Screen.of(arguments), history, arguments.out)
    return 0


def _leave_one_out(
    arguments: argparse.Namespace,
    plan: PruningPlan,
    texts: Named,
    tasks: Named,
    settings: TrainingSettings,
) -> int:
    """Trains one adapter without each task, to measure on that task what is new to it."""
    if len(tasks) < 2:
        raise ConfigError(f"--leave-one-out needs two --task or more, got {len(tasks)}")
    recipes = []
    for left_out, _ in tasks:
        kept_texts = tuple(each for each in texts if each[0] != left_out)
        kept_tasks = tuple(each for each in tasks if each[0] != left_out)
        recipes.append(_recipe(arguments, plan, kept_texts, kept_tasks, settings))
    found = run_jobs(
        train_adapter,
        [{"recipe": dataclasses.asdict(recipe)} for recipe in recipes],
        name=JOB,
        scheduler=arguments.scheduler,
        results=stored_path("adapters"),
        progress_name=None if arguments.quiet else "Leaving one out",
    )
    screen = Screen.of(arguments)
    for (left_out, _), result in zip(tasks, found):
        folder = arguments.out / f"without-{left_out}"
        make_folder("--out", folder)
        (folder / ADAPTER_FILE).write_bytes(base64.b64decode(result["adapter"]))
        _write(folder, Adapter.load(folder / ADAPTER_FILE), plan, result["history"])
        _show(screen, result["history"], folder, left_out)
    return 0


def _settings(arguments: argparse.Namespace) -> TrainingSettings:
    if arguments.rank < 1:
        raise ConfigError(f"--rank must be at least 1, got {arguments.rank}")
    if arguments.concatenations < 0:
        raise ConfigError(f"--concatenations must be at least 0, got {arguments.concatenations}")
    if not 0 < arguments.strength <= 1:
        raise ConfigError(f"--strength must be in (0, 1], got {arguments.strength}")
    if not 0 <= arguments.teacher_share <= 1:
        raise ConfigError(f"--teacher-share must be in [0, 1], got {arguments.teacher_share}")
    names = [field.name for field in dataclasses.fields(TrainingSettings)]
    return TrainingSettings(
        **{name: value for name, value in vars(arguments).items() if name in names}
    )


def _texts(given: Sequence[str], tasks: Named) -> Named:
    """Returns name and file of each; the name is that of a task it belongs to, or ''."""
    names = [name for name, _ in tasks]
    found = []
    for entry in given:
        name, equals, path = entry.partition("=")
        belongs = bool(equals) and name in names
        file = Path(path if belongs else entry).expanduser().resolve()
        found.append((name if belongs else "", str(file)))
    return tuple(found)


def _recipe(
    arguments: argparse.Namespace,
    plan: PruningPlan,
    texts: Named,
    tasks: Named,
    settings: TrainingSettings,
) -> Recipe:
    device = resolve_device(arguments.device)
    recipe = Recipe(
        name=arguments.name or arguments.out.resolve().name,
        model=absolute(arguments.model),
        # What trained the plan's own adapter is not gone on from.
        plan=dataclasses.replace(plan, adapter=None).to_dict(),
        texts=tuple(path for _, path in texts),
        tasks=tasks,
        judges=named_files("--judge", arguments.judge),
        sha256="",
        concatenations=arguments.concatenations,
        rank=arguments.rank,
        settings=dataclasses.asdict(settings),
        precision=resolve_precision(arguments.precision, device).value,
        device=device,
        strength=arguments.strength,
        # One thread in every job, wherever it runs: sums then come out the same everywhere.
        num_threads=1 if arguments.leave_one_out else None,
        teacher=absolute(arguments.teacher or ""),
        teacher_share=arguments.teacher_share,
        start=str(arguments.start.expanduser().resolve()) if arguments.start else "",
    )
    return dataclasses.replace(recipe, sha256=hash_files(recipe.files))


def _write(folder: Path, adapter: Adapter, plan: PruningPlan, history: History) -> None:
    adapter.save(folder / ADAPTER_FILE)
    adapted = dataclasses.replace(
        plan,
        name=adapter.name,
        adapter=ADAPTER_FILE,
        provenance={"source": "rasa-tokprune adapt", **adapter.provenance},
    )
    adapted.save(folder / PLAN_FILE)
    write_text("".join(json.dumps(entry) + "\n" for entry in history), folder / HISTORY_FILE)


def _show(screen: Screen, history: History, folder: Path, left_out: str = "") -> None:
    """Shows what a training brought and how to use it.

    Args:
        screen: Where.
        history: Every look.
        folder: With the plan.
        left_out: The task that it went without, if it went without one.
    """
    looks = stage_looks(history)
    name = "judged" if "judged" in history[0] else "held_out"
    is_better = not all(best is first for first, best in looks)
    if screen.is_json:
        stages = [
            {"stage": best["stage"], "steps": best["step"], "before": first[name], name: best[name]}
            for first, best in looks
        ]
        plan = str(folder / PLAN_FILE)
        about = {"left_out": left_out or None, "is_better": is_better}
        screen.json({"plan": plan, **about, "measure": name, "stages": stages})
        return
    if left_out:
        screen.heading(f"Without {left_out}:")
    what = "Mean of the judges" if name == "judged" else "Held-out loss"
    if not is_better:
        screen.line(
            f"Training did not help: {what.lower()} was never better than the "
            f"{history[0][name]:.4f} it started at. Give more texts, or lower --learning-rate.",
            meaning="bad",
        )
        return
    for first, best in looks:
        screen.line(
            f"{what} {best[name]:.4f} after {best['step']} steps of {best['stage']}; "
            f"{first[name]:.4f} before."
        )
    use = f"To use it: set `prune: {folder / PLAN_FILE}` in config.yml and train."
    screen.line(use, meaning="good")
