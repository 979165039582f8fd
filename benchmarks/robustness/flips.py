"""Measures how often pruning changes the answers to each kind of message.

Every changed message is answered twice by prototypes fitted on the bot's training messages: by the
original encoder, un-pruned, and by a plan.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np
from tqdm import tqdm

from benchmarks.bots import add_adapters
from benchmarks.command import add_tasks, files_of, measuring_parser, run_measuring, tasks_of
from benchmarks.robustness.kinds import kinds, negated
from benchmarks.robustness.tokens import pruned_shares
from benchmarks.rows import Row, write_rows
from rasa_tokprune.encoder import Encoder, load_encoder
from rasa_tokprune.encoder.checkpoint.find import DEFAULT_MODEL
from rasa_tokprune.encoder.formats import AUTO
from rasa_tokprune.encoder.plans.resolve import OFF
from rasa_tokprune.fewshot import Messages, embed_names
from rasa_tokprune.fewshot.certificate import answers_of, fit_head
from rasa_tokprune.texts.tasks import Task, read_examples


class Bot:
    """A bot whose answers are compared: prototypes of one encoder."""

    def __init__(self, task: Task, encoder: Encoder) -> None:
        """Fits prototypes on the task's training messages."""
        texts, labels, keys = read_examples(task.train)
        self._encoder = encoder
        names = embed_names(keys, encoder.encode)
        self._fitted = fit_head(Messages.encoded(texts, encoder), labels, keys, names)

    def answers(self, texts: Sequence[str]) -> np.ndarray:
        """Returns the intent of each text."""
        return np.array(answers_of(*self._fitted, Messages.encoded(texts, self._encoder)))


def measure(task: Task, encoders: Dict[str, Encoder], n_messages: int) -> Iterator[Row]:
    """Yields rows for one bot: flips by kind, pruned tokens, and how far apart opposites lie.

    Args:
        task: Training messages and messages to answer.
        encoders: By name of the plan; the first is the reference.
        n_messages: So many messages at most are answered.
    """
    texts, labels, _ = read_examples(task.test)
    chosen = np.sort(np.random.default_rng(0).permutation(len(texts))[:n_messages])
    messages = [(texts[index], labels[index]) for index in chosen]
    changed = {kind: _changed(change, messages) for kind, change in kinds().items()}
    reference: Dict[str, np.ndarray] = {}
    for name, encoder in encoders.items():
        bot = Bot(task, encoder)
        base = {"task": task.name, "plan": name}
        for kind, pairs in changed.items():
            if not pairs:
                continue
            own = bot.answers([text for text, _ in pairs])
            expected = reference.setdefault(kind, own)
            right = np.array([label for _, label in pairs])
            yield {
                **base,
                "kind": kind,
                "n": len(pairs),
                "flips": int((own != expected).sum()),
                "right": int((own == right).sum()),
            }
        plain = [text for text, _ in messages]
        for row in pruned_shares(encoder, plain):
            yield {**base, **row}
        yield {**base, **opposites(bot, encoder, plain)}


def opposites(bot: Bot, encoder: Encoder, texts: Sequence[str]) -> Row:
    """Compares texts with their negations: a meaning is lost where the two fall together.

    Returns:
        `opposites`: pairs; `cosine`: their mean cosine; `same`: pairs with one answer.
    """
    pairs = [(text, other) for text in texts if (other := negated(text)) is not None]
    if not pairs:
        return {"opposites": 0, "cosine": None, "same": 0}
    first, second = (encoder.encode([pair[side] for pair in pairs]) for side in (0, 1))
    same = bot.answers([a for a, _ in pairs]) == bot.answers([b for _, b in pairs])
    cosines = (first * second).sum(axis=1)
    return {"opposites": len(pairs), "cosine": float(cosines.mean()), "same": int(same.sum())}


def _changed(change: Any, messages: Sequence[Tuple[str, str]]) -> List[Tuple[str, str]]:
    pairs = ((change(text), label) for text, label in messages)
    return [(text, label) for text, label in pairs if text is not None]


def run(arguments: argparse.Namespace) -> None:
    """Measures every task with the un-pruned encoder and each plan."""
    tasks = tasks_of(arguments.task)
    adapters = dict(files_of(arguments.adapter))
    encoders = {
        prune: load_encoder(
            arguments.model,
            prune=prune,
            adapter=str(adapters.get(prune, AUTO)),
            precision=arguments.precision,
        )
        for prune in (OFF, *arguments.prune)
    }
    rows: List[Row] = []
    for task in tqdm(tasks, desc="Comparing"):
        for row in measure(task, encoders, arguments.messages):
            own = adapters.get(row["plan"])
            rows.append({**row, "adapter": own.stem if own else AUTO})
    write_rows(rows, arguments.out)


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "flips.jsonl")
    add_tasks(made)
    made.add_argument("--prune", nargs="+", required=True, metavar="PLAN")
    add_adapters(made)
    made.add_argument("--messages", type=int, default=400, help="of each task; default: 400")
    made.add_argument("--precision", default="auto")
    made.add_argument("--model", default=DEFAULT_MODEL, help="folder or hub id")
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
