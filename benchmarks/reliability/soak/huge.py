"""Times messages of a megabyte in each component, beside what only their beginning takes.

Rasa's own components read all of a message, whatever this package does: its tokenizer is left out.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, Iterator, Optional, Sequence

from rasa.core.agent import Agent
from rasa.nlu.constants import TOKENS_NAMES
from rasa.nlu.tokenizers.tokenizer import Token
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from tqdm import tqdm

from benchmarks.command import measuring_parser, run_measuring
from benchmarks.quiet import without_logs
from benchmarks.reliability.serving.bot import add_work, bot_messages, train_bot, work_folder
from benchmarks.reliability.serving.serving import about_now
from benchmarks.rows import Row, RowStore
from rasa_tokprune.components.featurizer import TokPruneFeaturizer
from rasa_tokprune.components.intent_classifier import TokPruneIntentClassifier
from rasa_tokprune.components.response_selector import TokPruneResponseSelector
from rasa_tokprune.errors import ConfigError

READ = 16_384
SIZE = 1_000_000
KINDS: Dict[str, str] = {
    "sentences": "",  # the bot's own messages
    "one word of a million letters": "a",
    "words of one letter": "a b ",
    "emoji": "\U0001f600",
    "Japanese": "\u65e5\u672c\u8a9e\u30c6\u30ad\u30b9\u30c8 ",
    "blanks": " ",
    "exclamation marks": "!",
    "characters that show nothing": "\u200b",
}
_COMPONENTS = (TokPruneFeaturizer, TokPruneIntentClassifier, TokPruneResponseSelector)


def text_of(kind: str, size: int) -> str:
    """Returns a text of so many characters."""
    filling = KINDS[kind] or " ".join(bot_messages()) + " "
    return (filling * (size // len(filling) + 1))[:size]


def measure(archive: Path, repetitions: int) -> Iterator[Row]:
    """Yields a row for each kind of text and component: the best of some times."""
    processor = Agent.load(archive).processor
    nodes = getattr(getattr(processor, "graph_runner", None), "_instantiated_nodes", {})
    components = [
        node._component for node in nodes.values() if isinstance(node._component, _COMPONENTS)
    ]
    for kind in tqdm(KINDS, desc="Huge messages"):
        for component in components:
            row: Row = {"benchmark": "huge", "kind": kind}
            row["component"] = type(component).__name__
            row["beginning_ms"] = _best_ms(component, text_of(kind, READ), repetitions)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            row["whole_ms"] = _best_ms(component, text_of(kind, SIZE), repetitions)
            after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            row["settings"] = {"component": row["component"]}
            yield {**row, "more_mb": (after - before) / 1024}


def _best_ms(component: Any, text: str, repetitions: int) -> float:
    found = []
    for _ in range(repetitions):
        # A featurizer needs words; Rasa's tokenizer is not what is timed.
        message = Message({TEXT: text, TOKENS_NAMES[TEXT]: [Token(text[:10], 0)]})
        start = time.perf_counter()
        component.process([message])
        found.append(time.perf_counter() - start)
    return min(found) * 1e3


def run(arguments: argparse.Namespace) -> None:
    """Trains once and writes a row for each kind of text and component."""
    if arguments.repetitions < 1:
        raise ConfigError(f"--repetitions must be a number from 1, got {arguments.repetitions}")
    store = RowStore(arguments.out)
    with tempfile.TemporaryDirectory() as temporary:
        work = work_folder(arguments, Path(temporary))
        with without_logs():
            for row in measure(train_bot(work), arguments.repetitions):
                store.add([{**row, **about_now()}])


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "huge.jsonl")
    made.add_argument("--repetitions", type=int, default=5, help="of each; default: 5")
    add_work(made)
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
