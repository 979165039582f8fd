"""Parses test messages one by one with a trained Rasa model: accuracy and time per message.

Run as a process of its own, so that every model starts from the same state:
    python -m rasa_tokprune.evaluation.parse_messages MODEL.tar.gz TEST.yml
It prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import time
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np
import structlog

_N_WARM_UP = 20


def parse_messages(model: Path, test: Path) -> Dict[str, Any]:
    """Returns accuracy and milliseconds per message (p50, p95).

    Args:
        model: A trained model archive.
        test: Rasa training data whose messages and intents are the test.
    """
    from rasa.core.agent import Agent
    from rasa.nlu.classifiers.fallback_classifier import (
        is_fallback_classifier_prediction,
        undo_fallback_prediction,
    )
    from rasa.shared.nlu.constants import INTENT, TEXT
    from rasa.shared.nlu.training_data.loading import load_data

    examples = load_data(str(test)).intent_examples
    pairs = [(example.get(TEXT), example.get(INTENT)) for example in examples]
    agent = Agent.load(str(model))

    async def parse(texts: List[str]) -> Tuple[List[str], List[float]]:
        intents, times = [], []
        for text in texts:
            start = time.perf_counter()
            result = await agent.parse_message(text)
            times.append(time.perf_counter() - start)
            # As `rasa test nlu` does: judge the classifier, not the fallback threshold.
            if is_fallback_classifier_prediction(result):
                result = undo_fallback_prediction(result)
            intents.append(result[INTENT]["name"])
        return intents, times

    asyncio.run(parse([text for text, _ in pairs[:_N_WARM_UP]]))
    intents, times = asyncio.run(parse([text for text, _ in pairs]))
    right = [found == expected for found, (_, expected) in zip(intents, pairs)]
    return {
        "n_test": len(pairs),
        "accuracy": float(np.mean(right)),
        "parse_p50_ms": float(np.percentile(times, 50) * 1e3),
        "parse_p95_ms": float(np.percentile(times, 95) * 1e3),
    }


def main() -> None:
    """Parses the command line and prints the measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("test", type=Path)
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    quiet = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=quiet)
    print(json.dumps(parse_messages(arguments.model, arguments.test)))


if __name__ == "__main__":
    main()
