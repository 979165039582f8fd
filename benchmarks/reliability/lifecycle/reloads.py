"""Loads two models in turn into a running server, and looks at its memory after each."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence

from tqdm import tqdm

from benchmarks.reliability.serving.bot import Expected
from benchmarks.reliability.serving.load import parsing, run_clients
from benchmarks.reliability.serving.memory import total_anonymous, total_pss
from benchmarks.reliability.serving.running import request
from benchmarks.reliability.serving.stack import rasa_server
from benchmarks.rows import Row

KIND = "reloads"
# Memory after this many reloads is what the rest is compared with.
SETTLED = 3
_ASKED = 20


def alternate(
    folder: Path, models: Sequence[Path], expected: Sequence[Expected], n: int
) -> Iterator[Row]:
    """Yields one row: `PUT /model` n times, a few messages after each, memory after that.

    Args:
        folder: Where the server runs.
        models: Two archives, of different plans.
        expected: What each of them answers.
        n: How many reloads.
    """
    samples: List[Dict[str, Any]] = []
    counts = {"n": 0, "wrong": 0, "lost": 0}
    with rasa_server(folder, models[0]) as server:
        for number in tqdm(range(n), desc="Reloads"):
            which = (number + 1) % len(models)
            start = time.perf_counter()
            put_model(server.port, models[which])
            seconds = time.perf_counter() - start
            texts = list(expected[which].parsed)[:_ASKED]
            found = run_clients([parsing(server.port, texts, expected[which].parsed)]).summary()
            for key in counts:
                counts[key] += found[key]
            own = {"anonymous_mb": total_anonymous(server.pid), "pss_mb": total_pss(server.pid)}
            samples.append({"seconds": seconds, **own})
    yield {"kind": KIND, "reloads": n, **counts, "samples": samples}


def put_model(port: int, archive: Path) -> None:
    """Lets a server load a model.

    Raises:
        RasaProcessError: If it refuses.
    """
    request(port, "PUT", "/model", json.dumps({"model_file": str(archive)}).encode())
