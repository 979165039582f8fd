"""Parses test messages one by one with a trained Rasa model: accuracy and time per message.

Runs as a process of its own, so that every model starts from the same state, and prints one JSON
object. With --predictions FILE every single answer is written there too.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import logging
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
import structlog

from benchmarks.command import module_parser
from rasa_tokprune.commands.evaluate.predictions import Predictions
from rasa_tokprune.texts.tasks import read_oos

_N_WARM_UP = 20
# Intent, confidence, whether the fallback took it back.
Answer = Tuple[Optional[str], float, bool]


def parse_messages(
    model: Path, test: Path, oos: Optional[Path] = None
) -> Tuple[Dict[str, Any], Predictions]:
    """Returns accuracy and milliseconds per message (p50, p95), and every answer.

    Args:
        model: A trained model archive.
        test: Rasa training data whose messages and intents are the test.
        oos: Out-of-scope messages, one a line.
    """
    from rasa.core.agent import Agent
    from rasa.shared.nlu.constants import INTENT, TEXT
    from rasa.shared.nlu.training_data.loading import load_data

    examples = load_data(str(test)).intent_examples
    texts = [example.get(TEXT) for example in examples]
    strangers = read_oos(oos) if oos else []
    agent = Agent.load(str(model))
    asyncio.run(_parse(agent, texts[:_N_WARM_UP]))
    answers, times = asyncio.run(_parse(agent, texts))
    unwanted, _ = asyncio.run(_parse(agent, strangers))
    predictions = Predictions(
        answers=[example.get(INTENT) for example in examples],
        predicted=[name for name, _, _ in answers],
        confidences=[confidence for _, confidence, _ in answers],
        is_rejected=[is_rejected for _, _, is_rejected in answers],
        oos_confidences=[confidence for _, confidence, _ in unwanted],
        oos_is_rejected=[is_rejected for _, _, is_rejected in unwanted],
    )
    return {
        "n_test": len(texts),
        "accuracy": float(predictions.is_right.mean()),
        "parse_p50_ms": float(np.percentile(times, 50) * 1e3),
        "parse_p95_ms": float(np.percentile(times, 95) * 1e3),
    }, predictions


async def _parse(agent: Any, messages: List[str]) -> Tuple[List[Answer], List[float]]:
    answers, times = [], []
    for text in messages:
        start = time.perf_counter()
        result = await agent.parse_message(text)
        times.append(time.perf_counter() - start)
        answers.append(_answer(result))
    return answers, times


def _answer(result: Dict[str, Any]) -> Answer:
    """Returns the classifier's own intent and confidence, and whether fallback took it back."""
    from rasa.nlu.classifiers.fallback_classifier import (
        is_fallback_classifier_prediction,
        undo_fallback_prediction,
    )

    is_rejected = is_fallback_classifier_prediction(result)
    if is_rejected:
        result = undo_fallback_prediction(result)  # as `rasa test nlu` does
    return result["intent"]["name"], float(result["intent"]["confidence"]), is_rejected


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = module_parser(__file__, __doc__)
    made.add_argument("model", type=Path)
    made.add_argument("test", type=Path)
    made.add_argument("--oos", type=Path)
    made.add_argument("--predictions", type=Path)
    return made


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """Parses the command line and prints the measurement."""
    parsed = parser().parse_args(arguments)
    logging.disable(logging.CRITICAL)
    quiet = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=quiet)
    measured, predictions = parse_messages(parsed.model, parsed.test, parsed.oos)
    if parsed.predictions:
        content = json.dumps(dataclasses.asdict(predictions))
        parsed.predictions.write_text(content, encoding="utf-8")
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
