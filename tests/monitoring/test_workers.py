"""Several workers of one server: one port, one set of numbers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rasa_tokprune.monitoring.exposition import ADDRESS_VARIABLE, FOLDER_VARIABLE
from tests.monitoring.scraped import scrape
from tests.real_data import ROOT

_WORKER = """
import json, sys
from rasa_tokprune.monitoring.exposition import serve_once
from rasa_tokprune.monitoring.watch import watch
found = serve_once()
own = watch("TokPruneIntentClassifier")
list(own.rankings([[("greet", float(sys.argv[1]))]]))
print(json.dumps(found), flush=True)
sys.stdin.readline()
"""


def test_workers_share_a_port_and_their_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "new" / "folder"))
    monkeypatch.setenv("SANIC_WORKERS", "2")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    port = 0
    workers = []
    try:
        for confidence in ("0.9", "0.25"):
            monkeypatch.setenv(ADDRESS_VARIABLE, f"127.0.0.1:{port}")
            worker = subprocess.Popen(
                [sys.executable, "-c", _WORKER, confidence],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            workers.append(worker)
            assert worker.stdout is not None
            lines = iter(worker.stdout.readline, "")
            # The log is on stdout, too.
            host, port = json.loads(next(line for line in lines if line.startswith('["')))
        for _ in range(6):  # whichever of the two answers
            found = scrape(host, port)
            assert found["rasa_tokprune_messages_total", "TokPruneIntentClassifier"] == 2
            below = found["rasa_tokprune_below_operating_point_total", "TokPruneIntentClassifier"]
            assert below == 1
    finally:
        for worker in workers:
            worker.communicate("\n", timeout=30)
