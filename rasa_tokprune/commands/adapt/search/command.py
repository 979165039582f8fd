"""`rasa-tokprune adapt --search`: rounds of trials, controls, times, table and plot."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

from rasa_tokprune.commands.adapt.named_files import Named, named_files
from rasa_tokprune.commands.adapt.recipe import resolve_precision
from rasa_tokprune.commands.adapt.search.halving import front, survivors
from rasa_tokprune.commands.adapt.search.plot import draw_search
from rasa_tokprune.commands.adapt.search.space import candidate_plans, describe, sweep
from rasa_tokprune.commands.adapt.search.times import time_plans
from rasa_tokprune.commands.adapt.search.trial import JOB, TrialSetup, run_trial
from rasa_tokprune.commands.adapt.training.settings import TrainingSettings
from rasa_tokprune.commands.adapt.training.student import Importance
from rasa_tokprune.commands.output import make_folder, write_text
from rasa_tokprune.commands.screen import Screen
from rasa_tokprune.encoder import PruningPlan
from rasa_tokprune.encoder.checkpoint.find import find_checkpoint
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.plans.plan import ThresholdKind
from rasa_tokprune.encoder.plans.resolve import resolve_plan
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.jobs.run import run_jobs
from rasa_tokprune.machine.stored import stored_path
from rasa_tokprune.texts.files import hash_files
from rasa_tokprune.texts.tasks import read_examples

TRIALS_FILE, TIMES_FILE, PLOT_FILE = "trials.jsonl", "times.jsonl", "search.png"
_COLUMNS = ("plan", "pruned by", "cost", "accuracy %", "agreement %", "front")
_CONTROLS = (Importance.RANDOM, Importance.INVERSE)
_N_SHOT, _SEEDS, _MOST_MESSAGES = 5, (0, 1, 2), 800

Row = Dict[str, Any]


def run(
    arguments: argparse.Namespace, tasks: Named, texts: Sequence[str], settings: TrainingSettings
) -> int:
    """Searches, writes every trial, the plans of the last front, times and a plot; returns 0.

    Args:
        arguments: Of `rasa-tokprune adapt`.
        tasks: Name and file of labelled messages to train on.
        texts: Files of unlabelled messages to train on.
        settings: Of every training, but for its steps.

    Raises:
        TokPruneError: If the input is wrong.
    """
    steps, kept = _rounds(arguments.search_steps, arguments.keep)
    setup = _setup(arguments, tasks, texts, settings)
    make_folder("--out", arguments.out)
    n_layers = EncoderSpec.from_folder(find_checkpoint(arguments.model)).n_layers
    rows, plans = _try_all(steps, kept, setup, arguments, n_layers)
    last = [row for row in rows if row["steps"] == steps[-1]]
    trained = [row for row in last if row["importance"] == Importance.ATTENTION.value]
    controls = [row for row in last if row not in trained]
    best = [trained[i] for i in front([(row["cost"], row["accuracy"]) for row in trained])]
    times = _times(arguments, plans, n_layers, setup.judges[0][1])
    _write(arguments.out, rows, times, best)
    draw_search(rows, arguments.out / PLOT_FILE)
    _show(Screen.of(arguments), [*_by_cost(trained), *controls], best)
    return 0


def _try_all(
    steps: Sequence[int],
    kept: Sequence[int],
    setup: TrialSetup,
    arguments: argparse.Namespace,
    n_layers: int,
) -> Tuple[List[Row], List[PruningPlan]]:
    """Returns the rows of all rounds and controls, and the plans of the last round."""
    plans = _own_plans(arguments.plans, n_layers) or candidate_plans(n_layers)
    swept = [] if arguments.plans else sweep(n_layers)
    rows = _run(_with_controls(swept), steps[0], setup, arguments, "Controls")
    for number, own_steps in enumerate(steps):
        trials = [(plan, Importance.ATTENTION) for plan in plans]
        found = _run(trials, own_steps, setup, arguments, f"Round {number + 1} of {len(steps)}")
        rows += found
        if number < len(kept):
            points = [(row["cost"], row["accuracy"]) for row in found]
            plans = [plans[index] for index in survivors(points, kept[number])]
    rows += _run(_with_controls(plans), steps[-1], setup, arguments, "Controls")
    return rows, plans


def _own_plans(given: Sequence[str], n_layers: int) -> List[PruningPlan]:
    """Returns the plans of `--plans`, named by what they do, without the adapters they may have."""
    found: Dict[str, PruningPlan] = {}
    for name in given:
        plan = resolve_plan(name, n_layers)
        if plan.pruned_layers and plan.kind is not ThresholdKind.QUANTILE:
            raise ConfigError(f"--plans: '{name}' prunes by absolute thresholds; give quantiles")
        bare = dataclasses.replace(plan, name=describe(plan), adapter=None, provenance={})
        found.setdefault(plan.fingerprint(), bare)
    return list(found.values())


def _with_controls(plans: Sequence[PruningPlan]) -> List[Tuple[PruningPlan, Importance]]:
    return [(plan, own) for plan in plans if plan.pruned_layers for own in _CONTROLS]


def _rounds(steps: Sequence[int], kept: Sequence[int]) -> Tuple[List[int], List[int]]:
    if len(kept) != len(steps) - 1 or list(steps) != sorted(set(steps)) or min(steps) < 0:
        raise ConfigError(
            f"--search-steps must rise, and --keep must have one number fewer; got "
            f"{list(steps)} and {list(kept)}"
        )
    if any(number < 1 for number in kept):
        raise ConfigError(f"--keep must be at least 1 each, got {list(kept)}")
    return list(steps), list(kept)


def _setup(
    arguments: argparse.Namespace, tasks: Named, texts: Sequence[str], settings: TrainingSettings
) -> TrialSetup:
    judged = named_files("--judge", arguments.judge)
    if not judged:
        raise ConfigError(
            "--search needs --judge: labelled messages to measure on, never trained on"
        )
    if {name for name, _ in judged} & {name for name, _ in tasks}:
        raise ConfigError("--judge: none that is a --task too; what is trained on cannot judge")
    if max(arguments.search_steps) > 0 and not (tasks or texts):
        raise ConfigError("--search with training steps needs --texts or --task to train on")
    return TrialSetup(
        model=arguments.model,
        texts=tuple(texts),
        tasks=tasks,
        judges=judged,
        sha256=hash_files([*texts, *(path for _, path in (*tasks, *judged))]),
        concatenations=arguments.concatenations,
        rank=arguments.rank,
        settings=json.dumps(dataclasses.asdict(settings), sort_keys=True),
        n_shot=_N_SHOT,
        seeds=_SEEDS,
        most_messages=_MOST_MESSAGES,
        precision=resolve_precision(arguments.precision, "cpu").value,
        num_threads=1,  # wherever a trial runs: sums then come out the same everywhere
    )


def _run(
    trials: Sequence[Tuple[PruningPlan, Importance]],
    steps: int,
    setup: TrialSetup,
    arguments: argparse.Namespace,
    name: str,
) -> List[Row]:
    jobs = [
        {
            "setup": dataclasses.asdict(setup),
            "plan": plan.to_dict(),
            "importance": importance.value,
            "steps": steps,
        }
        for plan, importance in trials
    ]
    return run_jobs(
        run_trial,
        jobs,
        name=JOB,
        scheduler=arguments.scheduler,
        results=stored_path("trials"),
        progress_name=None if arguments.quiet else name,
    )


def _times(
    arguments: argparse.Namespace, plans: Sequence[PruningPlan], n_layers: int, judge: str
) -> List[Row]:
    """Times the last round's plans, here and now: not a job, whose neighbours would disturb it."""
    texts = read_examples(Path(judge))[0]
    compared = [PruningPlan.identity(n_layers), *(plan for plan in plans if not plan.is_identity)]
    return time_plans(arguments.model, compared, texts, not arguments.quiet)


def _write(folder: Path, rows: List[Row], times: List[Row], best: List[Row]) -> None:
    for name, own in ((TRIALS_FILE, rows), (TIMES_FILE, times)):
        write_text("".join(json.dumps(row) + "\n" for row in own), folder / name)
    for name, row in zip(file_names([row["cost"] for row in best]), best):
        PruningPlan.from_dict(row["plan"]).save(folder / name)


def file_names(costs: Sequence[float]) -> List[str]:
    """Returns a file name for each plan: its cost in percent, a number behind equal ones."""
    found: List[str] = []
    for cost in costs:
        stem = f"plan_{round(100 * cost):03d}"
        n_same = sum(name.startswith(stem) for name in found)
        found.append(f"{stem}_{n_same + 1}.json" if n_same else f"{stem}.json")
    return found


def _by_cost(rows: List[Row]) -> List[Row]:
    return sorted(rows, key=lambda row: -row["cost"])


def _show(screen: Screen, rows: List[Row], best: List[Row]) -> None:
    """Shows the plans of the last round, and which of them no other one beats."""
    if screen.is_json:
        for row in rows:
            shown = {key: row[key] for key in ("importance", "cost", "accuracy", "agreement")}
            screen.json({"plan": row["plan"]["name"], **shown, "is_on_front": row in best})
        return
    cells = [
        (
            row["plan"]["name"],
            row["importance"],
            f"{row['cost']:.2f}",
            f"{100 * row['accuracy']:.1f}",
            f"{100 * row['agreement']:.1f}",
            "yes" if row in best else "",
        )
        for row in rows
    ]
    screen.table(_COLUMNS, cells, n_left=2)
