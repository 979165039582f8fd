"""Measures whole Rasa: training, model size, server memory, answers over HTTP.

Clients post to the server over connections they keep open; no message is sent twice.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np
import structlog
from tqdm import tqdm

from benchmarks.command import run_measuring
from benchmarks.latency.arguments import add_work, store_of, store_parser
from benchmarks.machine import check_threads
from benchmarks.rasa.clients import send
from benchmarks.rasa.pipelines import (
    FLOOR,
    FLOOR_DATA,
    PIPELINES,
    Pipeline,
    has_own,
    pipeline,
    random_tensorflow_bert,
)
from benchmarks.rasa.processes import client_cores, running_server, train_nlu
from benchmarks.rows import Row, RowStore
from rasa_tokprune.encoder.checkpoint.find import DEFAULT_MODEL, find_checkpoint
from rasa_tokprune.errors import ConfigError, did_you_mean
from rasa_tokprune.machine.environment import environment
from rasa_tokprune.texts.lengths import sample
from rasa_tokprune.texts.tasks import Task, read_examples

logger = structlog.get_logger(__name__)

N_CLIENTS = (1, 8)
N_REQUESTS = 400
_N_WARM_UP = 50
_NEEDS_BERT = "language-model"
_NO_TF = "transformers has no TensorFlow classes here; they come with rasa[transformers]"
_SEED = 0


def measure_rasa(
    task: Task,
    pipelines: Sequence[str],
    store: RowStore,
    *,
    work: Path,
    threads: int,
    domain: Optional[Path] = None,
    like: Optional[Path] = None,
    settings: Optional[Mapping[str, Any]] = None,
    n_requests: int = N_REQUESTS,
) -> None:
    """Trains and serves each pipeline that `store` does not hold yet.

    Args:
        task: Training data, and the messages that the clients send, with their intents.
        pipelines: Keys of PIPELINES.
        store: Where the rows go.
        work: Where a TensorFlow BERT is kept.
        threads: Threads and cores of training and server; clients run on the other cores.
        domain: Needed where there are retrieval intents; None is none.
        like: BERT checkpoint whose vocabulary that one shares; None leaves it out.
        settings: Keys for this package's components.
        n_requests: Most messages sent for each number of clients; all are different.
    """
    check_threads(threads)
    for name in tqdm(pipelines, desc="Rasa pipelines"):
        own = dict(settings or {}) if has_own(name) else {}
        key: Row = {"benchmark": "rasa", "task": task.name, "pipeline": name}
        key.update(settings=own, threads=threads)
        if store.has(key):
            continue
        bert = random_tensorflow_bert(like, work) if like and name == _NEEDS_BERT else None
        if name == _NEEDS_BERT and bert is None:
            logger.warning("rasa_tokprune.bench_pipeline_skipped", name=name, reason=_NO_TF)
            continue
        data = None if name == FLOOR else task.train
        parts = _test_messages(task.test, n_requests)
        measured = _measure(data, domain, parts, pipeline(name, own, bert), threads)
        store.add([{**key, **measured, "environment": environment()}])


def _measure(
    data: Optional[Path],
    domain: Optional[Path],
    messages: Sequence[Mapping[str, str]],
    components: Pipeline,
    threads: int,
) -> Row:
    """Returns what one pipeline costs; without data it is trained on FLOOR_DATA, not judged."""
    warm_up, *parts = messages
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        config = {"version": "3.1", "recipe": "default.v1", "language": "en"}
        # JSON is YAML.
        content = json.dumps({**config, "assistant_id": "bench", "pipeline": components})
        (folder / "config.yml").write_text(content, encoding="utf-8")
        if domain is not None:
            shutil.copy(domain, folder / "domain.yml")
        floor = folder / "floor.yml"
        floor.write_text(FLOOR_DATA, encoding="utf-8")
        training = train_nlu(folder, data or floor, threads)
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
            row["accuracy"] = None if data is None else float(np.mean(right))
            row["rss_after_load_mb"] = server.memory().get("rss_mb")
    return row


def _test_messages(path: Path, n_requests: int) -> List[Dict[str, str]]:
    """Returns message -> intent for the warm-up and for each number of clients.

    No message is sent twice, so that no cache of embeddings answers.
    """
    messages, labels, _ = read_examples(path)
    intent_of = dict(zip(messages, labels))
    texts = sample(list(intent_of), len(intent_of), _SEED)
    n_warm_up = min(_N_WARM_UP, len(texts) // 4)
    size = min(n_requests, (len(texts) - n_warm_up) // len(N_CLIENTS))
    ends = [0, n_warm_up, *(n_warm_up + size * (n + 1) for n in range(len(N_CLIENTS)))]
    bounds = itertools.pairwise(ends)
    return [{text: intent_of[text] for text in texts[start:end]} for start, end in bounds]


def _setting(text: str) -> Tuple[str, Any]:
    """Returns the key and the value of KEY=VALUE; what is no JSON is a string."""
    key, equals, value = text.partition("=")
    if not equals:
        raise ConfigError(f"--set takes KEY=VALUE, got '{text}'")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def run(arguments: argparse.Namespace) -> None:
    """Measures what the command line asks for."""
    for name in arguments.pipelines:
        if name not in PIPELINES:
            raise ConfigError(
                f"no pipeline '{name}'.{did_you_mean(name, PIPELINES)} "
                f"Pipelines: {', '.join(PIPELINES)}"
            )
    settings = dict(map(_setting, arguments.set))
    task = Task(arguments.task, arguments.train, arguments.test)
    for threads in arguments.threads:
        measure_rasa(
            task,
            arguments.pipelines,
            store_of(arguments),
            work=arguments.work.expanduser(),
            threads=threads,
            domain=arguments.domain,
            like=find_checkpoint(DEFAULT_MODEL) if _NEEDS_BERT in arguments.pipelines else None,
            settings=settings,
            n_requests=arguments.requests,
        )


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = store_parser(__file__, __doc__, "servers.jsonl")
    made.add_argument("--task", required=True, help="name of the data in the table")
    made.add_argument("--train", type=Path, required=True, help="training data (YAML)")
    made.add_argument("--test", type=Path, required=True, help="messages that clients send")
    made.add_argument("--domain", type=Path, help="needed for retrieval intents")
    made.add_argument("--pipelines", nargs="+", default=list(PIPELINES), metavar="PIPELINE")
    made.add_argument("--requests", type=int, default=N_REQUESTS, help="for each number of clients")
    made.add_argument(
        "--set",
        nargs="*",
        default=[],
        metavar="KEY=VALUE",
        help="settings of this package's components, such as prune=off",
    )
    add_work(made)
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
