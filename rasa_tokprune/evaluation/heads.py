r"""Compares mean prototypes with refined ones on few-shot samples of labelled files.

python -m rasa_tokprune.evaluation.heads --out docs/data/heads.jsonl --markdown docs/design.md \
    banking77=banking77/adapt.yml clinc150=clinc150/adapt.yml hwu64=hwu64/adapt.yml

Each file is sampled three times: 5 examples per intent are the support set, the rest the query.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence

import numpy as np

from rasa_tokprune.encoder import load_encoder
from rasa_tokprune.evaluation.rasa_table import update_table, write_rows
from rasa_tokprune.fewshot import PrototypeClassifier

N_SHOT = 5
SEEDS = (0, 1, 2)
MARKER = "heads"


def measure(task: str, path: Path) -> Iterator[Dict[str, Any]]:
    """Yields accuracy of both kinds of prototype for each sample of a labelled file."""
    from rasa.shared.nlu.training_data.loading import load_data

    examples = load_data(str(path)).intent_examples
    labels = np.array([example.get("intent") for example in examples])
    embeddings = load_encoder().encode([example.get("text") for example in examples])
    for seed in SEEDS:
        is_support = _sample(labels, seed)
        classifier = PrototypeClassifier.fit(embeddings[is_support], labels[is_support].tolist())
        query, answers = embeddings[~is_support], labels[~is_support]
        nearest = np.array(classifier.classes)[classifier.similarity(query).argmax(axis=1)]
        yield {
            "task": task,
            "seed": seed,
            "n_shot": N_SHOT,
            "n_way": len(classifier.classes),
            "n_query": len(answers),
            "means": float(np.mean(nearest == answers)),
            "refined": float(np.mean(np.array(classifier.predict(query)) == answers)),
            "temperature": classifier.temperature,
        }


def _sample(labels: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    is_support = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        is_support[rng.permutation(np.flatnonzero(labels == label))[:N_SHOT]] = True
    return is_support


def render(rows: Sequence[Dict[str, Any]]) -> str:
    """Returns a Markdown table of mean accuracies."""
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    lines = [f"| accuracy % | {' | '.join(tasks)} |", "|---|" + "--:|" * len(tasks)]
    for head, text in (("means", "means, cosine"), ("refined", "refined")):
        cells = [
            f"{100 * np.mean([row[head] for row in rows if row['task'] == task]):.1f}"
            for task in tasks
        ]
        lines.append(f"| {text} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Parses the command line, measures, writes raw lines and the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--markdown", type=Path, required=True)
    parser.add_argument("tasks", nargs="+", metavar="NAME=FILE")
    arguments = parser.parse_args()
    rows: List[Dict[str, Any]] = []
    for task in arguments.tasks:
        name, path = task.split("=", 1)
        rows += measure(name, Path(path))
    write_rows(rows, arguments.out)
    update_table(arguments.markdown, render(rows), MARKER)


if __name__ == "__main__":
    main()
