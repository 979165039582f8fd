"""Measures response selectors: ours, and Rasa's own without and with this package's vectors.

Asked are the example bot's held-out questions, and published bots rewritten to answer questions:
each of their intents is a key of one retrieval intent with five examples, and their other messages
are asked.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
from tqdm import tqdm

from benchmarks.command import measuring_parser, run_measuring
from benchmarks.quiet import without_logs
from benchmarks.rasa.pipelines import PIPELINES, Pipeline
from benchmarks.rasa.processes import train_nlu
from benchmarks.rows import append_row, measured
from benchmarks.tables import ROOT
from rasa_tokprune.machine.environment import environment, usable_cores
from rasa_tokprune.texts.tasks import read_examples, sample_shots

RETRIEVAL_INTENT = "faq"
N_SHOT = 5
# Of the draw of examples; those of Rasa's trainings are SEEDS.
DRAW_SEED = 0
SEEDS = (0, 1)
EPOCHS = 100
REWRITTEN = ("rasabot_rasahq_carbon_bot", "rasabot_pyt0xic_nora_covid_19_bot")

_OWN = "ResponseSelector"
# `rasa init`'s pipeline as far as the selector reads it: no intents, no entities.
_COUNTS = [c for c in PIPELINES["default"] if c["name"].endswith(("Tokenizer", "Featurizer"))]
_SELECTOR = [c for c in PIPELINES["default"] if c["name"] == _OWN]
SELECTORS: Dict[str, Pipeline] = {
    # With the classifier that docs/response-selector.md puts before it.
    "tokprune": [*PIPELINES["tokprune"], {"name": "rasa_tokprune.TokPruneResponseSelector"}],
    "counts": [*_COUNTS, *_SELECTOR],
    "counts+tokprune": [*_COUNTS, {"name": "rasa_tokprune.TokPruneFeaturizer"}, *_SELECTOR],
}
TITLES = {
    "tokprune": "TokPruneResponseSelector",
    "counts": "Rasa's ResponseSelector on counts of words and characters",
    "counts+tokprune": "Rasa's ResponseSelector on these and TokPruneFeaturizer",
}


@dataclasses.dataclass(frozen=True)
class FaqBot:
    """A bot with a retrieval intent, and questions that it was not trained on.

    Attributes:
        name: Name in results.
        train: Rasa YAML, a file or a folder.
        domain: Has the responses.
        questions: What is asked.
        keys: The right full key of each, such as `faq/opening_hours`.
    """

    name: str
    train: Path
    domain: Path
    questions: List[str]
    keys: List[str]

    def counts(self) -> Dict[str, int]:
        """Returns the number of keys, of their examples and of messages asked."""
        taught = [key for key in read_examples(self.train)[2] if "/" in key]
        return {
            "n_keys": len(set(taught)),
            "n_examples": len(taught),
            "n_messages": len(self.questions),
        }


def example_bot() -> FaqBot:
    """Returns the example bot with those of its held-out messages that are questions."""
    folder = ROOT / "example_bot"
    texts, _, keys = read_examples(folder / "tests" / "test_nlu.yml")
    asked = [(text, key) for text, key in zip(texts, keys) if "/" in key]
    questions, right = ([pair[part] for pair in asked] for part in (0, 1))
    return FaqBot(folder.name, folder / "data", folder / "domain.yml", questions, right)


def rewritten_bot(name: str, path: Path, folder: Path) -> FaqBot:
    """Returns a bot whose intents became keys of one retrieval intent.

    An intent with five messages or fewer gives all as examples, and none is asked.

    Args:
        name: Name in results.
        path: Labelled messages.
        folder: Where its training data and domain are written.

    Raises:
        ConfigError: If the messages cannot be read.
    """
    import rasa.shared.utils.io
    from rasa.shared.nlu.training_data.message import Message
    from rasa.shared.nlu.training_data.training_data import TrainingData

    texts, labels, _ = read_examples(path)
    keys = [f"{RETRIEVAL_INTENT}/{label}" for label in labels]
    is_example = np.zeros(len(texts), bool)
    is_example[sample_shots(labels, N_SHOT, DRAW_SEED)] = True
    folder.mkdir()
    examples = [Message.build(texts[row], intent=keys[row]) for row in np.flatnonzero(is_example)]
    TrainingData(examples).persist_nlu(str(folder / "nlu.yml"))
    responses = {f"utter_{key}": [{"text": f"The answer to {key}."}] for key in sorted(set(keys))}
    domain = {"version": "3.1", "intents": [RETRIEVAL_INTENT], "responses": responses}
    rasa.shared.utils.io.write_yaml(domain, folder / "domain.yml")
    questions, right = ([own[row] for row in np.flatnonzero(~is_example)] for own in (texts, keys))
    return FaqBot(name, folder / "nlu.yml", folder / "domain.yml", questions, right)


def variants(name: str, epochs: int) -> List[Tuple[Optional[int], Optional[int]]]:
    """Returns epochs and seed of each training of a pipeline; ours has neither."""
    if any(component["name"] == _OWN for component in SELECTORS[name]):
        return [(epochs, seed) for seed in SEEDS]
    return [(None, None)]


def pipeline(name: str, epochs: Optional[int], seed: Optional[int]) -> Pipeline:
    """Returns a pipeline; epochs and seed are those of Rasa's own selector."""
    keys = {"epochs": epochs, "random_seed": seed}
    return [{**c, **(keys if c["name"] == _OWN else {})} for c in SELECTORS[name]]


def best_keys(model: Path, questions: Sequence[str]) -> List[Optional[str]]:
    """Returns the full key that a trained model puts first for each question; None for nothing."""
    from rasa.core.agent import Agent
    from rasa.nlu.constants import (
        RESPONSE_SELECTOR_DEFAULT_INTENT,
        RESPONSE_SELECTOR_PREDICTION_KEY,
        RESPONSE_SELECTOR_PROPERTY_NAME,
    )
    from rasa.shared.nlu.constants import INTENT_RESPONSE_KEY

    async def ask() -> List[Optional[str]]:
        agent = Agent.load(str(model))
        found = []
        for text in questions:
            selectors = (await agent.parse_message(text))[RESPONSE_SELECTOR_PROPERTY_NAME]
            selected = selectors[RESPONSE_SELECTOR_DEFAULT_INTENT]
            found.append(selected[RESPONSE_SELECTOR_PREDICTION_KEY][INTENT_RESPONSE_KEY])
        return found

    with without_logs():
        return asyncio.run(ask())


def measure_selector(bot: FaqBot, components: Pipeline) -> Dict[str, float]:
    """Returns the share of questions with the right key first, and the seconds of training.

    Trained as a process of its own on all cores this one may use, start-up and imports included.

    Raises:
        RasaProcessError: If training fails.
    """
    import rasa.shared.utils.io

    config: Dict[str, Any] = {"recipe": "default.v1", "assistant_id": bot.name, "language": "en"}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        rasa.shared.utils.io.write_yaml({**config, "pipeline": components}, work / "config.yml")
        shutil.copy(bot.domain, work / "domain.yml")
        training = train_nlu(work, bot.train, len(usable_cores()))
        found = best_keys(work / "models" / "model.tar.gz", bot.questions)
    is_right = [key == right for key, right in zip(found, bot.keys)]
    return {"accuracy": float(np.mean(is_right)), "train_s": training.seconds}


def measure(bots: Sequence[FaqBot], epochs: int, out: Path) -> None:
    """Measures everything that `out` does not hold yet and appends it there."""
    done = measured(out, "bot", "pipeline", "epochs", "seed")
    todo = [
        (bot, name, *variant)
        for bot in bots
        for name in SELECTORS
        for variant in variants(name, epochs)
        if (bot.name, name, *variant) not in done
    ]
    for bot, name, own_epochs, seed in tqdm(todo, desc="Response selectors"):
        row = {"bot": bot.name, "pipeline": name, "epochs": own_epochs, "seed": seed}
        row.update(bot.counts())
        row.update(measure_selector(bot, pipeline(name, own_epochs, seed)))
        append_row({**row, "environment": environment()}, out)


def run(arguments: argparse.Namespace) -> None:
    """Measures every selector on every bot."""
    with tempfile.TemporaryDirectory() as folder:
        rewritten = [
            rewritten_bot(name, arguments.intents / f"{name}.yml", Path(folder) / name)
            for name in REWRITTEN
        ]
        measure([example_bot(), *rewritten], arguments.epochs, arguments.out)


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "faq.jsonl", is_resumed=True)
    made.add_argument(
        "--intents", type=Path, required=True, help=f"folder with {' and '.join(REWRITTEN)}"
    )
    made.add_argument(
        "--epochs", type=int, default=EPOCHS, help=f"of Rasa's selector; default: {EPOCHS}"
    )
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
