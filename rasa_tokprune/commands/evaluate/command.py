"""The command line of `rasa-tokprune evaluate`: checks, progress bars, results, gates."""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from rasa_tokprune.commands.evaluate.arguments import ALL_SHOTS
from rasa_tokprune.commands.evaluate.encoded_texts import EncodedTexts, costs_of
from rasa_tokprune.commands.evaluate.encoders import EncoderChoice, choose_encoders
from rasa_tokprune.commands.evaluate.files import write_run
from rasa_tokprune.commands.evaluate.gates import GATES, Limit, check_limits, violations
from rasa_tokprune.commands.evaluate.runs import FitSettings, Run, evaluate
from rasa_tokprune.commands.evaluate.table import COLUMNS, N_NAMES, cells, summarize
from rasa_tokprune.commands.evaluate.task_data import TaskData, read_tasks
from rasa_tokprune.commands.output import make_folder
from rasa_tokprune.commands.screen import Screen
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.extras import require
from rasa_tokprune.fewshot import CONTENT_FREE_TEXTS
from rasa_tokprune.machine.environment import environment
from rasa_tokprune.machine.stored import stored_path
from rasa_tokprune.texts.embeddings import EmbeddingStore, embed_texts
from rasa_tokprune.texts.tasks import Task

ROWS = "evaluation.jsonl"


def run(arguments: argparse.Namespace) -> int:
    """Evaluates, shows the table and returns 1 if a gate is violated, else 0.

    Raises:
        TokPruneError: If the input is wrong.
    """
    screen = Screen.of(arguments)
    limits = [
        (gate, limit) for gate in GATES if (limit := getattr(arguments, gate.key)) is not None
    ]
    if not arguments.no_plots:
        require("matplotlib", "drawing plots", otherwise="give --no-plots")
    check_limits(limits, {})
    settings, shots = FitSettings.of(arguments), _shots(arguments.shots)
    seeds = _seeds(arguments.seeds)
    tasks = read_tasks(_tasks(arguments), arguments.oos_intents)
    check_limits(limits, {task.name: task.n_oos for task in tasks})
    for task in filter(lambda task: task.n_copies, tasks):
        screen.remark(
            f"{task.n_copies} of {len(task.test.texts)} test messages of '{task.name}' are also "
            f"training messages: they say nothing of new ones"
        )
    choices = choose_encoders(
        arguments.models,
        arguments.prune,
        precision=arguments.precision,
        backend=arguments.backend,
        adapter=arguments.adapter,
    )
    make_folder("--out", arguments.out)
    if arguments.cache is not None:
        make_folder("--cache", arguments.cache)
    encoded = _encode(choices, tasks, settings, arguments, screen)
    runs = []
    for task, n_shot in itertools.product(tasks, shots):
        own = _seeds_of(task, n_shot, seeds, screen)
        runs += [Run(task, texts, n_shot, seed) for texts in encoded for seed in own]
    rows = _evaluate_all(runs, settings, arguments, screen)
    return _report(screen, rows, limits)


def _seeds_of(task: TaskData, n_shot: Optional[int], seeds: List[int], screen: Screen) -> List[int]:
    """Returns one seed where every seed would choose the same examples: all of them."""
    if n_shot is None:
        return seeds[:1]
    most = max(task.train.labels.count(label) for label in set(task.train.labels))
    if n_shot < most:
        return seeds
    screen.remark(
        f"--shots {n_shot}: no intent of '{task.name}' has more than {most} examples; one run"
    )
    return seeds[:1]


def _encode(
    choices: Sequence[EncoderChoice],
    tasks: Sequence[TaskData],
    settings: FitSettings,
    arguments: argparse.Namespace,
    screen: Screen,
) -> List[EncodedTexts]:
    """Encodes all texts of all tasks, each once per encoder."""
    texts = [text for task in tasks for text in task.texts(settings.use_intent_names)]
    texts += CONTENT_FREE_TEXTS
    cache = EmbeddingStore(arguments.cache or stored_path("embeddings"))
    encoded = []
    for choice in choices:
        with screen.working("Loading the model"):
            encoder = choice.open()
        plan = (choice.plan_name or encoder.plan.name) + choice.adapter_suffix
        name = f"Encoding: {choice.model_name}, {plan}"
        encoded.append(
            EncodedTexts(
                model=choice.model_name,
                plan=plan,
                min_tokens=encoder.plan.min_tokens,
                precision=encoder.model.precision.value,
                backend=encoder.model.backend.value,
                vectors=embed_texts(encoder, texts, cache, screen.progress_name(name)),
                readable=dict(zip(texts, encoder.readable_shares(texts).tolist())),
                costs=costs_of(encoder, texts),
                adapter=None if encoder.model.adapter is None else encoder.model.adapter.name,
            )
        )
    return encoded


def _evaluate_all(
    runs: Sequence[Run], settings: FitSettings, arguments: argparse.Namespace, screen: Screen
) -> List[Dict[str, Any]]:
    """Writes the files of every run as soon as it is done, and returns all rows."""
    rows, machine = [], environment()
    with (arguments.out / ROWS).open("w", encoding="utf-8") as file:
        for each in screen.progress(runs, "Evaluating"):
            row, answers = evaluate(each, settings)
            rows.append({**row, "environment": machine})
            file.write(json.dumps(rows[-1]) + "\n")
            file.flush()
            folder = arguments.out if len(runs) == 1 else arguments.out / _folder(each)
            write_run(row, answers, folder, use_plots=not arguments.no_plots)
    return rows


def _report(screen: Screen, rows: Sequence[Dict[str, Any]], limits: Sequence[Limit]) -> int:
    summaries = summarize(rows)
    if screen.is_json:
        for summary in summaries:
            screen.json({**summary, "violated": violations(limits, [summary])})
    else:
        screen.table(COLUMNS, map(cells, summaries), n_left=N_NAMES)
    violated = violations(limits, summaries)
    for line in violated:
        screen.failure(line)
    return 1 if violated else 0


def _folder(run: Run) -> Path:
    encoder = f"{run.encoded.model}-{run.encoded.plan}"
    return Path(run.task.name) / encoder / str(run.shots) / str(run.seed)


def _tasks(arguments: argparse.Namespace) -> List[Task]:
    """Returns the bots the command line names."""
    short = [arguments.train, arguments.test, arguments.oos]
    if any(short) == bool(arguments.task):
        raise ConfigError(
            "give either --train and --test, for one bot, or --task NAME TRAIN TEST [OOS]"
        )
    if not arguments.task:
        if not all(short[:2]):
            missing = "--test" if arguments.train else "--train"
            raise ConfigError(f"{missing} is missing; give both --train and --test")
        return [Task("bot", *short)]
    for parts in arguments.task:
        if not 3 <= len(parts) <= 4:
            raise ConfigError(
                f"--task takes NAME TRAIN TEST [OOS], got {len(parts)} values: {' '.join(parts)}"
            )
    names = [parts[0] for parts in arguments.task]
    for name in names:
        _check_task_name(name, names)
    return [Task(name, *map(Path, paths)) for name, *paths in arguments.task]


def _check_task_name(name: str, names: Sequence[str]) -> None:
    if not name or name in (".", "..") or set(name) & set('/\\|<>:"?*'):
        raise ConfigError(f"--task: the name '{name}' cannot be a folder's; use letters, digits, _")
    if names.count(name) > 1:
        raise ConfigError(f"--task: there are {names.count(name)} tasks called '{name}'")


def _shots(values: Sequence[str]) -> List[Optional[int]]:
    shots: List[Optional[int]] = []
    for value in dict.fromkeys(values):
        if value != ALL_SHOTS and not (value.isdecimal() and int(value) > 0):
            raise ConfigError(f"--shots must be whole numbers from 1, or all, got '{value}'")
        shots.append(None if value == ALL_SHOTS else int(value))
    return shots


def _seeds(values: Sequence[int]) -> List[int]:
    for seed in values:
        if seed < 0:
            raise ConfigError(f"--seeds must be whole numbers from 0, got {seed}")
    return list(dict.fromkeys(values))
