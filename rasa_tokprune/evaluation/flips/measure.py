r"""How often pruning changes the answers to each kind of message.

python -m rasa_tokprune.evaluation.flips.measure --out docs/data/flips.jsonl \
    --task NAME TRAIN TEST --prune gentle paper light balanced fast

Every changed message is answered twice by prototypes fitted on the bot's training messages: by the
original encoder, un-pruned, and by a plan. Writes raw rows; `report` makes tables and a plot.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence, Tuple

import numpy as np
from tqdm import tqdm

from rasa_tokprune.encoder import Encoder, load_encoder
from rasa_tokprune.encoder.plans import OFF
from rasa_tokprune.evaluation.flips.kinds import kinds, negated
from rasa_tokprune.evaluation.flips.tokens import pruned_shares
from rasa_tokprune.evaluation.output_folder import make_folder
from rasa_tokprune.evaluation.tasks import Task, read_examples
from rasa_tokprune.fewshot import embed_names
from rasa_tokprune.fewshot.certificate import answers_of, fit_head

Row = Dict[str, Any]


class Bot:
    """A bot whose answers are compared: prototypes of one encoder."""

    def __init__(self, task: Task, encoder: Encoder) -> None:
        """Fits prototypes on the task's training messages."""
        texts, labels, keys = read_examples(task.train)
        self._encoder = encoder
        names = embed_names(keys, encoder.encode)
        self._head, self._classes = fit_head(encoder.encode(texts), labels, keys, names)

    def answers(self, texts: Sequence[str]) -> np.ndarray:
        """Returns the intent of each text."""
        return np.array(answers_of(self._head, self._classes, self._encoder.encode(texts)))


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


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--task", nargs=3, action="append", required=True, metavar=("NAME", "TRAIN", "TEST")
    )
    parser.add_argument("--prune", nargs="+", required=True, metavar="PLAN")
    parser.add_argument("--messages", type=int, default=400, help="of each task; default: 400")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--model", default="", help="folder or hub id; default: the components'")
    arguments = parser.parse_args()
    make_folder("--out", arguments.out.parent)
    encoders = {
        prune: load_encoder(arguments.model, prune=prune, precision=arguments.precision)
        for prune in (OFF, *arguments.prune)
    }
    tasks = [Task(name, Path(train), Path(test)) for name, train, test in arguments.task]
    with arguments.out.open("w", encoding="utf-8") as file:
        for task in tqdm(tasks, desc="Comparing"):
            for row in measure(task, encoders, arguments.messages):
                file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
