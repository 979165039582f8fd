"""Whole Rasa: training, model size, server memory, answers over HTTP, for each pipeline."""

from __future__ import annotations

import dataclasses
import itertools
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

import numpy as np
import structlog
from tqdm import tqdm

from rasa_tokprune.evaluation.bench.machine import check_threads, environment
from rasa_tokprune.evaluation.bench.rasa_clients import send
from rasa_tokprune.evaluation.bench.rasa_pipelines import (
    FLOOR,
    FLOOR_DATA,
    Pipeline,
    has_own,
    pipeline,
    random_tensorflow_bert,
)
from rasa_tokprune.evaluation.bench.rasa_processes import (
    client_cores,
    running_server,
    train_nlu,
)
from rasa_tokprune.evaluation.bench.rows import Row, RowStore
from rasa_tokprune.evaluation.bench.texts import sample

logger = structlog.get_logger(__name__)

N_CLIENTS = (1, 8)
N_REQUESTS = 400
_N_WARM_UP = 50
_NO_TF = "transformers has no TensorFlow classes here; they come with rasa[transformers]"
_SEED = 0


@dataclasses.dataclass(frozen=True)
class RasaTask:
    """Training and test data of one bot.

    Attributes:
        name: Its name in the rows.
        train: Training data.
        test: Messages the clients send, with their intents.
        domain: Needed where there are retrieval intents; None is none.
    """

    name: str
    train: Path
    test: Path
    domain: Optional[Path] = None


def measure_rasa(
    task: RasaTask,
    pipelines: Sequence[str],
    store: RowStore,
    *,
    work: Path,
    threads: int,
    like: Optional[Path] = None,
    settings: Optional[Mapping[str, Any]] = None,
    n_requests: int = N_REQUESTS,
) -> None:
    """Trains and serves each pipeline that `store` does not hold yet.

    Args:
        task: The data.
        pipelines: Keys of `rasa_pipelines.PIPELINES`.
        store: Where the rows go.
        work: Where a TensorFlow BERT is kept.
        threads: Threads and cores of training and server; clients run on the other cores.
        like: BERT checkpoint whose vocabulary that one shares; None leaves it out.
        settings: Keys for this package's components.
        n_requests: Most messages sent for each number of clients; all are different.
    """
    check_threads(threads)
    for name in tqdm(pipelines, desc="Rasa pipelines"):
        own = dict(settings or {}) if has_own(name) else {}
        key = {
            "benchmark": "rasa",
            "task": task.name,
            "pipeline": name,
            "settings": own,
            "threads": threads,
        }
        if store.has(key):
            continue
        bert = None
        if name == "language-model":
            bert = None if like is None else random_tensorflow_bert(like, work)
            if bert is None:
                logger.warning("rasa_tokprune.bench_pipeline_skipped", name=name, reason=_NO_TF)
                continue
        measured = _measure(task, name, pipeline(name, own, bert), threads, n_requests)
        store.add([{**key, **measured, "environment": environment()}])


def _measure(task: RasaTask, name: str, components: Pipeline, threads: int, n_requests: int) -> Row:
    warm_up, *parts = _test_messages(task.test, n_requests)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        config = {"version": "3.1", "recipe": "default.v1", "language": "en"}
        # JSON is YAML.
        content = json.dumps({**config, "assistant_id": "bench", "pipeline": components})
        (folder / "config.yml").write_text(content, encoding="utf-8")
        if task.domain is not None:
            shutil.copy(task.domain, folder / "domain.yml")
        (folder / "floor.yml").write_text(FLOOR_DATA, encoding="utf-8")
        data = folder / "floor.yml" if name == FLOOR else task.train
        training = train_nlu(folder, data, threads)
        row: Row = {
            "train_s": training.seconds,
            "train_peak_mb": training.peak_mb,
            "model_mb": training.model_mb,
        }
        with running_server(folder, threads) as server:
            cores = client_cores(threads)
            send(server.port, list(warm_up), n_clients=1, cores=cores)
            row.update(server.memory())
            right: List[bool] = []
            for n_clients, part in zip(N_CLIENTS, parts):
                load = send(server.port, list(part), n_clients=n_clients, cores=cores)
                row[f"clients_{n_clients}"] = load.summary()
                right += [a == b for a, b in zip(load.intents, part.values())]
            row["accuracy"] = None if name == FLOOR else float(np.mean(right))
            row["rss_after_load_mb"] = server.memory().get("rss_mb")
    return row


def _test_messages(path: Path, n_requests: int) -> List[Dict[str, str]]:
    """Returns message -> intent for the warm-up and for each number of clients.

    No message is sent twice, so that no cache of embeddings answers.
    """
    from rasa.shared.nlu.training_data.loading import load_data

    intent_of = {e.get("text"): e.get("intent") for e in load_data(str(path)).intent_examples}
    texts = sample(list(intent_of), len(intent_of), _SEED)
    n_warm_up = min(_N_WARM_UP, len(texts) // 4)
    size = min(n_requests, (len(texts) - n_warm_up) // len(N_CLIENTS))
    ends = [0, n_warm_up, *(n_warm_up + size * (n + 1) for n in range(len(N_CLIENTS)))]
    bounds = itertools.pairwise(ends)
    return [{text: intent_of[text] for text in texts[start:end]} for start, end in bounds]
