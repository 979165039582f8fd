"""Offers of models, tables, and one short real run."""

from __future__ import annotations

import http.client
import shutil
import threading
from pathlib import Path
from typing import Any, Dict, Iterator, Optional, Tuple

import pytest

from benchmarks.conftest import ENVIRONMENT, Refusal
from benchmarks.reliability.lifecycle import lifecycle, tables
from benchmarks.reliability.lifecycle.offers import ModelOffers
from benchmarks.reliability.lifecycle.training import _training_data
from benchmarks.rows import read_rows
from tests.real_data import ROOT

ABOUT: Dict[str, Any] = {"environment": ENVIRONMENT, "load_average": 1.0, "lost": 0, "wrong": 0}


@pytest.fixture
def offers(tmp_path: Path) -> Iterator[ModelOffers]:
    archives = [tmp_path / name for name in ("a.tar.gz", "b.tar.gz")]
    for archive in archives:
        archive.write_bytes(archive.name.encode())
    server = ModelOffers(archives, every_s=0.5)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def get(port: int, known: Optional[str]) -> Tuple[int, Optional[str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/", headers={"If-None-Match": known} if known else {})
    answer = connection.getresponse()
    return answer.status, answer.getheader("ETag"), answer.read()


def test_a_model_is_offered_until_it_is_known(offers: ModelOffers) -> None:
    status, tag, content = get(offers.server_port, None)
    assert status == 200
    assert tag is not None
    assert content == (b"a.tar.gz" if int(tag[6:]) % 2 == 0 else b"b.tar.gz")
    while offers.current() == tag:
        assert get(offers.server_port, tag)[0] in (200, 304)
    status, other, new = get(offers.server_port, tag)
    assert (status, other) != (304, tag)
    assert new != content


def test_a_bot_becomes_one_document(tmp_path: Path) -> None:
    from ruamel.yaml import YAML

    merged = YAML(typ="safe").load(_training_data(ROOT / "example_bot"))
    names = {str(entry.get("intent")) for entry in merged["nlu"]}
    assert {"greet", "faq/shipping_cost"} <= names, "of both files"
    assert {"pipeline", "policies", "responses", "stories", "rules"} <= set(merged)


def test_tables() -> None:
    samples = [{"seconds": 2.0, "anonymous_mb": mb} for mb in (90.0, 95.0, 100.0, 102.0, 102.0)]
    row = {"kind": "reloads", "reloads": 5, "n": 10, "samples": samples, **ABOUT}
    assert "| 5 | 2.0 | 10 | 0 | 0 | 100 | 102 | +2.0% |" in tables.reloads_table([row])
    times = {"p50_ms": 1.0, "p99_ms": 2.0, "longest_ms": 900.0}
    pulled = {"kind": "model server", "models_taken": 12, "seconds": 120.0, "every_s": 10}
    text = tables.changes_table([{**pulled, "n": 7, **times, **ABOUT}])
    assert "12 new models in 120 s (a shorter run), asked every 10 s | 7 | 0 | 0 | 1 | 2" in text
    trained = {"kind": "training while parsing", "train_s": 30.0, "trained_bytes": 2_000_000}
    assert "(30 s, a model of 2.0 MB) | 7 |" in tables.changes_table(
        [{**trained, "n": 7, **times, **ABOUT}]
    )
    ends = [{"start_s": 20.0, "end_s": 1.0 * n, "exit_code": n or None} for n in (0, 2)]
    ended = {"kind": "SIGTERM", "settings": {"workers": 2, "busy": 4}, "n": 9, "ended": ends}
    ended.update({**ABOUT, "lost": 4})
    assert "| 2 | 4 | 2 | 9 | 5 | 4 | 2.0 | 2: 1, did not end: 1 | 20 |" in tables.endings_table(
        [ended]
    )


def test_one_line_errors(tmp_path: Path, refusal: Refusal) -> None:
    out = ["--out", str(tmp_path / "rows.jsonl")]
    assert "no part 'reload'. Did you mean 'reloads'" in refusal(
        lifecycle.main, [*out, "--parts", "reload"]
    )
    assert "from 1, got 0" in refusal(lifecycle.main, [*out, "--reloads", "0"])
    assert "from 1, got 0" in refusal(lifecycle.main, [*out, "--ends", "0"])


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs redis-server")
def test_reloads_and_an_end(tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    options = ["--parts", "reloads", "sigterm", "--reloads", "6", "--ends", "1"]
    options += ["--out", str(out)]
    assert lifecycle.main(options) == 0
    reloaded, *ended = read_rows(out)
    assert (reloaded["wrong"], reloaded["lost"]) == (0, 0)
    assert len(reloaded["samples"]) == 6
    settings = [(row["settings"]["busy"], row["settings"]["workers"]) for row in ended]
    assert settings == [(0, 1), (0, 2), (4, 1), (4, 2)]
    assert all(row["wrong"] == 0 for row in ended)
    # On a busy machine a server may not end, as one did in earlier trials: its row says so.
    assert any(row["ended"][0]["exit_code"] == 0 for row in ended)
