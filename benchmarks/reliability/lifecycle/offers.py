"""A server that offers Rasa a new model every few seconds, while clients ask."""

from __future__ import annotations

import contextlib
import functools
import http.server
import threading
import time
from pathlib import Path
from typing import Any, Iterator, List, Mapping, Sequence

import aiohttp
from tqdm import tqdm

from benchmarks.reliability.serving.bot import Expected
from benchmarks.reliability.serving.load import Client, Outcomes, differs, post, run_clients
from benchmarks.reliability.serving.memory import total_anonymous
from benchmarks.reliability.serving.stack import rasa_server
from benchmarks.rows import Row

KIND = "model server"
_N_CLIENTS = 4
_EVERY_S = 10


class ModelOffers(http.server.ThreadingHTTPServer):
    """Offers archives in turn, each under a name of its own, the next one after a while."""

    daemon_threads = True

    def __init__(self, archives: Sequence[Path], every_s: float) -> None:
        """Listens on this machine; `serve_forever` answers."""
        super().__init__(("127.0.0.1", 0), _Offer)
        self._archives, self._every_s = archives, every_s
        self._start = time.monotonic()
        self.taken: List[str] = []

    def current(self) -> str:
        """Returns the name of what is offered now."""
        return f"model-{int((time.monotonic() - self._start) / self._every_s)}"

    def content(self, name: str) -> bytes:
        """Returns the archive of that name."""
        number = int(name.removeprefix("model-"))
        return self._archives[number % len(self._archives)].read_bytes()


class _Offer(http.server.BaseHTTPRequestHandler):
    server: ModelOffers

    def do_GET(self) -> None:
        """Sends the current archive, or 304 to who has it."""
        name = self.server.current()
        if self.headers.get("If-None-Match") == name:
            self.send_response(304)
            self.end_headers()
            return
        content = self.server.content(name)
        self.server.taken.append(name)
        self.send_response(200)
        self.send_header("ETag", name)
        self.send_header("filename", f"{name}.tar.gz")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def take_offers(
    folder: Path, models: Sequence[Path], expected: Sequence[Expected], seconds: float
) -> Iterator[Row]:
    """Yields one row: a server that pulls a new model every ten seconds, under load.

    An answer is right if one of the models gives it.

    Args:
        folder: Where the server runs.
        models: Archives that are offered in turn.
        expected: What each of them answers.
        seconds: How long.
    """
    import rasa.shared.utils.io

    offers = ModelOffers(models, _EVERY_S)
    threading.Thread(target=offers.serve_forever, daemon=True).start()
    models_key = {
        "url": f"http://127.0.0.1:{offers.server_port}",
        "wait_time_between_pulls": _EVERY_S,
    }
    endpoints = folder / "offers.yml"
    rasa.shared.utils.io.write_yaml({"models": models_key}, endpoints)
    samples: List[float] = []
    try:
        with rasa_server(folder, None, endpoints=endpoints) as server:
            end = time.monotonic() + seconds
            clients = [_until(end, server.port, expected) for _ in range(_N_CLIENTS)]
            done = threading.Event()
            watch = threading.Thread(target=_watch, args=(server.pid, samples, done, seconds))
            watch.start()
            found = run_clients(clients)
            done.set()
            watch.join()
            taken = len(set(offers.taken))
    finally:
        offers.shutdown()
        offers.server_close()
    yield {
        "kind": KIND, "seconds": seconds, "every_s": _EVERY_S, "models_taken": taken,
        **found.summary(), "longest_ms": max(found.seconds, default=0.0) * 1e3,
        "anonymous_mb": samples,
    }  # fmt: skip


def _until(end: float, port: int, expected: Sequence[Expected]) -> Client:
    texts = list(expected[0].parsed)

    def of_no_model(text: str, answer: Any) -> str:
        known: Iterator[Mapping[str, Any]] = (each.parsed[text] for each in expected)
        reasons = [differs(right, answer) for right in known]
        return "" if "" in reasons else reasons[0]

    async def client(session: aiohttp.ClientSession, found: Outcomes) -> None:
        number = 0
        while time.monotonic() < end:
            text = texts[number % len(texts)]
            url = f"http://127.0.0.1:{port}/model/parse"
            await post(session, url, {"text": text}, found, functools.partial(of_no_model, text))
            number += 1

    return client


def _watch(pid: int, samples: List[float], done: threading.Event, seconds: float) -> None:
    with tqdm(total=int(seconds), desc="Model server, s") as progress:
        while not done.wait(_EVERY_S):
            samples.append(total_anonymous(pid))
            progress.update(_EVERY_S)
