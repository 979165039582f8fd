r"""Compares number formats, and the default plan, with fp32 on whole tasks.

python -m rasa_tokprune.evaluation.precisions --out docs/data/precisions.jsonl \
    --markdown docs/benchmarks.md --task banking77 banking77/train_5shot.yml banking77/test.yml \
    --task hwu64 hwu64/train_5shot.yml hwu64/test.yml

Prototypes are fitted anew on the embeddings of each.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence, Tuple

import numpy as np
from tqdm import tqdm

from rasa_tokprune.encoder import load_encoder
from rasa_tokprune.evaluation.rasa_table import update_table, write_rows
from rasa_tokprune.evaluation.tasks import read_examples
from rasa_tokprune.fewshot import PrototypeClassifier, embed_names

MARKER = "precisions"
# Backend, precision, plan.
Format = Tuple[str, str, str]
REFERENCE: Format = ("torch", "fp32", "off")
FORMATS: Tuple[Format, ...] = (
    ("native", "int8", "off"),
    ("onnx", "int8", "off"),
    ("torch", "bf16", "off"),
    ("native", "int8", "gentle"),
    ("torch", "fp32", "gentle"),
)


def measure(
    task: str, train: Path, test: Path, formats: Sequence[Format] = FORMATS
) -> Iterator[Dict[str, Any]]:
    """Yields one row per number format, fp32 first.

    Args:
        task: Name for the rows.
        train: Rasa YAML the prototypes are fitted on.
        test: Rasa YAML that is classified.
        formats: What to compare with un-pruned fp32.
    """
    support, labels, _ = read_examples(train)
    query, answers, _ = read_examples(test)
    exact, exact_answers = np.zeros(0), np.zeros(0)
    for backend, precision, plan in (REFERENCE, *formats):
        encoder = load_encoder(backend=backend, precision=precision, prune=plan)
        embeddings = encoder.encode(query)
        names = embed_names(labels, encoder.encode)
        classifier = PrototypeClassifier.fit(encoder.encode(support), labels, names=names)
        predicted = np.array(classifier.predict(embeddings))
        if (backend, precision, plan) == REFERENCE:
            exact, exact_answers = embeddings, predicted
        cosine = (exact * embeddings).sum(axis=1)
        yield {
            "task": task,
            "backend": backend,
            "precision": precision,
            "plan": plan,
            "n_query": len(query),
            "accuracy": float(np.mean(predicted == np.array(answers))),
            "same_answers": float(np.mean(predicted == exact_answers)),
            "cosine_mean": float(cosine.mean()),
            "cosine_p1": float(np.quantile(cosine, 0.01)),
        }


def render(rows: Sequence[Dict[str, Any]]) -> str:
    """Returns a Markdown table: accuracy by task, and means over the tasks."""
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    lines = [
        f"| format | {' | '.join(tasks)} | mean | same answers % | cosine |",
        "|---|" + "--:|" * (len(tasks) + 3),
    ]
    for backend, precision, plan in dict.fromkeys(map(_format, rows)):
        own = [row for row in rows if _format(row) == (backend, precision, plan)]
        accuracies = [100 * row["accuracy"] for row in own]
        cells = [f"{accuracy:.1f}" for accuracy in [*accuracies, np.mean(accuracies)]]
        cells.append(f"{100 * np.mean([row['same_answers'] for row in own]):.1f}")
        cells.append(f"{np.mean([row['cosine_mean'] for row in own]):.4f}")
        pruning = "" if plan == "off" else f", `{plan}`"
        lines.append(f"| {backend} {precision}{pruning} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _format(row: Dict[str, Any]) -> Format:
    return row["backend"], row["precision"], row["plan"]


def main() -> None:
    """Parses the command line, measures, writes raw lines and the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--markdown", type=Path, required=True)
    parser.add_argument("--task", nargs=3, action="append", metavar=("NAME", "TRAIN", "TEST"))
    arguments = parser.parse_args()
    rows: List[Dict[str, Any]] = []
    for name, train, test in tqdm(arguments.task, desc="Tasks"):
        rows += measure(name, Path(train), Path(test))
    write_rows(rows, arguments.out)
    update_table(arguments.markdown, render(rows), MARKER)


if __name__ == "__main__":
    main()
