"""Without the extra `torch`: what needs it says so in one line, everything else works.

Here torch is hidden; .ci/check_lean runs the tests where it really is not installed.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any, Callable, Sequence

import pytest

from rasa_tokprune import load_encoder
from rasa_tokprune.cli import COMMANDS, main
from rasa_tokprune.encoder.backends import choice
from rasa_tokprune.encoder.backends.choice import choose, library_path
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.formats import Backend, Precision
from rasa_tokprune.encoder.shared import resolve_device
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.extras import EXTRAS, install_hint
from tests.real_data import ROOT

TORCH = r"pip install 'rasa-tokprune\[torch\]'"


@pytest.fixture(autouse=True)
def _no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hides torch and ONNX Runtime."""
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr(choice, "has_onnx", lambda: False)


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ({"backend": "torch"}, "^backend 'torch' needs torch"),
        ({"device": "cuda"}, "^device 'cuda' needs torch"),
        ({"device": "cuda:1"}, "^device 'cuda:1' needs torch"),
        ({"precision": "bf16"}, "^precision 'bf16' needs torch"),
        ({"precision": "fp32"}, "^precision 'fp32' needs torch or onnxruntime"),
    ],
)
def test_a_setting_that_needs_it_names_the_extra(tiny_bert: Path, setting: Any, named: str) -> None:
    with pytest.raises(ConfigError, match=f"{named}.*{TORCH}") as error:
        load_encoder(str(tiny_bert), **{"precision": "auto", **setting})
    assert "\n" not in str(error.value)


def test_without_a_gpu_library_auto_is_the_cpu() -> None:
    assert resolve_device("auto") == "cpu"


@pytest.mark.parametrize("device", ["gpu", "cuda:x", ""])
def test_a_wrong_device_is_not_blamed_on_the_installation(device: str) -> None:
    with pytest.raises(ConfigError, match="device must be 'cpu', 'cuda'"):
        resolve_device(device)


def test_a_cpu_of_any_age_gets_the_c_library(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = EncoderSpec.from_folder(tiny_bert)
    monkeypatch.setattr(choice, "library_path", lambda: tiny_bert / "library.so")
    for features in (frozenset({"avx2"}), frozenset({"avx2", "avx512_vnni"})):
        monkeypatch.setattr(choice, "cpu_features", lambda features=features: features)
        assert choose("auto", "auto", "cpu", spec) == (Backend.NATIVE, Precision.INT8)


def test_a_model_that_the_c_library_cannot_run_names_both_extras(
    new_checkpoint: Callable[..., Path],
) -> None:
    spec = EncoderSpec.from_folder(new_checkpoint(intermediate_size=50))
    with pytest.raises(ConfigError, match=rf"C library cannot run.*{TORCH}.*\[onnx\]"):
        choose("auto", "auto", "cpu", spec)


@pytest.mark.skipif(library_path() is None, reason="the C library was not built for this machine")
def test_encoding_needs_nothing_else(new_checkpoint: Callable[..., Path]) -> None:
    encoder = load_encoder(str(new_checkpoint(seed=61)), precision="auto")
    assert encoder.encode(["where is my parcel"]).any()
    assert encoder.model.backend is Backend.NATIVE


def test_training_an_adapter_names_the_extra(
    refusal: Callable[[Sequence[str]], str], tmp_path: Path
) -> None:
    line = refusal(["adapt", "--prune", "light", "--out", str(tmp_path)])
    assert line == (
        "rasa-tokprune adapt: 'adapt' needs torch, which is not installed: "
        "pip install 'rasa-tokprune[torch]'"
    )


def test_the_module_of_sentence_transformers_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = "rasa_tokprune.sentence_transformers"
    monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(ConfigError, match=f"^{name} needs sentence_transformers, which.*{TORCH}"):
        importlib.import_module(name)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([name, "--help"])
    assert f"rasa-tokprune {name}" in capsys.readouterr().out


def test_every_extra_named_in_a_hint_is_one() -> None:
    extras = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for library, extra in EXTRAS.items():
        assert f"\n{extra} = [" in extras
        assert install_hint(library) == f"pip install 'rasa-tokprune[{extra}]'"
