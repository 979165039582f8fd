"""Published bots and tasks by others: the plugin drops in and holds its accuracy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from rasa.shared.utils.io import read_config_file, write_yaml

from rasa_tokprune.cli import main

pytestmark = pytest.mark.slow

CLASSIFIER = {"name": "rasa_tokprune.TokPruneIntentClassifier"}
FEATURIZER = {"name": "rasa_tokprune.TokPruneFeaturizer"}
# Or a model that is not part of Rasa.
NEED_A_SERVER = ("DucklingEntityExtractor", "SpacyNLP", "SpacyEntityExtractor")
# Whether it trains and loads is asked here, not how good its neural networks become.
FEW_EPOCHS = 2


def write_pipeline(bot: Path, edit: Callable[[List[Dict[str, Any]]], List[Dict[str, Any]]]) -> None:
    (bot / "config.yml").chmod(0o644)
    config = read_config_file(bot / "config.yml")
    left_out = (*NEED_A_SERVER, *(component["name"] for component in (CLASSIFIER, FEATURIZER)))
    published = [c for c in config["pipeline"] if c["name"] not in left_out]
    config["pipeline"] = edit(published)
    for component in (*config["pipeline"], *config["policies"]):
        if "epochs" in component:
            component["epochs"] = FEW_EPOCHS
    write_yaml(config, bot / "config.yml")


def after_diet(pipeline: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    position = [c["name"] for c in pipeline].index("DIETClassifier") + 1
    return [*pipeline[:position], CLASSIFIER, *pipeline[position:]]


def before_diet(pipeline: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    position = [c["name"] for c in pipeline].index("DIETClassifier")
    return [*pipeline[:position], FEATURIZER, *pipeline[position:]]


@pytest.mark.timeout(1800)
def test_financial_demo_trains_with_each_component(
    financial_demo: Path, rasa: Callable[..., str]
) -> None:
    for edit in (after_diet, before_diet):
        write_pipeline(financial_demo, edit)
        rasa(financial_demo, "train", "--fixed-model-name", edit.__name__)
        assert (financial_demo / "models" / f"{edit.__name__}.tar.gz").stat().st_size > 10_000


def test_banking77_5_shot(shared_data: Path, rasa: Callable[..., str], tmp_path: Path) -> None:
    keys = {**CLASSIFIER, "prune": "off"}
    config = {"version": "3.1", "recipe": "default.v1", "assistant_id": "test", "language": "en"}
    write_yaml({**config, "pipeline": [keys]}, tmp_path / "config.yml")
    data = shared_data / "banking77"
    rasa(tmp_path, "train", "nlu", "--nlu", str(data / "train_5shot.yml"), "--out", "models")
    test = ["test", "nlu", "--nlu", str(data / "test.yml"), "--no-plot", "--out", "results"]
    rasa(tmp_path, *test, "--model", "models")
    report = json.loads((tmp_path / "results" / "intent_report.json").read_text())
    assert report["accuracy"] >= 0.81


def test_bots_with_real_users_messages(shared_data: Path, tmp_path: Path) -> None:
    tasks = []
    for name in ("sofmattress", "powerplay11"):
        folder = shared_data / f"hint3_{name}"
        files = [str(folder / file) for file in ("train.yml", "test.yml", "test_oos.txt")]
        tasks += ["--task", name, *files]
    gates = ["--min-accuracy", "0.68", "--max-ece", "0.1", "--min-oos-auroc", "0.8"]
    gates += ["--min-oos-recall", "0.55", "--max-in-scope-rejection", "0.25"]
    options = ["--prune", "off", "--no-plots", "--quiet", "--out", str(tmp_path)]
    assert main(["evaluate", *tasks, *gates, *options]) == 0
