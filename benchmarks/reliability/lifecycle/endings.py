"""SIGTERM while requests are on their way: how many are still answered, and how the server ends."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import signal
import subprocess
import time
from pathlib import Path
from typing import Iterator

import aiohttp

from benchmarks.reliability.serving.bot import Expected
from benchmarks.reliability.serving.load import Outcomes, differs, post
from benchmarks.reliability.serving.running import Running
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


def drain(folder: Path, archive: Path, expected: Expected, workers: int) -> Iterator[Row]:
    """Yields one row: requests that were sent before SIGTERM, and what came of them.

    Args:
        folder: Where the server runs.
        archive: What it serves.
        expected: What that model answers.
        workers: Of the server.
    """
    with contextlib.ExitStack() as stack:
        endpoints = None
        if workers > 1:
            redis = stack.enter_context(redis_server(folder))
            endpoints = store_endpoints(folder / "drain.yml", redis.port)
        server = stack.enter_context(
            rasa_server(folder, archive, workers=workers, endpoints=endpoints)
        )
        asyncio.run(_ask(server, expected, Outcomes(), is_ended=False))  # warm
        found = Outcomes()
        asyncio.run(_ask(server, expected, found, is_ended=True))
        start = time.perf_counter()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.process.wait(timeout=_PATIENCE_S)
        code = server.process.returncode
        row = {**found.summary(), "end_s": time.perf_counter() - start, "exit_code": code}
        yield {"kind": KIND, "settings": {"workers": workers}, **row, "start_s": server.start_s}


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
        found.wall_s = time.perf_counter() - start
