"""Kills `rasa train nlu` at random moments and looks at what is left; writes kills.jsonl.

Each training runs in a fork of a process that has imported Rasa: the same command from its command
line on, without the seconds that the imports take. Before it, the bot has a model and Rasa's cache;
then it gets three more examples, and every second time it has lost the 8-bit weights in our cache.
Beside random moments, trainings are killed as soon as the archive, or a file of our cache, appears.
"""

from __future__ import annotations

import argparse
import functools
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from tqdm import tqdm

from benchmarks.command import measuring_parser, run_measuring
from benchmarks.reliability.faults import bot, children
from benchmarks.rows import Row, append_row
from rasa_tokprune.errors import TokPruneError
from rasa_tokprune.machine.environment import environment

RANDOM, ARCHIVE, WEIGHTS = "random moment", "archive being written", "weights being written"
_SHARE_OF_EXACT = 5  # a kill at an exact moment, of each kind, for so many at random ones
_EARLIER = 0.8


class TrialError(TokPruneError):
    """What was to be interrupted does not work uninterrupted."""


class Trial:
    """A bot with a model, copied for each kill.

    Attributes:
        seconds: What an undisturbed second training takes.
    """

    def __init__(self, folder: Path) -> None:
        """Trains the bot twice: as it is before each kill, and as it is to be afterwards."""
        self._pristine, self._after, self._folder = (
            folder / name for name in ("pristine", "after", "killed")
        )
        bot.write_bot(self._pristine)
        children.warm_up(self._pristine, bot.train_here, _ask_newest)
        shutil.rmtree(self._pristine)
        bot.write_bot(self._pristine)
        self.seconds = self._train(self._pristine)
        self._answers_before = self._answers(self._pristine)
        shutil.copytree(self._pristine, self._after)
        bot.add_examples(self._after)
        self.seconds = self._train(self._after)
        self._answers_after = self._answers(self._after)
        self._weights = bot.files_of(self._after / bot.CACHE)

    def kill_once(self, kind: str, moment_s: float, *, is_cold: bool) -> Optional[Row]:
        """Kills one training and tries the bot; returns what was seen, None if it ended before."""
        shutil.rmtree(self._folder, ignore_errors=True)
        shutil.copytree(self._pristine, self._folder)
        bot.add_examples(self._folder)
        if is_cold:
            shutil.rmtree(self._folder / bot.CACHE)
        (before,) = bot.archives(self._folder)
        child = children.start(bot.train_here, self._folder, bot.variables(self._folder))
        if children.kill_when(child, self._clock(kind, moment_s)) >= 0:
            return None
        row: Row = {"kind": kind, "moment_s": moment_s, "of_s": self.seconds, "is_cold": is_cold}
        row.update(self._left_behind(before))
        row["previous_answers"] = self._answers(self._folder, before) == self._answers_before
        self._train(self._folder)
        row["next_answers"] = self._answers(self._folder) == self._answers_after
        row["weights_after"] = bot.files_of(self._folder / bot.CACHE) == self._weights
        return row

    def _clock(self, kind: str, moment_s: float) -> Callable[[], bool]:
        if kind == RANDOM:
            end = time.monotonic() + moment_s
            return lambda: time.monotonic() >= end
        place, n_before = self._folder / (bot.MODELS if kind == ARCHIVE else bot.CACHE), 0
        if kind == ARCHIVE:
            n_before = len(os.listdir(place))
        return lambda: place.is_dir() and len(os.listdir(place)) > n_before

    def _left_behind(self, before: Path) -> Dict[str, Any]:
        weights = bot.files_of(self._folder / bot.CACHE)
        new = [path for path in bot.archives(self._folder) if path != before]
        named = {name: content for name, content in weights.items() if "partial" not in name}
        return {
            "half_archives": sum(not bot.is_whole(path) for path in new),
            "whole_archives": sum(bot.is_whole(path) for path in new),
            "half_weights": sum(self._weights.get(name) != got for name, got in named.items()),
            "begun_weights": len(weights) - len(named),
            "temporary_folders": sum(path.is_dir() for path in (self._folder / "tmp").iterdir()),
        }

    def _train(self, folder: Path) -> float:
        start = time.monotonic()
        if children.run(bot.train_here, folder, bot.variables(folder)) != 0:
            printed = (folder / children.LOG).read_text(errors="replace")[-2000:]
            raise TrialError(f"the training in '{folder}' failed:\n{printed}")
        return time.monotonic() - start

    def _answers(self, folder: Path, archive: Optional[Path] = None) -> Any:
        out = folder / "answers.json"
        out.unlink(missing_ok=True)
        ask = functools.partial(bot.answers_here, archive or bot.archives(folder)[-1], out)
        children.run(ask, folder, bot.variables(folder))
        return bot.read_answers(out)


def _ask_newest() -> None:
    bot.answers_here(bot.archives(Path())[-1], Path("answers.json"))


def plan_of_kills(n: int, seed: int) -> List[Tuple[str, float, bool]]:
    """Returns kind, moment as a share of a training, and whether our cache is empty, of each kill.

    Args:
        n: Kills at random moments.
        seed: Of the moments.
    """
    chance = random.Random(seed)  # noqa: S311
    kills = [(RANDOM, chance.random(), number % 2 == 1) for number in range(n)]
    for number in range(max(1, n // _SHARE_OF_EXACT)):
        kills += [(ARCHIVE, 0.0, number % 2 == 1), (WEIGHTS, 0.0, True)]
    return kills


def measure(arguments: argparse.Namespace) -> None:
    """Kills as many trainings as was asked for; rows are written as they come."""
    arguments.out.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(Path(folder))
        kills = plan_of_kills(arguments.n, arguments.seed)
        kills = [each for each in kills if arguments.kind in (None, each[0])]
        for number, (kind, share, is_cold) in enumerate(tqdm(kills, desc="Kills")):
            row, moment_s = None, share * trial.seconds
            while row is None:  # it ended before: once more, earlier
                row = trial.kill_once(kind, moment_s, is_cold=is_cold)
                moment_s *= _EARLIER
            about = {"number": number, "seed": arguments.seed, "environment": environment()}
            append_row({**row, **about}, arguments.out)


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "kills.jsonl")
    made.add_argument("--n", type=int, default=50, help="kills at random moments; default: 50")
    made.add_argument("--seed", type=int, default=17, help="of the moments; default: 17")
    made.add_argument("--kind", choices=(RANDOM, ARCHIVE, WEIGHTS), help="only kills of a kind")
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
