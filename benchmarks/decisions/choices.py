"""Chooses the settings of the few-shot decision on drawn bots; no test file is read.

One setting after the other, each measured with those before it as chosen and those after it at
their first option. Options stand from the simplest to the most elaborate; the first is taken that
lies within one standard error of the best (of the paired difference over the bots). Compare
Breiman et al., CART (1984), section 3.4.3.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import sys
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import ExitStack
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple
from unittest.mock import patch

import numpy as np
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from benchmarks.command import add_files, files_of, measuring_parser, run_measuring
from benchmarks.decisions.choice_options import (
    BOTH,
    CONFIDENCE_CHOICES,
    FEWSHOT,
    LEXICAL_CHOICES,
    SCORE_CHOICES,
    Choice,
)
from benchmarks.decisions.drawn_bots import SEEDS, DrawnBot, draw_bots
from benchmarks.decisions.tables import PRIOR
from benchmarks.rows import write_rows
from rasa_tokprune.commands.evaluate.predictions import Predictions
from rasa_tokprune.fewshot import SupportSet, fit_classifier
from rasa_tokprune.fewshot.calibration.confidence import (
    DEFAULT_TARGET_REJECTION,
    OPERATING_CONFIDENCE,
)

# Answers as near to the operating point as this in log-odds tell what it stands for.
NEAR_POINT = 0.5


def measure(settings: Mapping[str, Any], bot: DrawnBot) -> Dict[str, float]:
    """Returns what a classifier with some constants set otherwise does on a bot."""
    with _set(settings):
        return _measure(bot)


def fit_prior(
    settings: Mapping[str, Any], bots: Sequence[DrawnBot], pool: Executor
) -> Tuple[float, float]:
    """Returns slope and intercept of the log-odds that a held-out answer is right."""
    parts = list(pool.map(functools.partial(_held_out, settings), bots))
    scores, is_right = (np.concatenate(own) for own in zip(*parts))

    def loss(line: np.ndarray) -> float:
        log_odds = line[0] * scores + line[1]
        return float(np.mean(np.logaddexp(0, log_odds) - is_right * log_odds))

    slope, intercept = minimize(loss, np.zeros(2), method="BFGS").x
    return round(float(slope), 2), round(float(intercept), 2)


def choose(
    bots: Sequence[DrawnBot], choices: Sequence[Choice], workers: int
) -> List[Dict[str, Any]]:
    """Returns a row for each choice, option and bot, and one for the prior."""
    settings: Dict[str, Any] = {}
    for choice in choices:
        settings.update(next(iter(choice.options.values())))
    rows: List[Dict[str, Any]] = []
    total = sum(len(choice.options) for choice in choices) * len(bots)
    with ProcessPoolExecutor(workers) as pool, tqdm(total=total) as progress:
        for choice in choices:
            if choice is CONFIDENCE_CHOICES[0]:
                prior = fit_prior(settings, bots, pool)
                settings[f"{FEWSHOT}.calibration.confidence:_PRIOR"] = np.array(prior)
                rows.append({"choice": PRIOR, "slope": prior[0], "intercept": prior[1]})
            measured: Dict[str, List[Dict[str, float]]] = {}
            for option, own in choice.options.items():
                progress.set_description(f"{choice.name}: {option}")
                measured[option] = []
                for entry in pool.map(functools.partial(measure, {**settings, **own}), bots):
                    measured[option].append(entry)
                    progress.update()
            taken = take(choice, measured, [bot.sampling for bot in bots])
            settings.update(choice.options[taken])
            rows += _rows(choice, taken, measured, bots)
    return rows


def take(
    choice: Choice, measured: Mapping[str, Sequence[Mapping[str, float]]], kinds: Sequence[str]
) -> str:
    """Returns the first option that lies within one standard error of the best.

    If the worst kind of bot decides, the mean over all bots decides among those it leaves.

    Args:
        choice: What is chosen.
        measured: One entry for each bot, by option.
        kinds: Kind of each bot.
    """
    sign = -1.0 if choice.is_lower_better else 1.0
    values = {
        option: sign * np.array([entry[choice.measure] for entry in entries])
        for option, entries in measured.items()
        if option not in choice.for_comparison
    }
    everyone = np.ones(len(kinds), dtype=bool)
    if choice.by_worst:
        worst = {option: _worst_kind(own, kinds) for option, own in values.items()}
        values = {option: values[option] for option in _near_best(values, worst)}
    return _near_best(values, dict.fromkeys(values, everyone))[0]


def _near_best(values: Mapping[str, np.ndarray], judges: Mapping[str, np.ndarray]) -> List[str]:
    """Returns the options within one standard error of the best, each judged by some bots."""
    best = max(values, key=lambda option: values[option][judges[option]].mean())
    near = []
    for option, own in values.items():
        behind = (values[best] - own)[judges[option]]
        if behind.mean() <= behind.std(ddof=1) / np.sqrt(len(behind)):
            near.append(option)
    return near


def _worst_kind(values: np.ndarray, kinds: Sequence[str]) -> np.ndarray:
    """Returns which bots are of the kind that does worst, (n_bots,) bool; higher is better."""
    members = [np.array(kinds) == kind for kind in dict.fromkeys(kinds)]
    return min(members, key=lambda own: float(values[own].mean()))


def chosen_settings(rows: Sequence[Mapping[str, Any]], choices: Sequence[Choice]) -> Dict[str, Any]:
    """Returns what raw rows say was chosen, "module:name" -> value."""
    settings: Dict[str, Any] = {}
    for choice in choices:
        (taken,) = {r["option"] for r in rows if r["choice"] == choice.name and r["is_chosen"]}
        settings.update(choice.options[taken])
    return settings


def _set(settings: Mapping[str, Any]) -> ExitStack:
    stack = ExitStack()
    stack.enter_context(threadpool_limits(1))
    for place, value in settings.items():
        module, name = place.split(":")
        stack.enter_context(patch.object(importlib.import_module(module), name, value))
    return stack


def _held_out(settings: Mapping[str, Any], bot: DrawnBot) -> Tuple[np.ndarray, np.ndarray]:
    with _set(settings):
        sample = fit_classifier(support_of(bot)).calibration.sample
    return sample.in_scope, sample.is_right


def support_of(bot: DrawnBot) -> SupportSet:
    """Returns the support set of a bot."""
    known = set(bot.labels)
    names = {name: vector for name, vector in bot.names.items() if name in known}
    return SupportSet.of(bot.support.embeddings, bot.labels, None, names, bot.support.texts)


def _measure(bot: DrawnBot) -> Dict[str, float]:
    classifier = fit_classifier(support_of(bot)).classifier
    own, other = (
        [classifier.decide(part.embeddings[row], part.text(row)) for row in range(len(part))]
        for part in (bot.query, bot.strangers)
    )
    top, oos_top = ([float(each.confidences.max()) for each in part] for part in (own, other))
    predictions = Predictions(
        answers=bot.answers,
        predicted=[classifier.classes[each.order[0]] for each in own],
        confidences=top,
        is_rejected=[confidence < OPERATING_CONFIDENCE for confidence in top],
        oos_confidences=oos_top,
        oos_is_rejected=[confidence < OPERATING_CONFIDENCE for confidence in oos_top],
    )
    measures = predictions.measures()
    odds = np.array([classifier.confidence_map.confidence(each.margin) for each in own])
    is_near = np.abs(np.log(odds / (1 - odds))) < NEAR_POINT
    return {
        **measures,
        BOTH: float(np.mean([measures["accuracy"], measures["oos_auroc"]])),
        "rejection_error": abs(measures["right_rejection"] - DEFAULT_TARGET_REJECTION),
        "n_near_point": int(is_near.sum()),
        "n_right_near_point": int(predictions.is_right[is_near].sum()),
    }


def _rows(
    choice: Choice,
    taken: str,
    measured: Mapping[str, Sequence[Mapping[str, float]]],
    bots: Sequence[DrawnBot],
) -> List[Dict[str, Any]]:
    return [
        {
            "choice": choice.name,
            "option": option,
            "decides": choice.measure,
            "is_chosen": option == taken,
            "task": bot.task,
            "sampling": bot.sampling,
            "seed": bot.seed,
            **entry,
        }
        for option, entries in measured.items()
        for bot, entry in zip(bots, entries)
    ]


def run(arguments: argparse.Namespace) -> None:
    """Measures every option and chooses."""
    bots: List[DrawnBot] = []
    for name, path in files_of(arguments.files):
        bots += draw_bots(name, path, SEEDS[: arguments.seeds])
    if not arguments.lexical:  # as it was when these were chosen
        bots = [bot.without_texts() for bot in bots]
    choices = LEXICAL_CHOICES if arguments.lexical else (*SCORE_CHOICES, *CONFIDENCE_CHOICES)
    write_rows(choose(bots, choices, arguments.workers), arguments.out)


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "choices.jsonl")
    add_files(made)
    made.add_argument(
        "--lexical", action="store_true", help="choose the settings of the lexical view instead"
    )
    made.add_argument("--seeds", type=int, default=2, help="draws of each bot; default: 2")
    made.add_argument("--workers", type=int, default=2, help="processes; default: 2")
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
