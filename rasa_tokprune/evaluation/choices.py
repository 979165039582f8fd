r"""Chooses the settings of the few-shot decision on samples of labelled files, no test file read.

python -m rasa_tokprune.evaluation.choices --out docs/data/choices.jsonl \
    --markdown docs/accuracy.md banking77=banking77/adapt.yml clinc150=clinc150/adapt.yml \
    hwu64=hwu64/adapt.yml

One setting after the other, each measured with those before it as chosen. Options stand from the
simplest to the most elaborate; the first is taken that lies within one standard error of the best
(the paired difference over the samples). Compare Breiman et al., CART (1984), section 3.4.3.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import importlib
import itertools
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, Sequence, Tuple
from unittest.mock import patch

import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from rasa_tokprune.encoder import load_encoder
from rasa_tokprune.evaluation.predictions import Predictions
from rasa_tokprune.evaluation.rasa_table import update_table, write_rows
from rasa_tokprune.evaluation.tasks import read_examples
from rasa_tokprune.fewshot import PrototypeClassifier, embed_names
from rasa_tokprune.fewshot.answer import Answer, best_answer
from rasa_tokprune.fewshot.confidence import DEFAULT_TARGET_REJECTION, OPERATING_CONFIDENCE

SEEDS = (0, 1)
SHARE_LEFT_OUT = 0.15
MAX_QUERY = 800
MARKER = "choices"
# Answers as near to the operating point as this in log-odds tell what it stands for.
NEAR_POINT = 0.5

FEWSHOT = "rasa_tokprune.fewshot"
Options = Mapping[str, Mapping[str, Any]]


@dataclasses.dataclass(frozen=True)
class Choice:
    """A setting to choose.

    Attributes:
        name: In the table.
        measure: What decides.
        is_lower_better: Whether less of it is better.
        options: What each option sets, "module:name" -> value, by its name in the table.
    """

    name: str
    measure: str
    is_lower_better: bool
    options: Options


@dataclasses.dataclass(frozen=True)
class Sample:
    """A bot drawn from a labelled file.

    Attributes:
        task: Name of the file.
        sampling: How the support set was drawn.
        seed: Which draw.
        support: Embeddings of the support set, (n_examples, d).
        labels: Class of each, (n_examples,).
        names: Embedding of each class's readable name.
        query: Embeddings of in-scope messages, (n_query, d).
        answers: Class of each, (n_query,).
        strangers: Embeddings of messages of intents left out, (n_out, d).
    """

    task: str
    sampling: str
    seed: int
    support: np.ndarray
    labels: List[str]
    names: Dict[str, np.ndarray]
    query: np.ndarray
    answers: List[str]
    strangers: np.ndarray


def _five(members: np.ndarray, embeddings: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(members)[:5]


def _ten(members: np.ndarray, embeddings: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(members)[:10]


def _uneven(members: np.ndarray, embeddings: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(members)[: int(np.clip(np.exp(rng.normal(1.6, 0.9)), 1, 14))]


def _narrow(members: np.ndarray, embeddings: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What one author thinks of: an example and those nearest to it; users write otherwise."""
    first = rng.choice(members)
    return members[np.argsort(-(embeddings[members] @ embeddings[first]), kind="stable")[:5]]


SAMPLINGS: Dict[str, Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]] = {
    "5 shots": _five,
    "10 shots": _ten,
    "uneven": _uneven,
    "narrow": _narrow,
    # Intents of one to three of the file's each, so that some have 20 examples and more.
    "merged": _ten,
}


@dataclasses.dataclass(frozen=True)
class WithMargin:
    """`best_answer` with part of the lead over the second class in the in-scope score."""

    weight: float

    def __call__(
        self, class_scores: np.ndarray, in_scope: np.ndarray, oos_classes: Sequence[int]
    ) -> Answer:
        """Returns the best class of a query."""
        answer = best_answer(class_scores, in_scope, oos_classes)
        if len(class_scores) < 2:
            return answer
        second, first = np.partition(class_scores, -2)[-2:]
        return answer._replace(in_scope=answer.in_scope + self.weight * float(first - second))


def _numbers(place: str, values: Sequence[float]) -> Options:
    return {f"{value:g}": {f"{FEWSHOT}.{place}": value} for value in values}


def _ways(*similarities: Any) -> Dict[str, Any]:
    return {f"{FEWSHOT}.fitting:PARAPHRASE_SIMILARITIES": similarities}


def _margin(weight: float) -> Dict[str, Any]:
    answer = WithMargin(weight)
    places = ("fitting", "classifier", "held_out")
    return {f"{FEWSHOT}.{place}:best_answer": answer for place in places}


CHOICES = (
    Choice(
        "inverse penalty C", "accuracy", False, _numbers("prototypes:REFINEMENT_C", (5, 10, 20, 40))
    ),
    Choice(
        "nearest example in the class score",
        "accuracy",
        False,
        _numbers("head:_NEAREST_WEIGHT", (0, 1, 2, 3, 4)),
    ),
    Choice(
        "cosines in the in-scope score",
        "oos_auroc",
        False,
        _numbers("head:_COSINE_WEIGHT", (0, 2, 5, 8, 12)),
    ),
    Choice(
        "lead over the second class in the in-scope score",
        "oos_auroc",
        False,
        {f"{weight:g}": _margin(weight) for weight in (0, 0.5, 1, 2)},
    ),
    Choice(
        "limit on near ties, sharpness",
        "ece",
        True,
        {
            "none": {f"{FEWSHOT}.classifier:_TIE_SHARPNESS": 1e6},
            **_numbers("classifier:_TIE_SHARPNESS", (20, 10, 5)),
        },
    ),
    Choice(
        "ways to hold out for calibration",
        "ece",
        True,
        {
            "one by one": _ways(None),
            "and with paraphrases (0.85)": _ways(None, 0.85),
            "and with paraphrases (0.7)": _ways(None, 0.7),
            "all three": _ways(None, 0.85, 0.7),
        },
    ),
    Choice(
        "weight of the prior",
        "ece",
        True,
        _numbers("confidence:_PRIOR_STRENGTH", (30, 10, 3, 1)),
    ),
    Choice(
        "messages from which a class has its own operating point",
        "rejection_error",
        True,
        {
            "never": {f"{FEWSHOT}.confidence:_MIN_OWN": 10**9},
            **_numbers("confidence:_MIN_OWN", (40, 20, 10)),
        },
    ),
)


def draw_samples(task: str, path: Path) -> Iterator[Sample]:
    """Yields bots drawn from a labelled file: each sampling with each seed."""
    texts, names, _ = read_examples(path)
    encoder = load_encoder(precision="auto")
    embeddings = encoder.encode(texts)
    readable = embed_names(names, encoder.encode)
    for sampling, seed in itertools.product(SAMPLINGS, SEEDS):
        yield _draw(task, sampling, seed, embeddings, np.array(names), readable)


def _draw(
    task: str,
    sampling: str,
    seed: int,
    embeddings: np.ndarray,
    labels: np.ndarray,
    readable: Dict[str, np.ndarray],
) -> Sample:
    rng = np.random.default_rng(seed)
    intents = rng.permutation(np.unique(labels))
    left_out = intents[: round(SHARE_LEFT_OUT * len(intents))]
    known = intents[len(left_out) :]
    chosen = [
        SAMPLINGS[sampling](np.flatnonzero(labels == intent), embeddings, rng) for intent in known
    ]
    support = np.sort(np.concatenate(chosen))
    if sampling == "merged":
        labels = _merge(labels, known, rng)
    query = np.setdiff1d(np.flatnonzero(np.isin(labels, known)), support)
    strangers = np.flatnonzero(np.isin(labels, left_out))
    query, strangers = (rng.permutation(rows)[:MAX_QUERY] for rows in (query, strangers))
    return Sample(
        task=task,
        sampling=sampling,
        seed=seed,
        support=embeddings[support],
        labels=labels[support].tolist(),
        names=readable,
        query=embeddings[query],
        answers=labels[query].tolist(),
        strangers=embeddings[strangers],
    )


def _merge(labels: np.ndarray, intents: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    merged = labels.copy()
    start = 0
    while start < len(intents):
        group = intents[start : start + rng.integers(1, 4)]
        merged[np.isin(labels, group)] = group[0]
        start += len(group)
    return merged


def measure(settings: Mapping[str, Any], sample: Sample) -> Dict[str, float]:
    """Returns what a classifier with some constants set otherwise does on a sample."""
    with ExitStack() as stack:
        stack.enter_context(threadpool_limits(1))
        for place, value in settings.items():
            module, name = place.split(":")
            stack.enter_context(patch.object(importlib.import_module(module), name, value))
        return _measure(sample)


def _measure(sample: Sample) -> Dict[str, float]:
    classifier = PrototypeClassifier.fit(sample.support, sample.labels, names=sample.names)
    own = [classifier.decide(each) for each in sample.query]
    other = [classifier.decide(each) for each in sample.strangers]
    top, oos_top = ([float(each.confidences.max()) for each in part] for part in (own, other))
    predictions = Predictions(
        answers=sample.answers,
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
        "rejection_error": abs(measures["right_rejection"] - DEFAULT_TARGET_REJECTION),
        "n_near_point": int(is_near.sum()),
        "n_right_near_point": int(predictions.is_right[is_near].sum()),
    }


def choose(samples: Sequence[Sample], workers: int) -> List[Dict[str, Any]]:
    """Returns a row for each choice, option and sample; `is_chosen` says what to take."""
    rows: List[Dict[str, Any]] = []
    settings: Dict[str, Any] = {}
    n_options = sum(len(choice.options) for choice in CHOICES)
    with ProcessPoolExecutor(workers) as pool, tqdm(total=n_options * len(samples)) as progress:
        for choice in CHOICES:
            measured = {}
            for option, own in choice.options.items():
                progress.set_description(f"{choice.name}: {option}")
                run = functools.partial(measure, {**settings, **own})
                measured[option] = []
                for entry in pool.map(run, samples):
                    measured[option].append(entry)
                    progress.update()
            taken = take(choice, measured)
            settings.update(choice.options[taken])
            rows += [
                {
                    "choice": choice.name,
                    "option": option,
                    "decides": choice.measure,
                    "is_chosen": option == taken,
                    "task": sample.task,
                    "sampling": sample.sampling,
                    "seed": sample.seed,
                    **entry,
                }
                for option, entries in measured.items()
                for sample, entry in zip(samples, entries)
            ]
    return rows


def take(choice: Choice, measured: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """Returns the first option that lies within one standard error of the best."""
    sign = -1.0 if choice.is_lower_better else 1.0
    values = {
        option: sign * np.array([entry[choice.measure] for entry in entries])
        for option, entries in measured.items()
    }
    best = max(values.values(), key=np.mean)
    for option, own in values.items():
        behind = best - own
        if behind.mean() <= behind.std(ddof=1) / np.sqrt(len(behind)):
            return option
    raise AssertionError("the best option lies within any error of itself")


COLUMNS: Dict[str, Tuple[str, float, int]] = {
    "accuracy": ("accuracy %", 100, 1),
    "oos_auroc": ("OOS AUROC", 1, 3),
    "ece": ("ECE", 1, 3),
    "right_rejection": ("right answers rejected %", 100, 1),
    "rejection_error": ("away from 5 %", 100, 1),
    "oos_recall": ("OOS recall %", 100, 1),
}


def render(rows: Sequence[Dict[str, Any]]) -> str:
    """Returns a Markdown table of means over the samples; what decided and was taken is bold."""
    heads = " | ".join(text for text, _, _ in COLUMNS.values())
    lines = [f"| setting | option | {heads} |", "|---|---|" + "--:|" * len(COLUMNS)]
    for (name, option), group in itertools.groupby(
        rows, key=lambda row: (row["choice"], row["option"])
    ):
        own = list(group)
        cells = []
        for measure_name, (_, scale, digits) in COLUMNS.items():
            cell = f"{scale * np.mean([row[measure_name] for row in own]):.{digits}f}"
            cells.append(f"**{cell}**" if measure_name == own[0]["decides"] else cell)
        shown = f"**{option}**" if own[0]["is_chosen"] else option
        lines.append(f"| {name} | {shown} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Parses the command line, measures, writes raw lines and the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--markdown", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("tasks", nargs="+", metavar="NAME=FILE")
    arguments = parser.parse_args()
    samples: List[Sample] = []
    for task in arguments.tasks:
        name, path = task.split("=", 1)
        samples += draw_samples(name, Path(path))
    rows = choose(samples, arguments.workers)
    write_rows(rows, arguments.out)
    update_table(arguments.markdown, render(rows), MARKER)


if __name__ == "__main__":
    main()
