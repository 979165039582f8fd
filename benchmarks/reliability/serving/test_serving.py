"""Clients that count, memory, quotas, nginx's lines, tables, and one short real run."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest

from benchmarks.conftest import ENVIRONMENT, Refusal
from benchmarks.reliability.serving import layouts, serving, tables
from benchmarks.reliability.serving.bot import (
    Conversation,
    bot_messages,
    conversations_of,
    texts_of,
    varied,
)
from benchmarks.reliability.serving.load import (
    differs,
    parsing,
    run_clients,
    shared_out,
    talk_during,
    talking,
)
from benchmarks.reliability.serving.memory import memory, total_anonymous, total_pss
from benchmarks.reliability.serving.quota import group_with_quota, throttled_share
from benchmarks.reliability.serving.running import find_program, free_port, need
from benchmarks.reliability.serving.stack import proxy_lines
from benchmarks.rows import read_rows
from rasa_tokprune.errors import ConfigError


class _Bot(http.server.BaseHTTPRequestHandler):
    """Echoes a message as intent and reply; "wrong", "fail" and "noise" do what they say."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = body.get("text", body.get("message"))
        said = "something else" if text == "wrong" else text
        answer: Any = {"intent": {"name": said, "confidence": 0.5}}
        if "message" in body:
            answer = [{"recipient_id": body["sender"], "text": said}]
        content = b"<html>" if text == "noise" else json.dumps(answer).encode()
        self.send_response(500 if text == "fail" else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def bot_port() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Bot)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def parsed(text: str) -> Dict[str, Any]:
    return {"intent": {"name": text, "confidence": 0.5}}


@pytest.mark.parametrize("n_clients", [1, 3])
def test_wrong_and_lost_answers_are_counted(bot_port: int, n_clients: int) -> None:
    texts = ["a", "b", "wrong", "c", "fail", "noise"]
    expected = {text: parsed(text) for text in texts}
    parts = shared_out(texts, n_clients)
    found = run_clients([parsing(bot_port, part, expected) for part in parts])
    summary = found.summary()
    assert (summary["n"], summary["wrong"], summary["lost"]) == (6, 2, 1)
    assert summary["reasons"] == {"other intent": 1, "status 500": 1, "no JSON": 1}
    assert 0 < summary["p50_ms"] <= summary["p95_ms"] <= summary["p99_ms"]


def test_replies_are_compared_and_nobody_is_there(bot_port: int) -> None:
    held = Conversation(("hello", "wrong"), (("hello",), ("wrong",)))
    summary = run_clients([talking(bot_port, "user", held)]).summary()
    assert (summary["n"], summary["wrong"], summary["lost"]) == (2, 1, 0)
    summary = run_clients([talking(free_port(), "user", held)]).summary()
    assert (summary["lost"], summary["p50_ms"]) == (2, None)


def test_clients_talk_until_the_work_is_done(bot_port: int) -> None:
    held = [Conversation((text, text), ((text,), (text,))) for text in ("a", "b", "c")]
    found = talk_during(lambda: time.sleep(0.3), bot_port, held, 2)
    assert found.wall_s >= 0.3
    # Conversations are held to their end, and again.
    assert found.counts["right"] == sum(found.counts.values()) > 12
    assert found.counts["right"] % 2 == 0

    def fail() -> None:
        raise RuntimeError("the work failed")

    with pytest.raises(RuntimeError, match="the work failed"):
        talk_during(fail, bot_port, held, 2)


@pytest.mark.parametrize(
    ("right", "answer", "reason"),
    [
        ({"a": 0.5, "message_id": "x"}, {"a": 0.5 + 1e-12, "message_id": "y"}, ""),
        ({"a": 0.5}, {"a": 0.501}, "number in a"),
        ({"a": [("b", 1)]}, {"a": [["b", 1]]}, ""),
        ({"a": [1, 2]}, {"a": [1]}, "length of a"),
        ({"a": 1}, {"a": 1, "b": 2}, "more keys in it"),
        ({"a": {"b": "x"}}, {"a": {"b": "y"}}, "other a"),
        ({"a": 1}, {}, "other a"),
    ],
)
def test_what_differs(right: Any, answer: Any, reason: str) -> None:
    assert differs(right, answer) == reason


def test_messages_differ_and_are_the_same_each_time() -> None:
    texts = bot_messages()
    many = varied(texts, 500)
    assert len(set(many)) == 500
    assert many == varied(texts, 500)
    assert varied(texts, 3) == texts[:3]
    held = conversations_of(texts, 4, 5)
    assert [len(each.texts) for each in held] == [5] * 4
    assert texts_of([{"text": "a"}, {"image": "b"}]) == ("a", "")


def test_memory_of_this_process() -> None:
    found = memory(os.getpid())
    assert found["n_processes"] >= 1
    assert 0 < found["pss_mb"][0] <= found["rss_mb"][0]
    assert 0 < total_anonymous(os.getpid()) <= total_pss(os.getpid())
    assert found["threads"][0] >= 1


def test_a_group_gets_its_quota_and_goes(tmp_path: Path) -> None:
    with group_with_quota(0.5) as entrance:
        if entrance is None:
            pytest.skip("this user may make no groups here")
        command = ["sh", "-c", f"echo $$ > {entrance} && cat /proc/self/cgroup"]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        assert f"rasa_tokprune_{os.getpid()}" in printed
        assert 0 <= throttled_share(entrance) <= 1
    assert not entrance.parent.exists()
    with group_with_quota(0.5, tmp_path / "nowhere") as entrance:
        assert entrance is None


def test_the_document_s_lines_are_what_nginx_gets(tmp_path: Path) -> None:
    text = proxy_lines(tmp_path, 8000, [8001, 8002])
    servers = "".join(f"    server 127.0.0.1:{port} max_fails=0;\n" for port in (8001, 8002))
    assert f"least_conn;\n{servers}}}" in text
    assert "listen 127.0.0.1:8000;" in text
    assert "proxy_pass http://rasa;" in text
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if nginx is not None:
        (tmp_path / "nginx.conf").write_text(text)
        command = [nginx, "-t", "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)]
        subprocess.run(command, check=True, capture_output=True)


def test_one_line_errors(tmp_path: Path, refusal: Refusal) -> None:
    out = ["--out", str(tmp_path / "rows.jsonl")]
    assert "from 5, got 2" in refusal(serving.main, [*out, "--messages", "2"])
    assert "no layout 'nginz'. Did you mean 'nginx'" in refusal(
        layouts.main, [*out, "--layouts", "nginz"]
    )
    with pytest.raises(ConfigError, match="'no-such-server' is missing; install it"):
        need("no-such-server")


def row_of(kind: str, workers: int, clients: int, **more: Any) -> Dict[str, Any]:
    about = {"environment": ENVIRONMENT, "load_average": 1.5}
    times = {"p50_ms": 10.0, "p95_ms": 20.0, "p99_ms": 30.0, "messages_per_s": 90.4}
    settings = {"workers": workers, "clients": clients}
    own = {"kind": kind, "settings": settings, "n": 5, "wrong": 1, "lost": 2}
    return {**own, **times, **about, **more}


def test_tables() -> None:
    rows: List[Dict[str, Any]] = [row_of("conversations", 2, 8), row_of("parse", 2, 8)]
    text = tables.answers_table(rows)
    assert text.index("/model/parse") < text.index("| conversations | 2 | 8 | 5 | 1 | 2 | 10 |")
    assert "load average 1.5 to 1.5." in text
    assert "| 2 | 90 | 20 | 90 | 20 |" in tables.capacity_table(rows)
    busy = tables.load_line([row_of("parse", 1, 1, load_average=9.0)])
    assert "load average 9.0 on 2 cores: other programs ran meanwhile" in busy
    fields = {key: [1.0, 50.0, 70.4] for key in ("pss_mb", "anonymous_mb", "threads")}
    fields.update(weights_rss_mb=[20.0, 20.0], weights_pss_mb=[10.0, 10.0])
    held = row_of("memory", 2, 0, n_processes=3, **fields)
    assert "| 2 | 50 to 70 | 121 | 50 to 70 | 20 | 10 | 50 to 70 |" in tables.memory_table([held])
    quota = row_of("quota", 1, 1, limit="half a core", threads=[3.0])
    assert "| quota: half a core, 3 threads | 5 | 1 | 2 |" in tables.layouts_table([quota])


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs redis-server")
def test_two_workers_answer_as_one_process_does(tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    options = ["--workers", "2", "--clients", "8", "--messages", "40", "--out", str(out)]
    assert serving.main(options) == 0
    rows = read_rows(out)
    assert [row["kind"] for row in rows] == ["parse", "conversations", "memory"]
    assert all((row["wrong"], row["lost"]) == (0, 0) for row in rows[:2])
    shares = zip(rows[2]["weights_pss_mb"], rows[2]["weights_rss_mb"])
    assert all(pss < rss for pss, rss in shares), "workers share one copy of the weights"


@pytest.mark.slow
@pytest.mark.skipif(
    not (find_program("redis-server") and find_program("nginx")), reason="needs Redis and nginx"
)
def test_no_message_is_lost_while_servers_are_restarted_in_turn(tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    assert layouts.main(["--layouts", "restarts", "--messages", "40", "--out", str(out)]) == 0
    (row,) = read_rows(out)
    assert (row["wrong"], row["lost"]) == (0, 0)
    assert row["n"] > 100
