"""Measures how many messages without content small bots answer, under each plan.

Each bot has small talk and up to eight ordinary intents. Messages of its own intents are asked too:
a classifier that rejects everything would answer no nonsense.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence

from tqdm import tqdm

from benchmarks.bots import add_adapters, add_drawn, fit, open_encoder
from benchmarks.command import files_of, measuring_parser, run_measuring
from benchmarks.robustness.small_bots import SmallBot, small_bots
from benchmarks.robustness.small_talk import CONTENT_FREE
from benchmarks.rows import Row, write_rows
from rasa_tokprune.encoder import Encoder
from rasa_tokprune.encoder.formats import AUTO
from rasa_tokprune.fewshot import Messages
from rasa_tokprune.fewshot.calibration.confidence import OPERATING_CONFIDENCE
from rasa_tokprune.machine.environment import environment


def measure(bot: SmallBot, encoder: Encoder, lexical_weight: Optional[float] = None) -> Row:
    """Returns what one bot does with messages of each kind.

    Returns:
        `content_free`: kind -> number of messages and of those answered; `answers`: message ->
        intent of those; `in_scope`: kind -> number of messages, of those that got a confidence
        below 0.5, and of those whose best intent is right.
    """
    classifier = fit(bot.texts, bot.labels, encoder, lexical_weight)

    def answers(texts: Sequence[str]) -> Iterator[Any]:
        messages = Messages.encoded(texts, encoder)
        for text, row in zip(texts, classifier.predict_proba(messages)):
            best = int(row.argmax())
            yield text, classifier.classes[best], bool(row[best] >= OPERATING_CONFIDENCE)

    content_free, answered = {}, {}
    for kind, texts in CONTENT_FREE.items():
        own = {text: intent for text, intent, is_sure in answers(texts) if is_sure}
        content_free[kind] = {"n": len(texts), "answered": len(own)}
        answered.update(own)
    in_scope: Dict[str, Mapping[str, int]] = {}
    for kind, pairs in bot.held_out.items():
        found = list(answers([text for text, _ in pairs])) if pairs else []
        in_scope[kind] = {
            "n": len(pairs),
            "lost": sum(not is_sure for _, _, is_sure in found),
            "right": sum(intent == pair[1] for (_, intent, _), pair in zip(found, pairs)),
        }
    return {"content_free": content_free, "answers": answered, "in_scope": in_scope}


def run(arguments: argparse.Namespace) -> None:
    """Measures every bot under each plan."""
    adapters = dict(files_of(arguments.adapter))
    bots = list(small_bots(sorted(arguments.intents.glob("*.yml"))))
    machine = environment()
    weights = [None, *(arguments.lexical_weight or [])]
    rows: List[Row] = []
    for plan in tqdm(arguments.prune, desc="Plans"):
        encoder = open_encoder(plan, str(adapters.get(plan, AUTO)), arguments.model)
        for bot in bots:
            for weight in weights:
                rows.append(
                    {
                        "plan": plan,
                        "min_tokens": encoder.plan.min_tokens,
                        "adapter": adapters[plan].stem if plan in adapters else AUTO,
                        "lexical_weight": weight,
                        "bot": bot.name,
                        "shots": bot.shots,
                        "n_way": len(set(bot.labels)),
                        **measure(bot, encoder, weight),
                        "environment": machine,
                    }
                )
    write_rows(rows, arguments.out)


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "content_free.jsonl")
    add_drawn(made)
    add_adapters(made)
    made.add_argument(
        "--lexical-weight",
        nargs="+",
        type=float,
        metavar="WEIGHT",
        help="of the lexical view, beside the default; 0 goes without it",
    )
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
