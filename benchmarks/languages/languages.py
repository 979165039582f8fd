"""Measures bots in other languages with the English default encoder, with and without n-grams."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import List, Optional, Sequence

from tqdm import tqdm

from benchmarks.bots import DEFAULT, fit, open_encoder
from benchmarks.command import measuring_parser, run_measuring
from benchmarks.rows import Row, write_rows
from rasa_tokprune.encoder import Encoder
from rasa_tokprune.encoder.checkpoint.find import DEFAULT_MODEL
from rasa_tokprune.encoder.plans.resolve import OFF
from rasa_tokprune.fewshot import Messages
from rasa_tokprune.fewshot.calibration.confidence import OPERATING_CONFIDENCE
from rasa_tokprune.machine.environment import environment
from rasa_tokprune.texts.tasks import read_examples, read_oos

BOTS = Path(__file__).resolve().with_name("bots")
LANGUAGES = ("zh", "hi", "tr")
# Of the lexical view; None is the default.
LEXICAL_WEIGHTS = (0.0, None)


def measure(language: str, encoder: Encoder, lexical_weight: Optional[float]) -> Row:
    """Returns what the bot of a language answers.

    Returns:
        `n` test messages, `right` of them, and `right_and_sure`, with a confidence of at least 0.5;
        `n_oos` messages out of scope and `oos_answered` of them; `readable`, the mean share of a
        test message that the encoder can read.
    """
    texts, labels, _ = read_examples(BOTS / f"{language}.yml")
    classifier = fit(texts, labels, encoder, lexical_weight)
    queries, answers, _ = read_examples(BOTS / f"{language}_test.yml")
    strangers = read_oos(BOTS / f"{language}_oos.txt")
    messages = Messages.encoded(queries, encoder)
    top = classifier.predict_proba(messages).max(axis=1)
    is_right = [own == answer for own, answer in zip(classifier.predict(messages), answers)]
    oos_top = classifier.predict_proba(Messages.encoded(strangers, encoder)).max(axis=1)
    return {
        "readable": float(encoder.readable_shares(queries).mean()),
        "n": len(queries),
        "right": sum(is_right),
        "right_and_sure": int((is_right & (top >= OPERATING_CONFIDENCE)).sum()),
        "n_oos": len(strangers),
        "oos_answered": int((oos_top >= OPERATING_CONFIDENCE).sum()),
    }


def run(arguments: argparse.Namespace) -> None:
    """Measures every bot under each plan, with and without the lexical view."""
    machine = environment()
    rows: List[Row] = []
    for plan in tqdm(arguments.prune, desc="Plans"):
        encoder = open_encoder(plan, model=arguments.model)
        for language in LANGUAGES:
            for weight in LEXICAL_WEIGHTS:
                rows.append(
                    {
                        "language": language,
                        "plan": plan,
                        "min_tokens": encoder.plan.min_tokens,
                        "lexical_weight": weight,
                        **measure(language, encoder, weight),
                        "environment": machine,
                    }
                )
    write_rows(rows, arguments.out)


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "languages.jsonl")
    made.add_argument(
        "--prune",
        nargs="+",
        default=[OFF, DEFAULT],
        metavar="PLAN",
        help=f"default: {OFF} {DEFAULT}",
    )
    made.add_argument("--model", default=DEFAULT_MODEL, help="folder or hub id")
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
