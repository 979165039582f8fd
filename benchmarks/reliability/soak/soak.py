"""Asks a server for a long time, mixed messages, and looks at its memory every few seconds.

Conversations, `/model/parse`, payloads of buttons and, now and then, a message of a megabyte.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence

import aiohttp
import numpy as np
from tqdm import tqdm

from benchmarks.command import measuring_parser, run_measuring
from benchmarks.reliability.serving.bot import (
    Expected,
    add_work,
    bot_messages,
    conversations_of,
    expected_of,
    train_bot,
    varied,
    work_folder,
)
from benchmarks.reliability.serving.load import (
    Client,
    Outcomes,
    differs,
    parsing,
    post,
    run_clients,
    talking,
)
from benchmarks.reliability.serving.memory import total_anonymous, total_pss
from benchmarks.reliability.serving.running import need
from benchmarks.reliability.serving.serving import about_now
from benchmarks.reliability.serving.stack import (
    rasa_server,
    redis_server,
    store_endpoints,
)
from benchmarks.rows import Row, RowStore
from rasa_tokprune.errors import ConfigError

MINUTES = 30.0
# Different messages: more than a cache holds, so that it is full long before memory is compared.
N_MESSAGES = 2000
_N_CONVERSATIONS = 60
_TURNS = 5
# One in so many is a payload; one in so many is huge.
_PAYLOAD_EVERY, HUGE_EVERY = 5, 400
# Clients that send single messages; one more holds conversations.
_N_ASKING = 3
HUGE = 1_000_000
PAYLOADS = ("/greet", "/opening_hours", '/track_order{"order_number": "CB-12345"}')
_SAMPLES = 60
# Memory is compared from here on: the cache is full, everything has been asked once.
_SETTLED_SHARE = 0.25


def growth(samples: Sequence[float]) -> float:
    """Returns by how much memory grew, as a share of what it was once it had settled.

    That is the median of the last quarter against that of the quarter after the first: neither a
    single huge message nor the first minutes decide it.
    """
    size = max(1, int(len(samples) * _SETTLED_SHARE))
    settled = samples[size : 2 * size] or samples
    return float(np.median(samples[-size:]) / np.median(settled) - 1.0)


def soak(
    folder: Path, archive: Path, expected: Expected, minutes: float, workers: int, huge_every: int
) -> Row:
    """Returns the row of one run.

    Args:
        folder: Where the server runs.
        archive: What it serves.
        expected: What that model answers; all of it is asked.
        minutes: How long.
        workers: Of the server.
        huge_every: One message in so many is huge; 0 for none.
    """
    samples: List[Dict[str, float]] = []
    seconds = minutes * 60
    with redis_server(folder) as redis:
        endpoints = store_endpoints(folder / "soak.yml", redis.port)
        with rasa_server(folder, archive, workers=workers, endpoints=endpoints) as server:
            # The cache is full before anything is compared.
            run_clients([parsing(server.port, _short(expected), expected.parsed)])
            end = time.monotonic() + seconds
            done = threading.Event()
            watch = threading.Thread(target=_watch, args=(server.pid, samples, done, seconds))
            watch.start()
            kinds: Counter[str] = Counter()
            clients = [
                _talking_until(end, server.port, expected, kinds),
                *(
                    _asking_until(end, server.port, expected, kinds, number, huge_every)
                    for number in range(_N_ASKING)
                ),
            ]
            found = run_clients(clients)
            done.set()
            watch.join()
    settings = {"minutes": minutes, "workers": workers, "huge_every": huge_every}
    row: Row = {"benchmark": "soak", "settings": settings, **found.summary(), "kinds": dict(kinds)}
    memory = [sample["anonymous_mb"] for sample in samples]
    return {**row, "samples": samples, "growth": growth(memory)}


def _short(expected: Expected) -> List[str]:
    return [text for text in expected.parsed if len(text) < HUGE // 2]


def _talking_until(end: float, port: int, expected: Expected, kinds: Counter[str]) -> Client:
    async def client(session: aiohttp.ClientSession, found: Outcomes) -> None:
        for number in itertools.count():
            if time.monotonic() > end:
                return
            each = expected.conversations[number % len(expected.conversations)]
            await talking(port, f"soak-{number}", each)(session, found)
            kinds["conversation messages"] += len(each.texts)

    return client


def _asking_until(
    end: float,
    port: int,
    expected: Expected,
    kinds: Counter[str],
    number: int,
    huge_every: int,
) -> Client:
    texts = [text for text in _short(expected) if text[:1] != "/"]
    huge = [text for text in expected.parsed if len(text) >= HUGE // 2]

    async def client(session: aiohttp.ClientSession, found: Outcomes) -> None:
        for step in itertools.count(number):
            if time.monotonic() > end:
                return
            kind, text = "messages", texts[(7 * step) % len(texts)]
            if step % _PAYLOAD_EVERY == 0:
                kind, text = "payloads", PAYLOADS[step % len(PAYLOADS)]
            elif huge_every and step % huge_every == 1:
                kind, text = "messages of a megabyte", huge[0]
            await post(
                session, f"http://127.0.0.1:{port}/model/parse", {"text": text}, found,
                functools.partial(differs, expected.parsed[text]),
            )  # fmt: skip
            kinds[kind] += 1

    return client


def _watch(
    pid: int, samples: List[Dict[str, float]], done: threading.Event, seconds: float
) -> None:
    every, start = seconds / _SAMPLES, time.monotonic()
    with tqdm(total=round(seconds), desc="Soak, s") as progress:
        while not done.wait(every):
            own = {"anonymous_mb": total_anonymous(pid), "pss_mb": total_pss(pid)}
            samples.append({"at_s": round(time.monotonic() - start, 1), **own})
            progress.update(round(every))


def run(arguments: argparse.Namespace) -> None:
    """Trains once and runs once; writes one row."""
    if arguments.minutes <= 0:
        raise ConfigError(f"--minutes must be a number above 0, got {arguments.minutes:g}")
    need("redis-server")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        work = work_folder(arguments, folder)
        archive = train_bot(work)
        texts = bot_messages()
        held = conversations_of(texts, _N_CONVERSATIONS, _TURNS)
        asked = [*varied(texts, arguments.messages), *PAYLOADS, *_huge(texts)]
        expected = expected_of(archive, asked, held)
        row = soak(
            folder, archive, expected, arguments.minutes, arguments.workers, arguments.huge_every
        )
    RowStore(arguments.out).add([{**row, **about_now()}])
    limit = f"{100 * row['growth']:+.1f}% memory"
    tqdm.write(f"{row['n']} asked, {row['wrong']} wrong, {row['lost']} lost, {limit}")


def _huge(texts: Sequence[str]) -> Iterator[str]:
    yield " ".join(itertools.islice(itertools.cycle(texts), 40_000))[:HUGE]


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "soak.jsonl")
    made.add_argument("--minutes", type=float, default=MINUTES, help=f"default: {MINUTES:g}")
    made.add_argument("--workers", type=int, default=1, help="of the server; default: 1")
    made.add_argument(
        "--messages", type=int, default=N_MESSAGES, help=f"different ones; default: {N_MESSAGES}"
    )
    made.add_argument(
        "--huge-every",
        type=int,
        default=HUGE_EVERY,
        help=f"one message in so many has a megabyte; 0 for none; default: {HUGE_EVERY}",
    )
    add_work(made)
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
