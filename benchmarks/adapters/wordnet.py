"""Writes texts of WordNet, to train adapters on.

Fellbaum (ed.), "WordNet: an electronic lexical database" (1998). Its glosses are short, and their
words far more varied than those of any set of intents: definitions and examples of use.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import List, Optional, Sequence, Set

import numpy as np

from benchmarks.command import module_parser, run_measuring
from rasa_tokprune.errors import ConfigError

_FILES = ("data.noun", "data.verb", "data.adj", "data.adv")
_QUOTED = re.compile(r'"([^"]*)"')
_FEWEST_WORDS, _MOST_WORDS = 3, 39


def read_glosses(folder: Path) -> List[str]:
    """Returns the glosses of a WordNet database.

    Raises:
        ConfigError: If one of its files cannot be read.
    """
    glosses = []
    for name in _FILES:
        try:
            lines = (folder / name).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"'{folder / name}' cannot be read; the folder must be that of a WordNet database, "
                f"such as /usr/share/wordnet of Debian's package wordnet-base"
            ) from error
        # Lines of the licence begin with blanks.
        glosses += [line.partition(" | ")[2] for line in lines if not line.startswith("  ")]
    return glosses


def wordnet_texts(
    glosses: Sequence[str], n_examples: int, n_definitions: int, seed: int
) -> List[str]:
    """Returns some examples of use and some definitions, sorted.

    Texts of fewer than 3 or more than 39 words are left out.

    Args:
        glosses: Definitions, parted by semicolons, then examples in quotes.
        n_examples: How many, at most.
        n_definitions: How many first definitions, at most.
        seed: Of which.
    """
    examples: Set[str] = set()
    definitions: Set[str] = set()
    for gloss in glosses:
        examples.update(text.strip(" ;") for text in _QUOTED.findall(gloss))
        definitions.add(_QUOTED.sub("", gloss).strip(" ;").partition(";")[0].strip())
    rng = np.random.default_rng(seed)
    drawn = [_draw(examples, n_examples, rng), _draw(definitions, n_definitions, rng)]
    return sorted({text for texts in drawn for text in texts})


def _draw(texts: Set[str], count: int, rng: np.random.Generator) -> List[str]:
    usual = sorted(filter(_has_usual_length, texts))
    return [usual[index] for index in rng.permutation(len(usual))[:count]]


def _has_usual_length(text: str) -> bool:
    return _FEWEST_WORDS <= len(text.split()) <= _MOST_WORDS


def run(arguments: argparse.Namespace) -> None:
    """Reads the database and writes the texts."""
    counts = (arguments.examples, arguments.definitions)
    if min(*counts, arguments.seed) < 0:
        raise ConfigError("--examples, --definitions and --seed must be at least 0")
    texts = wordnet_texts(read_glosses(arguments.folder), *counts, arguments.seed)
    if not texts:
        raise ConfigError(f"there is no text to take from '{arguments.folder}'")
    try:
        arguments.out.write_text("\n".join(texts) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--out: cannot write '{arguments.out}': {error.strerror}") from error
    print(f"{len(texts)} texts in {arguments.out}")


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = module_parser(__file__, __doc__)
    made.add_argument("folder", type=Path, help="of the database, with data.noun and the like")
    made.add_argument("--examples", type=int, default=100_000, metavar="N", help="at most")
    made.add_argument("--definitions", type=int, default=30_000, metavar="N", help="at most")
    made.add_argument("--seed", type=int, default=0, help="of which")
    made.add_argument("--out", type=Path, required=True, help="text file, one text a line")
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
