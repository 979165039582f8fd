"""Clients that send messages to a Rasa server over connections they keep open."""

from __future__ import annotations

import dataclasses
import http.client
import json
import threading
import time
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from benchmarks.engines.worker_process import WorkerError
from benchmarks.machine import started_on

_FALLBACK = "nlu_fallback"


@dataclasses.dataclass(frozen=True)
class Load:
    """What clients saw.

    Attributes:
        seconds: Of each request, in the order of the messages.
        wall_s: From the first request to the last answer.
        intents: The best intent of each message, a fallback undone.
    """

    seconds: List[float]
    wall_s: float
    intents: List[str]

    def summary(self) -> Dict[str, float]:
        """Returns p50 and p95 in ms, requests per second and their number."""
        return {
            "p50_ms": float(np.percentile(self.seconds, 50)) * 1e3,
            "p95_ms": float(np.percentile(self.seconds, 95)) * 1e3,
            "requests_per_s": len(self.seconds) / self.wall_s,
            "n": len(self.seconds),
        }


def send(port: int, texts: Sequence[str], *, n_clients: int, cores: Sequence[int]) -> Load:
    """Sends messages to `/model/parse`, dealt out to clients that each wait for their answer.

    Args:
        port: The server's.
        texts: Messages, each sent once.
        n_clients: Clients at work at the same time.
        cores: Where the clients run.

    Raises:
        WorkerError: If a message got no answer.
    """
    results: Dict[int, Tuple[float, str]] = {}

    def work(numbers: Sequence[int]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        for number in numbers:
            body = json.dumps({"text": texts[number]}).encode()
            start = time.perf_counter()
            connection.request("POST", "/model/parse", body, {"Content-Type": "application/json"})
            content = connection.getresponse().read()
            results[number] = (time.perf_counter() - start, best_intent(json.loads(content)))
        connection.close()

    with started_on(cores):  # threads inherit it, as processes do
        start = time.perf_counter()
        threads = [
            threading.Thread(target=work, args=(range(first, len(texts), n_clients),))
            for first in range(n_clients)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        wall_s = time.perf_counter() - start
    if len(results) != len(texts):
        raise WorkerError(f"the server answered {len(results)} of {len(texts)} messages")
    ordered = [results[number] for number in sorted(results)]
    return Load([s for s, _ in ordered], wall_s, [intent for _, intent in ordered])


def best_intent(parsed: Dict[str, Any]) -> str:
    """Returns the classifier's best intent, also where a FallbackClassifier overruled it."""
    names = [parsed.get("intent", {}).get("name")]
    names += [intent.get("name") for intent in parsed.get("intent_ranking", [])]
    return next((name for name in names if name and name != _FALLBACK), "")
