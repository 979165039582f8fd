"""Tries one thing after the other, with a bar, until they are done or the time is up."""

from __future__ import annotations

import argparse
import math
import time
from typing import Iterable, Iterator, TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def add_pace(parser: argparse.ArgumentParser) -> None:
    """Adds `--minutes` and `--seed`."""
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="stop after so many; default: never"
    )
    parser.add_argument("--seed", type=int, default=1, help="of what is generated; default: 1")


def tried(items: Iterable[Item], total: int, name: str, minutes: float) -> Iterator[Item]:
    """Yields items until `minutes` are over; of `total`, a bar called `name` shows how many."""
    start = time.monotonic()
    for item in tqdm(items, total=total, desc=name):
        yield item
        if time.monotonic() - start > 60 * minutes:
            return
