"""Serves the example bot with Redis stores and asks it: 1, 2, 4 workers, 1, 8, 64 clients.

Every answer is compared with what the model answers in one process. On a machine with other work
the times say little; the load is written beside them.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence

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
    parsing,
    run_clients,
    shared_out,
    talking,
)
from benchmarks.reliability.serving.memory import memory
from benchmarks.reliability.serving.running import Running, need
from benchmarks.reliability.serving.stack import (
    rasa_server,
    redis_server,
    store_endpoints,
)
from benchmarks.rows import Row, RowStore
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.machine.environment import environment

WORKERS = (1, 2, 4)
CLIENTS = (1, 8, 64)
PARSE, TALK, MEMORY = "parse", "conversations", "memory"
N_MESSAGES = 640
_TURNS = 5
_WARM_UP = 20


def about_now() -> Dict[str, Any]:
    """Returns what a row says of the machine, and of what else it does at this moment."""
    return {"environment": environment(), "load_average": round(os.getloadavg()[0], 2)}


def measure(
    server: Running, workers: int, n_clients: int, expected: Expected, round_: str
) -> Iterator[Row]:
    """Yields the rows of one number of clients: `/model/parse`, and conversations.

    Args:
        server: Already warm.
        workers: Of the server.
        n_clients: At work at the same time.
        expected: What is right; all of it is asked.
        round_: Makes the conversations' users new ones.
    """
    key = {"benchmark": "serving", "settings": {"workers": workers, "clients": n_clients}}
    texts = list(expected.parsed)
    parts = shared_out(texts, n_clients)
    found = run_clients([parsing(server.port, part, expected.parsed) for part in parts])
    yield {**key, "kind": PARSE, **found.summary(), **about_now()}
    clients: List[Client] = []
    for numbers in shared_out(range(len(expected.conversations)), n_clients):
        clients.append(_talker(server.port, numbers, expected, round_))
    found = run_clients(clients)
    yield {**key, "kind": TALK, **found.summary(), **about_now()}


def _talker(port: int, numbers: Sequence[int], expected: Expected, round_: str) -> Client:
    """Returns a client that holds some of the conversations, one after the other."""

    async def client(session: Any, found: Any) -> None:
        for number in numbers:
            sender = f"{round_}-{number}"
            await talking(port, sender, expected.conversations[number])(session, found)

    return client


def run(arguments: argparse.Namespace) -> None:
    """Trains once, then serves with each number of workers; writes rows as they come."""
    if arguments.messages < _TURNS:
        raise ConfigError(f"--messages must be a number from {_TURNS}, got {arguments.messages}")
    need("redis-server")
    store = RowStore(arguments.out)
    with tempfile.TemporaryDirectory() as temporary:
        work = work_folder(arguments, Path(temporary))
        archive = train_bot(work)
        texts = bot_messages()
        held = conversations_of(texts, max(1, arguments.messages // _TURNS), _TURNS)
        expected = expected_of(archive, varied(texts, arguments.messages), held)
        steps = tqdm(total=len(arguments.workers) * len(arguments.clients), desc="Serving")
        folder = Path(temporary)
        with redis_server(folder) as redis:
            endpoints = store_endpoints(folder / "endpoints.yml", redis.port)
            for workers in arguments.workers:
                with rasa_server(folder, archive, workers=workers, endpoints=endpoints) as server:
                    _warm(server, workers, expected)
                    for n in arguments.clients:
                        rows = measure(server, workers, n, expected, f"{workers}-{n}")
                        for row in rows:
                            store.add([row])
                            steps.write(_line(row))
                        steps.update()
                    key = {"benchmark": "serving", "kind": MEMORY, "settings": {"workers": workers}}
                    more = {"start_s": server.start_s, **memory(server.pid), **about_now()}
                    store.add([{**key, **more}])
        steps.close()


def _warm(server: Running, workers: int, expected: Expected) -> None:
    """Asks so often, over so many connections, that every worker has answered."""
    texts = list(expected.parsed)[:_WARM_UP]
    client = parsing(server.port, texts, expected.parsed)
    run_clients([client] * (4 * workers))


def _line(row: Row) -> str:
    settings = row["settings"]
    return (
        f"{row['kind']}, {settings['workers']} workers, {settings['clients']} clients: "
        f"{row['n']} messages, {row['wrong']} wrong, {row['lost']} lost, "
        f"p50 {row['p50_ms']:.0f} ms, {row['messages_per_s']:.0f}/s"
    )


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "serving.jsonl")
    made.add_argument(
        "--workers", type=int, nargs="+", default=list(WORKERS), help="default: 1 2 4"
    )
    made.add_argument(
        "--clients", type=int, nargs="+", default=list(CLIENTS), help="default: 1 8 64"
    )
    made.add_argument(
        "--messages", type=int, default=N_MESSAGES, help=f"of each kind; default: {N_MESSAGES}"
    )
    add_work(made)
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
