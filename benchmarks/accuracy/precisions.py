"""Compares number formats, and a mild plan, with fp32 on whole tasks.

Prototypes are fitted anew on the embeddings of each.
"""

from __future__ import annotations

import argparse
import sys
from typing import Iterator, List, Optional, Sequence, Tuple

import numpy as np
from tqdm import tqdm

from benchmarks.command import add_tasks, measuring_parser, run_measuring, tasks_of
from benchmarks.rows import Row, write_rows
from rasa_tokprune.encoder import load_encoder
from rasa_tokprune.fewshot import PrototypeClassifier, embed_names
from rasa_tokprune.texts.tasks import Task, read_examples

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


def measure(task: Task, formats: Sequence[Format] = FORMATS) -> Iterator[Row]:
    """Yields one row per number format, fp32 first.

    Args:
        task: What the prototypes are fitted on, and what is classified.
        formats: What to compare with un-pruned fp32.
    """
    support, labels, _ = read_examples(task.train)
    query, answers, _ = read_examples(task.test)
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
            "task": task.name,
            "backend": backend,
            "precision": precision,
            "plan": plan,
            "n_query": len(query),
            "accuracy": float(np.mean(predicted == np.array(answers))),
            "same_answers": float(np.mean(predicted == exact_answers)),
            "cosine_mean": float(cosine.mean()),
            "cosine_p1": float(np.quantile(cosine, 0.01)),
        }


def run(arguments: argparse.Namespace) -> None:
    """Measures every task."""
    rows: List[Row] = []
    for task in tqdm(tasks_of(arguments.task), desc="Tasks"):
        rows += measure(task)
    write_rows(rows, arguments.out)


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "precisions.jsonl")
    add_tasks(made)
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
