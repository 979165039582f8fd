"""Clients, pipelines and memory; the whole run is slow."""

from __future__ import annotations

import http.server
import json
import os
import threading
from pathlib import Path
from typing import Iterator, List

import pytest

from benchmarks.conftest import Refusal
from benchmarks.machine import started_on
from benchmarks.rasa import servers
from benchmarks.rasa.clients import best_intent, send
from benchmarks.rasa.pipelines import has_own, pipeline
from benchmarks.rasa.processes import Server
from benchmarks.rasa.servers import _test_messages, measure_rasa
from benchmarks.rows import RowStore
from rasa_tokprune.machine.environment import environment, usable_cores
from rasa_tokprune.texts.tasks import Task

EXAMPLE_BOT = Path(__file__).resolve().parents[2] / "example_bot"


class _Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        content = json.dumps({"intent": {"name": body["text"]}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def echo_port() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("n_clients", [1, 3])
def test_every_message_is_sent_once_and_in_place(echo_port: int, n_clients: int) -> None:
    texts = [f"message {number}" for number in range(10)]
    load = send(echo_port, texts, n_clients=n_clients, cores=usable_cores())
    assert load.intents == texts
    assert load.summary()["n"] == 10
    assert 0 < load.summary()["p50_ms"] <= load.summary()["p95_ms"]


def test_fallback_is_undone() -> None:
    ranking = [{"name": "nlu_fallback"}, {"name": "order"}, {"name": "leave"}]
    assert best_intent({"intent": ranking[0], "intent_ranking": ranking}) == "order"
    assert best_intent({"intent": {"name": None}}) == ""


def test_settings_reach_our_components_only(tmp_path: Path) -> None:
    components = pipeline("tokprune-features", {"prune": "off"})
    assert [component.get("prune") for component in components] == [None, "off", None]
    assert pipeline("language-model", {}, tmp_path)[1]["model_weights"] == str(tmp_path)
    assert has_own("tokprune")
    assert not has_own("default")


def test_test_messages_are_sent_once() -> None:
    parts = _test_messages(EXAMPLE_BOT / "tests" / "test_nlu.yml", n_requests=12)
    texts = [text for part in parts for text in part]
    assert len(parts) == 3
    assert len(set(texts)) == len(texts)
    assert len(parts[1]) == len(parts[2]) <= 12


def test_memory_and_cores() -> None:
    memory = Server(pid=os.getpid(), port=0).memory()
    assert memory["rss_mb"] > 1
    before = usable_cores()
    with started_on(before[:1]):
        assert usable_cores() == before[:1]
    assert usable_cores() == before
    assert environment()["cores"] == len(before)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--pipelines", "defualt"], "Did you mean 'default'"),
        (["--set", "prune"], "--set takes KEY=VALUE, got 'prune'"),
        ([], "train of task 'bot': there is no file 'a.yml'"),
    ],
)
def test_one_line_errors(tmp_path: Path, refusal: Refusal, extra: List[str], message: str) -> None:
    files = ["--task", "bot", "--train", "a.yml", "--test", "b.yml"]
    out = ["--out", str(tmp_path / "rows.jsonl")]
    assert message in refusal(servers.main, [*files, *out, *extra])


@pytest.mark.slow
def test_whole_rasa(tmp_path: Path) -> None:
    bot = EXAMPLE_BOT
    task = Task("bot", bot / "data", bot / "tests" / "test_nlu.yml")
    store = RowStore(tmp_path / "rows.jsonl")
    settings = {"domain": bot / "domain.yml", "work": tmp_path, "threads": 1, "n_requests": 10}
    measure_rasa(task, ["keyword"], store, **settings)
    (row,) = store.rows()
    assert row["train_s"] > 0
    assert row["rss_mb"] > 100
    assert row["clients_8"]["n"] == row["clients_1"]["n"] > 0
