"""The example bot validates, trains, passes its own tests, and answers over HTTP."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Iterator, List

import pytest
import requests
from rasa.shared.nlu.training_data.loading import load_data

pytestmark = pytest.mark.slow

CONFIGS = ["config.yml", "config_featurizer.yml"]
# Intent accuracy and share of right dialogue steps to hold. The second trains DIET, whose result
# varies from run to run; in the first nothing does.
BOUNDS = {"config": (0.9, 0.95), "config_featurizer": (0.7, 0.85)}


@pytest.fixture(scope="module", params=CONFIGS)
def trained(request: pytest.FixtureRequest, example_bot: Path, rasa: Callable[..., str]) -> str:
    """Trains the bot with one of its configurations and returns the model's path."""
    name = request.param.replace(".yml", "")
    rasa(example_bot, "train", "--config", request.param, "--fixed-model-name", name)
    return f"models/{name}.tar.gz"


def test_data_is_valid(example_bot: Path, rasa: Callable[..., str]) -> None:
    for config in CONFIGS:
        output = rasa(example_bot, "data", "validate", "--fail-on-warnings", "--config", config)
        assert "No story structure conflicts found" in output


def test_stories_and_messages(
    example_bot: Path, trained: str, rasa: Callable[..., str], tmp_path: Path
) -> None:
    intent_bound, story_bound = BOUNDS[Path(trained).name.split(".")[0]]
    stories = ["--e2e", "--stories", "tests/test_stories.yml", "--no-plot"]
    rasa(example_bot, "test", "core", *stories, "--model", trained, "--out", str(tmp_path))
    report = json.loads((tmp_path / "story_report.json").read_text())
    assert report["accuracy"] >= story_bound
    nlu = ["--nlu", "tests/test_nlu.yml", "--no-plot"]
    rasa(example_bot, "test", "nlu", *nlu, "--model", trained, "--out", str(tmp_path))
    report = json.loads((tmp_path / "intent_report.json").read_text())
    assert report["accuracy"] >= intent_bound
    # The selector is the same in both, and is asked whatever the intent.
    report = json.loads((tmp_path / "response_selection_report.json").read_text())
    assert report["weighted avg"]["support"] == 48
    assert report["accuracy"] >= 0.95


@contextlib.contextmanager
def server(folder: Path, model: str) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "rasa", "run", "--enable-api", "--model", model]
    process = subprocess.Popen(
        [*command, "--interface", "127.0.0.1", "--port", str(port)],
        cwd=folder,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(requests.ConnectionError):
                if requests.get(f"{url}/status", timeout=5).ok:
                    break
            time.sleep(0.5)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def parse(url: str, text: str) -> Any:
    answer = requests.post(f"{url}/model/parse", json={"text": text}, timeout=30)
    assert answer.ok, answer.text
    return answer.json()


def say(url: str, text: str) -> List[str]:
    message = {"sender": "test", "message": text}
    answer = requests.post(f"{url}/webhooks/rest/webhook", json=message, timeout=30)
    assert answer.ok, answer.text
    return [part["text"] for part in answer.json()]


def test_server_parses_and_talks(example_bot: Path, trained: str) -> None:
    with server(example_bot, trained) as url:
        found = parse(url, "where is my parcel, order CB-12345")
        assert found["intent"]["name"] == "track_order"
        assert found["intent_ranking"][0] == found["intent"]
        assert [e["value"] for e in found["entities"] if e["entity"] == "order_number"]
        found = parse(url, "do you ship to Switzerland?")
        assert found["intent"]["name"] == "faq"
        selected = found["response_selector"]["faq"]["response"]
        assert selected["intent_response_key"] == "faq/ship_abroad"
        assert say(url, "do you ship to Switzerland?") == [selected["responses"][0]["text"]]
        for odd in ("", "   ", "👋👋", "\u05e9\u05dc\u05d5\u05dd", "x" * 20_000):
            assert 0 <= parse(url, odd)["intent"]["confidence"] <= 1
        assert say(url, "hello there")
        asked = say(url, "I want to return my grinder")
        assert any("order" in text.lower() for text in asked), asked
        assert any("CB-20341" in text for text in say(url, "CB-20341"))


def test_out_of_scope_messages_fall_back_more_often(example_bot: Path, trained: str) -> None:
    strange = (example_bot / "tests" / "out_of_scope.txt").read_text(encoding="utf-8").splitlines()
    strange = [line for line in strange if line and not line.startswith("#")]
    nlu = load_data(str(example_bot / "tests" / "test_nlu.yml"))
    known = [example.get("text") for example in nlu.intent_examples]
    with server(example_bot, trained) as url:
        shares = [
            sum(parse(url, text)["intent"]["name"] == "nlu_fallback" for text in texts) / len(texts)
            for texts in (strange, known)
        ]
    assert len(strange) >= 60
    if "featurizer" in trained:  # DIET decides
        assert shares[0] > shares[1]
    else:
        assert shares[0] >= 0.5
        assert shares[1] <= 0.05
