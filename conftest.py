"""Fixtures of all tests, those of the benchmarks included."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Sequence

import huggingface_hub.constants
import pytest
from ruamel.yaml import YAML

from rasa_tokprune.cli import main
from rasa_tokprune.extras import is_installed
from tests.bots_on_disk import BOT
from tests.checkpoints import write_checkpoint
from tests.plans import write_plan
from tests.real_data import SHARED_DATA

# Leaves out what needs a library that is not installed, and says so.
pytest_plugins = ["tests.needs"]


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Returns a function: architecture -> folder of a tiny random checkpoint, made once."""
    made: Dict[str, Path] = {}

    def get(architecture: str = "bert") -> Path:
        if architecture not in made:
            folder = tmp_path_factory.mktemp(f"tiny-{architecture}")
            made[architecture] = write_checkpoint(folder, architecture)
        return made[architecture]

    return get


@pytest.fixture(scope="session")
def tiny_bert(checkpoint: Callable[[str], Path]) -> Path:
    """Returns the folder of a tiny random BERT checkpoint: 4 layers, hidden size 32."""
    return checkpoint("bert")


@pytest.fixture
def new_checkpoint(tmp_path: Path) -> Callable[..., Path]:
    """Returns a function that writes another tiny checkpoint, see write_checkpoint."""
    count = iter(range(100))

    def make(architecture: str = "bert", **settings: Any) -> Path:
        return write_checkpoint(tmp_path / f"checkpoint{next(count)}", architecture, **settings)

    return make


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps every test off the network, whatever it loads."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    # The hub client reads its variable once, when it is imported.
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("RASA_TELEMETRY_ENABLED", "false")


@pytest.fixture(scope="session", autouse=True)
def _own_graph_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keeps graphs of random models out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RASA_TOKPRUNE_CACHE", str(tmp_path_factory.mktemp("graphs")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Tiny models gain nothing from threads and lose much when cores are busy."""
    if is_installed("torch"):
        import torch

        torch.set_num_threads(1)


@pytest.fixture
def financial_demo(shared_data: Path, tmp_path: Path) -> Path:
    """Returns a copy of a published bot."""
    source = shared_data.parent / "bots" / "financial-demo"
    return Path(shutil.copytree(source, tmp_path / "financial-demo"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Returns the folder of real intent tasks; skips where it is not there."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the shared intent tasks are not on this machine")
    return SHARED_DATA


@pytest.fixture
def refusal(capsys: pytest.CaptureFixture[str]) -> Callable[[Sequence[str]], str]:
    """Returns a function: arguments of `rasa-tokprune` -> the one clear line that refuses them."""

    def refuse(arguments: Sequence[str]) -> str:
        capsys.readouterr()
        assert main(arguments) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"rasa-tokprune {arguments[0]}: ")
        return line

    return refuse


@pytest.fixture(autouse=True)
def _own_rasa_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps Rasa's training cache of one test from answering for another."""
    monkeypatch.setenv("RASA_CACHE_DIRECTORY", str(tmp_path / "rasa-cache"))


@pytest.fixture
def plan_path(tmp_path: Path) -> Path:
    """Returns a plan file that really prunes the tiny encoders."""
    return write_plan(tmp_path / "plan.json")


@pytest.fixture
def write_config(tiny_bert: Path, plan_path: Path, tmp_path: Path) -> Callable[..., Path]:
    """Returns a function: pipeline and other keys -> config file; ours get the tiny encoder."""
    tiny = {"model": str(tiny_bert), "prune": str(plan_path)}

    def write(pipeline: List[Dict[str, Any]], **keys: Any) -> Path:
        filled = [{**tiny, **item} if "TokPrune" in item["name"] else item for item in pipeline]
        config = {"recipe": "default.v1", "assistant_id": "tiny", "language": "en", **keys}
        path = tmp_path / "config.yml"
        YAML(typ="safe").dump({**config, "pipeline": filled}, path)
        return path

    return write


@pytest.fixture
def train_nlu(write_config: Callable[..., Path], tmp_path: Path) -> Callable[..., str]:
    """Returns a function: pipeline -> archive of an NLU model of the tiny bot."""

    def train(pipeline: List[Dict[str, Any]], nlu: Path = BOT / "nlu.yml", **keys: Any) -> str:
        to_finetune = keys.pop("model_to_finetune", None)
        config = write_config(pipeline, **keys)
        output = tempfile.mkdtemp(dir=tmp_path)
        import rasa.model_training

        archive = rasa.model_training.train_nlu(
            str(config),
            str(nlu),
            output,
            domain=str(BOT / "domain.yml"),
            model_to_finetune=to_finetune,
        )
        assert archive is not None
        return archive

    return train
