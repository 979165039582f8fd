r"""Trains whole Rasa pipelines on tasks and records every answer; writes raw JSON lines.

python -m rasa_tokprune.evaluation.pipelines --out docs/data/pipelines.jsonl \
    --task banking77_5shot banking77/train_5shot.yml banking77/test.yml \
    --task sofmattress sofmattress/train.yml sofmattress/test.yml sofmattress/test_oos.txt

Each run is `rasa train nlu` in an empty folder and one message after another through the model.
Runs that the output file already holds are skipped, so a stopped measurement resumes.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List, Sequence

from tqdm import tqdm

from rasa_tokprune.evaluation.bench.machine import environment
from rasa_tokprune.evaluation.predictions import Predictions, rounded
from rasa_tokprune.evaluation.rasa_runs import call
from rasa_tokprune.evaluation.tasks import Task

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


def run(task: Task, pipeline: Sequence[Dict[str, Any]]) -> Dict[str, Any]:
    """Trains and tests one pipeline and returns what it measured."""
    import rasa.shared.utils.io

    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        config = {"recipe": "default.v1", "assistant_id": task.name, "language": "en"}
        rasa.shared.utils.io.write_yaml({**config, "pipeline": list(pipeline)}, work / "config.yml")
        train = ["train", "nlu", "--config", "config.yml", "--fixed-model-name", "model"]
        start = time.perf_counter()
        call([*train, "--nlu", str(task.train.resolve()), "--out", "models"], work)
        train_s = time.perf_counter() - start
        arguments = [str(work / "models" / "model.tar.gz"), str(task.test.resolve())]
        arguments += ["--predictions", str(work / "predictions.json")]
        if task.oos is not None:
            arguments += ["--oos", str(task.oos.resolve())]
        output = call(arguments, work, module="rasa_tokprune.evaluation.parse_messages")
        predictions = Predictions(**json.loads((work / "predictions.json").read_text()))
    parsed = json.loads(output.splitlines()[-1])
    times = {key: parsed[key] for key in ("parse_p50_ms", "parse_p95_ms")}
    return {
        "train_s": train_s,
        **times,
        **predictions.measures(),
        "curve": [rounded(entry) for entry in predictions.curve()[::5]],
    }


def main() -> None:
    """Parses the command line and measures what the output file does not hold yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--task", nargs="+", action="append", required=True, metavar="NAME TRAIN TEST [OOS]"
    )
    parser.add_argument("--pipelines", nargs="+", choices=PIPELINES, default=list(PIPELINES))
    arguments = parser.parse_args()
    tasks = [Task(name, *map(Path, paths)) for name, *paths in arguments.task]
    out: Path = arguments.out
    lines = out.read_text(encoding="utf-8").splitlines() if out.is_file() else []
    done = {(row["task"], row["pipeline"]) for row in map(json.loads, lines)}
    todo = [(t, p) for p in arguments.pipelines for t in tasks if (t.name, p) not in done]
    out.parent.mkdir(parents=True, exist_ok=True)
    for task, name in tqdm(todo, desc="Rasa pipelines"):
        measured = run(task, PIPELINES[name])
        row = {"task": task.name, "pipeline": name, **measured, "environment": environment()}
        with out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, allow_nan=False) + "\n")


if __name__ == "__main__":
    main()
