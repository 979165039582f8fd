"""Stages in one command and in two, and what a training starts from."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, List

import numpy as np
import pytest

from rasa_tokprune.cli import main
from rasa_tokprune.encoder.adapters.adapter import Adapter

pytestmark = [pytest.mark.thorough, pytest.mark.needs("torch")]

History = Callable[[str], List[Dict[str, Any]]]


def adapter_in(folder: Path) -> Adapter:
    return Adapter.load(folder / "adapter.safetensors")


def test_two_stages_are_two_commands(
    arguments: List[str], tmp_path: Path, history: History
) -> None:
    assert main(arguments) == 0
    first = [*arguments, "--out", str(tmp_path / "first"), "--contrast-steps", "0"]
    assert main(first) == 0
    start = ["--start", str(tmp_path / "first" / "adapter.safetensors"), "--steps", "0"]
    assert main([*arguments, "--out", str(tmp_path / "second"), *start]) == 0
    whole, halves = history("own"), [*history("first"), *history("second")]
    assert [entry["stage"] for entry in whole] == ["distillation"] * 3 + ["contrast"] * 2
    assert whole == halves
    one, two = adapter_in(tmp_path / "own"), adapter_in(tmp_path / "second")
    assert one.tensors.keys() == two.tensors.keys()
    for name, tensor in one.tensors.items():
        np.testing.assert_array_equal(tensor, two.tensors[name])


def test_it_goes_on_from_an_adapter(
    arguments: List[str],
    tmp_path: Path,
    history: History,
    provenance: Callable[[str], Dict[str, Any]],
) -> None:
    distil = [*arguments, "--steps", "40", "--contrast-steps", "0"]
    assert main(distil) == 0
    first = tmp_path / "own" / "adapter.safetensors"
    assert main([*distil, "--out", str(tmp_path / "on"), "--start", str(first)]) == 0
    own, on = history("own"), history("on")
    best = min(entry["held_out"] for entry in own)
    assert best < own[0]["held_out"]
    assert on[0]["held_out"] == pytest.approx(best, rel=0.02)  # stored in half precision
    assert provenance("on")["start"] == f"own {Adapter.load(first).identity}"
    assert "start" not in provenance("own")


def test_an_adapter_of_another_rank_is_refused(
    arguments: List[str], tmp_path: Path, refusal: Callable[[List[str]], str]
) -> None:
    assert main(arguments) == 0
    first = tmp_path / "own" / "adapter.safetensors"
    line = refusal([*arguments, "--start", str(first), "--rank", "3"])
    assert "go on with the rank it has" in line


def test_an_adapter_of_another_encoder_is_refused(
    arguments: List[str],
    tmp_path: Path,
    new_checkpoint: Callable[..., Path],
    refusal: Callable[[List[str]], str],
) -> None:
    assert main(arguments) == 0
    other = str(new_checkpoint("bert", seed=1))
    start = ["--start", str(tmp_path / "own" / "adapter.safetensors")]
    line = refusal([*arguments, "--model", other, "--out", str(tmp_path / "other"), *start])
    assert "adapter 'own'" in line


def test_without_labels_there_is_no_contrast(
    arguments: List[str], tmp_path: Path, history: History, refusal: Callable[[List[str]], str]
) -> None:
    texts = ["--leave", "shop", "--texts", str(tmp_path / "log.txt"), str(tmp_path / "nlu.yml")]
    assert main([*arguments, *texts]) == 0
    assert {entry["stage"] for entry in history("own")} == {"distillation"}
    line = refusal([*arguments, *texts, "--steps", "0", "--out", str(tmp_path / "none")])
    assert "there are no steps: contrast_steps needs labelled texts, steps is 0" in line
