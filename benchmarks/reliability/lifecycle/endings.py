"""SIGTERM while requests are on their way: how many are still answered, and how the server ends."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Iterator

import aiohttp

from benchmarks.reliability.serving.bot import Expected
from benchmarks.reliability.serving.load import Outcomes, differs, post
from benchmarks.reliability.serving.running import Running, end_with_parent
from benchmarks.reliability.serving.stack import (
    rasa_server,
    redis_server,
    store_endpoints,
)
from benchmarks.rows import Row

KIND = "SIGTERM"
N_REQUESTS = 32
# Requests have reached the server by then, and few of them are answered.
_DELAY_S = 0.1
_PATIENCE_S = 60.0


def drain(
    folder: Path, archive: Path, expected: Expected, workers: int, busy: int, n_ends: int
) -> Iterator[Row]:
    """Yields one row: requests that were sent before SIGTERM, and what came of them.

    Args:
        folder: Where the server runs.
        archive: What it serves.
        expected: What that model answers.
        workers: Of the server.
        busy: Processes beside it that only compute.
        n_ends: How often a server is started and ended.
    """
    found, ended = Outcomes(), []
    with contextlib.ExitStack() as stack:
        endpoints = None
        if workers > 1:
            redis = stack.enter_context(redis_server(folder))
            endpoints = store_endpoints(folder / "drain.yml", redis.port)
        for _ in range(busy):
            stack.enter_context(_computing())
        for _ in range(n_ends):
            with rasa_server(folder, archive, workers=workers, endpoints=endpoints) as server:
                ended.append({"start_s": server.start_s, **_end(server, expected, found)})
    settings = {"workers": workers, "busy": busy}
    yield {"kind": KIND, "settings": settings, **found.summary(), "ended": ended}


def _end(server: Running, expected: Expected, found: Outcomes) -> Row:
    """Ends a server while it is asked; returns its exit code, and seconds after the last answer."""
    asyncio.run(_ask(server, expected, Outcomes(), is_ended=False))  # warm
    asyncio.run(_ask(server, expected, found, is_ended=True))
    start = time.perf_counter()
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.process.wait(timeout=_PATIENCE_S)
    return {"end_s": time.perf_counter() - start, "exit_code": server.process.returncode}


@contextlib.contextmanager
def _computing() -> Iterator[None]:
    """Keeps a core busy until the block ends."""
    command = [sys.executable, "-c", "while True: pass"]
    process = subprocess.Popen(command, preexec_fn=end_with_parent)
    try:
        yield
    finally:
        process.kill()
        process.wait()


async def _ask(server: Running, expected: Expected, found: Outcomes, *, is_ended: bool) -> None:
    """Sends all requests at once, each over a connection of its own; then the signal."""
    url = f"http://127.0.0.1:{server.port}/model/parse"
    texts = list(expected.parsed)[:N_REQUESTS]
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        start = time.perf_counter()
        sent = [
            asyncio.create_task(
                post(
                    session,
                    url,
                    {"text": text},
                    found,
                    functools.partial(differs, expected.parsed[text]),
                )
            )
            for text in texts
        ]
        if is_ended:
            await asyncio.sleep(_DELAY_S)
            server.process.send_signal(signal.SIGTERM)
        await asyncio.gather(*sent)
        found.wall_s += time.perf_counter() - start
