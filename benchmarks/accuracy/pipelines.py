"""Measures the accuracy and trust of whole Rasa pipelines, with every answer they give.

Each run is `rasa train nlu` in an empty folder and one message after another through the model.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any, Dict, List, Mapping, Optional, Sequence

from tqdm import tqdm

from benchmarks.command import add_tasks, measuring_parser, run_measuring, tasks_of
from benchmarks.rasa.trial import run_trial
from benchmarks.rows import append_row, measured
from rasa_tokprune.commands.evaluate.predictions import rounded
from rasa_tokprune.machine.environment import environment
from rasa_tokprune.texts.tasks import Task

_TOKENIZER = {"name": "WhitespaceTokenizer"}
_FEATURES = {"name": "rasa_tokprune.TokPruneFeaturizer", "prune": "off"}
# What `rasa init` puts behind its pipeline.
_FALLBACK = {"name": "FallbackClassifier", "threshold": 0.3, "ambiguity_threshold": 0.1}
_OUR_FALLBACK = {"name": "FallbackClassifier", "threshold": 0.5, "ambiguity_threshold": 0.0}

PIPELINES: Dict[str, List[Dict[str, Any]]] = {
    "diet": [
        _TOKENIZER,
        {"name": "RegexFeaturizer"},
        {"name": "LexicalSyntacticFeaturizer"},
        {"name": "CountVectorsFeaturizer"},
        {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4},
        {"name": "DIETClassifier", "epochs": 100, "constrain_similarities": True},
        _FALLBACK,
    ],
    "logistic_regression": [
        _TOKENIZER,
        _FEATURES,
        {"name": "LogisticRegressionClassifier"},
        _FALLBACK,
    ],
    "sklearn": [_TOKENIZER, _FEATURES, {"name": "SklearnIntentClassifier"}, _FALLBACK],
    "tokprune": [{"name": "rasa_tokprune.TokPruneIntentClassifier", "prune": "off"}, _OUR_FALLBACK],
    "tokprune_default": [{"name": "rasa_tokprune.TokPruneIntentClassifier"}, _OUR_FALLBACK],
}


def measure(task: Task, pipeline: Sequence[Mapping[str, Any]]) -> Dict[str, Any]:
    """Trains and tests one pipeline and returns what it measured."""
    config = {"recipe": "default.v1", "assistant_id": task.name, "language": "en"}
    trial = run_trial(task, {**config, "pipeline": list(pipeline)})
    return {
        "train_s": trial.train_s,
        **{key: trial.parsed[key] for key in ("parse_p50_ms", "parse_p95_ms")},
        **trial.predictions.measures(),
        "curve": [rounded(entry) for entry in trial.predictions.curve()[::5]],
    }


def run(arguments: argparse.Namespace) -> None:
    """Measures what the file of rows does not hold yet."""
    tasks = tasks_of(arguments.task)
    done = measured(arguments.out, "task", "pipeline")
    todo = [(t, p) for p in arguments.pipelines for t in tasks if (t.name, p) not in done]
    for task, name in tqdm(todo, desc="Rasa pipelines"):
        row = {"task": task.name, "pipeline": name, **measure(task, PIPELINES[name])}
        append_row({**row, "environment": environment()}, arguments.out)


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "pipelines.jsonl", is_resumed=True)
    add_tasks(made, has_oos=True)
    made.add_argument("--pipelines", nargs="+", choices=PIPELINES, default=list(PIPELINES))
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
