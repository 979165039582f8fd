"""Trains a new model in the server's own process, `POST /model/train`, while clients ask."""

from __future__ import annotations

import functools
import io
import threading
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List

import aiohttp

from benchmarks.rasa.processes import RasaProcessError
from benchmarks.reliability.serving.bot import Expected
from benchmarks.reliability.serving.load import Client, Outcomes, differs, post, run_clients
from benchmarks.reliability.serving.running import request
from benchmarks.reliability.serving.stack import rasa_server
from benchmarks.rows import Row

KIND = "training while parsing"
_N_CLIENTS = 4
_PATH = "/model/train?force_training=true"


def train_meanwhile(folder: Path, archive: Path, expected: Expected) -> Iterator[Row]:
    """Yields one row: clients ask from before the training until after it.

    Args:
        folder: Where the server runs.
        archive: What it serves; its bot's files lie beside it and are trained anew.
        expected: What that model answers.
    """
    body = _training_data(archive.parent)
    result: Dict[str, Any] = {}
    done = threading.Event()
    with rasa_server(folder, archive) as server:

        def train() -> None:
            start = time.perf_counter()
            try:
                content = request(server.port, "POST", _PATH, body, "application/x-yaml")
                result["trained_bytes"] = len(content)
            except (OSError, RasaProcessError) as error:
                result["error"] = str(error)
            result["train_s"] = time.perf_counter() - start
            done.set()

        thread = threading.Thread(target=train)
        thread.start()
        found = run_clients([_until(done, server.port, expected) for _ in range(_N_CLIENTS)])
        thread.join()
    longest = max(found.seconds, default=0.0) * 1e3
    yield {"kind": KIND, **found.summary(), "longest_ms": longest, **result}


def _until(done: threading.Event, port: int, expected: Expected) -> Client:
    texts = list(expected.parsed)

    async def client(session: aiohttp.ClientSession, found: Outcomes) -> None:
        number = 0
        while not done.is_set():
            text = texts[number % len(texts)]
            await post(
                session, f"http://127.0.0.1:{port}/model/parse", {"text": text}, found,
                functools.partial(differs, expected.parsed[text]),
            )  # fmt: skip
            number += 1

    return client


def _training_data(folder: Path) -> bytes:
    """Returns a bot's files as the one YAML document that the request takes."""
    import rasa.shared.utils.io

    merged: Dict[str, Any] = {}
    files = [folder / "config.yml", folder / "domain.yml", *sorted((folder / "data").glob("*.yml"))]
    for path in files:
        content: Dict[str, Any] = rasa.shared.utils.io.read_yaml_file(path)
        for key, value in content.items():
            if isinstance(value, list) and key in merged:
                kept: List[Any] = merged[key]
                kept.extend(value)
            else:
                merged[key] = value
    target = io.StringIO()
    rasa.shared.utils.io.write_yaml(merged, target, should_preserve_key_order=True)
    return target.getvalue().encode()
