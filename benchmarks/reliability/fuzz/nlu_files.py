"""Reads generated files of training data with the package's own reader and with Rasa's.

Each file must be read, or refused in one line; where both readers take a file, they must read the
same. Files that Rasa takes are trained on, by all components. What Rasa itself raises that is no
error of its own is counted apart.
"""

from __future__ import annotations

import argparse
import collections
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from rasa.shared.exceptions import RasaException
from rasa.shared.nlu.constants import INTENT, INTENT_RESPONSE_KEY, TEXT
from rasa.shared.nlu.training_data.loading import load_data
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from benchmarks.command import measuring_parser, run_measuring
from benchmarks.quiet import without_logs
from benchmarks.reliability.fuzz.bots import COMPONENTS, make
from benchmarks.reliability.fuzz.nlu_generated import Source, generated_file
from benchmarks.reliability.fuzz.pace import add_pace, tried
from benchmarks.reliability.fuzz.refusals import FOREIGN, REFUSED, TAKEN, ending, of_component
from benchmarks.rows import append_row
from rasa_tokprune.encoder.plans.plan import PruningPlan
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.machine.environment import environment
from rasa_tokprune.texts.tasks import read_examples
from tests.checkpoints import N_LAYERS, write_checkpoint

ROWS = "nlu_files.jsonl"
Examples = List[Tuple[str, str, str]]
# One example of each outcome is kept, of findings several.
_MOST_SHOWN = 12


def ours(path: Path) -> Examples:
    """Returns text, intent and full key of the examples that the package reads."""
    return list(zip(*read_examples(path)))


def rasas(path: Path) -> TrainingData:
    """Returns what Rasa reads, each example once."""
    return TrainingData().merge(load_data(str(path)))


def examples_of(data: TrainingData) -> Examples:
    """Returns the same of what Rasa read."""
    return [
        (each.get(TEXT), each.get(INTENT), each.get(INTENT_RESPONSE_KEY) or each.get(INTENT))
        for each in data.intent_examples
        if (each.get(TEXT) or "").strip()
    ]


def train(data: TrainingData, tiny: Dict[str, Any], folder: Path) -> None:
    """Trains all components on what Rasa read, and answers a message."""
    for component in COMPONENTS:
        made = make(component, folder, tiny)
        made.train(data)
        made.process([Message({TEXT: "where is my parcel", "text_tokens": []})])


class Outcomes:
    """What came of the files so far."""

    def __init__(self, tiny: Dict[str, Any], folder: Path) -> None:
        """Starts with nothing; `tiny` configures the components that are trained."""
        self.counts = collections.Counter[str]()
        self.shown: List[Dict[str, str]] = []
        self.findings = 0
        self._tiny, self._folder = tiny, folder

    def add(self, number: int, content: str) -> None:
        """Reads one file with both readers, trains where Rasa takes it, and notes the outcome."""
        path = self._folder / f"nlu{number}.yml"
        path.write_text(content, encoding="utf-8", newline="")
        own = ending(lambda: ours(path))
        theirs = ending(lambda: rasas(path), (RasaException,), longest=0)
        self.counts[f"read: {own.kind}"] += 1
        ended = "raised another error" if theirs.kind == FOREIGN else theirs.kind
        self.counts[f"rasa: {ended}"] += 1
        if own.kind == FOREIGN:
            self._note("the reader raised", content, own.said, own.where)
        if theirs.kind == TAKEN and not examples_of(theirs.value):
            self.counts["rasa: no example"] += 1
        elif own.kind == theirs.kind == TAKEN:
            same = own.value == examples_of(theirs.value)
            self.counts["both took it: the same" if same else "both took it: different"] += 1
            if not same:
                self._note("read otherwise than by Rasa", content, f"{own.value}"[:300])
        elif TAKEN in (own.kind, theirs.kind):
            only = "the package" if own.kind == TAKEN else "Rasa"
            self.counts[f"only {only} took it"] += 1
            self._note(f"only {only} took it", content, own.said or theirs.said, is_finding=False)
        if theirs.kind == TAKEN:
            self._train(number, content, theirs.value)

    def _train(self, number: int, content: str, data: TrainingData) -> None:
        end = of_component(lambda: train(data, self._tiny, self._folder / f"{number}"))
        self.counts[f"trained: {end.kind}"] += 1
        if end.kind != TAKEN:
            self._note(f"training: {end.kind}", content, end.said, end.where, end.kind != REFUSED)

    def _note(
        self, what: str, content: str, said: str, where: str = "", is_finding: bool = True
    ) -> None:
        self.findings += is_finding
        said = said.replace(f"{self._folder}/", "")  # a row tells nothing of the machine's folders
        if sum(each["what"] == what for each in self.shown) < _MOST_SHOWN:
            shown = {"what": what, "said": said[:300], "where": where}
            print(f"\n{what}: {said:.300} ({where}): {content!r:.300}")
            self.shown.append({**shown, "file": ascii(content)[:1200]})


def run(n: int, seed: int, minutes: float) -> Dict[str, Any]:
    """Returns what came of n files."""
    rng = Source(seed)
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        tiny = {"model": str(write_checkpoint(base / "checkpoint")), "prune": str(base / "p.json")}
        PruningPlan(N_LAYERS, (0.0, 0.4, 0.3, 0.0), name="tiny").save(Path(tiny["prune"]))
        outcomes = Outcomes(tiny, base)
        for number in tried(range(n), n, "Files", minutes):
            outcomes.add(number, generated_file(rng))
    n = sum(count for what, count in outcomes.counts.items() if what.startswith("read: "))
    return {"n": n, "outcomes": dict(outcomes.counts), "findings": outcomes.findings,
            "shown": outcomes.shown}  # fmt: skip


def measure(arguments: argparse.Namespace) -> None:
    """Tries the files; writes a row.

    Raises:
        ConfigError: If one was not read as by Rasa and not refused in one line either.
    """
    with without_logs(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = run(arguments.n, arguments.seed, arguments.minutes)
    row = {"kind": "nlu files", "seed": arguments.seed, "asked": arguments.n, **found}
    append_row({**row, "environment": environment()}, arguments.out)
    if found["findings"]:
        raise ConfigError(f"{found['findings']} findings; see {arguments.out}")


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, ROWS)
    made.add_argument("-n", type=int, default=1000, help="files; default: 1000")
    add_pace(made)
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
