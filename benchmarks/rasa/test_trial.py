"""Rasa's commands in processes of their own, and what is trained there."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.conftest import Refusal
from benchmarks.rasa import cross_validation, runs
from benchmarks.rasa.processes import RasaProcessError, run_module
from benchmarks.rasa.trial import run_trial
from rasa_tokprune.texts.tasks import Task
from tests.bots_on_disk import HELLO, REFUND, write_nlu
from tests.real_data import ROOT

EXAMPLE_BOT = ROOT / "example_bot"


def test_modules_run_in_any_folder(tmp_path: Path) -> None:
    printed = run_module("benchmarks.scale.classifier_timing", ["--help"], tmp_path)
    assert "usage: python -m benchmarks.scale.classifier_timing" in printed
    with pytest.raises(RasaProcessError, match="json.tool absent failed:(.|\\n)*No such file"):
        run_module("json.tool", ["absent"], tmp_path)


def test_keys_reach_this_packages_components_only() -> None:
    config = runs.config_with(EXAMPLE_BOT / "config_featurizer.yml", {"prune": "off"})
    pruned = [c["name"] for c in config["pipeline"] if c.get("prune") == "off"]
    ours = ("TokPruneFeaturizer", "TokPruneResponseSelector")
    assert pruned == [f"rasa_tokprune.{name}" for name in ours]


def test_what_is_measured_of_each_config() -> None:
    labels = {config: [label for label, _ in runs.variants(config)] for config in runs.CONFIGS}
    assert labels["config_diet.yml"] == ["none"]
    assert labels["config_featurizer.yml"][:2] == ["off", "drop 0.1"]
    assert labels["config.yml"][:3] == ["off", "default", "drop 0.1"]
    assert len(labels["config.yml"]) == 12


def test_what_is_there_is_not_measured_again(tmp_path: Path) -> None:
    out = tmp_path / "runs.jsonl"
    out.write_text('{"task": "bot", "config": "config_diet.yml", "prune": "none"}\n')
    before = out.read_text()
    task = Task("bot", EXAMPLE_BOT / "data", EXAMPLE_BOT / "tests" / "test_nlu.yml")
    runs.measure([task], EXAMPLE_BOT, ["config_diet.yml"], out)
    assert out.read_text() == before


def test_a_folder_without_a_bot(tmp_path: Path, refusal: Refusal) -> None:
    options = [str(tmp_path), "--out", str(tmp_path / "rows.jsonl")]
    assert "is no bot: it has no config.yml" in refusal(cross_validation.main, options)


@pytest.mark.slow
def test_a_pipeline_is_trained_and_asked(tmp_path: Path) -> None:
    train = write_nlu(tmp_path / "train.yml", {"hello": HELLO, "refund": REFUND})
    test = write_nlu(tmp_path / "test.yml", {"hello": HELLO[:2], "refund": REFUND[:2]})
    oos = tmp_path / "oos.txt"
    oos.write_text("sing me a song\n", encoding="utf-8")
    pipeline = [{"name": "WhitespaceTokenizer"}, {"name": "KeywordIntentClassifier"}]
    config = {"recipe": "default.v1", "assistant_id": "bot", "language": "en"}
    trial = run_trial(Task("bot", train, test, oos), {**config, "pipeline": pipeline})
    assert trial.train_s > 0
    assert trial.model_mb > 0
    assert (trial.parsed["n_test"], trial.parsed["accuracy"]) == (4, 1.0)
    assert trial.predictions.predicted == ["hello", "hello", "refund", "refund"]
    assert len(trial.predictions.oos_confidences) == 1
