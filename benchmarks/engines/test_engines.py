"""Names, plans, and the peers' graphs."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import List

import numpy as np
import pytest

from benchmarks.engines import registry
from benchmarks.engines.plans import BENCHMARK_PLANS, benchmark_plan, quantile_plan_name
from benchmarks.engines.registry import build, label, prepare
from benchmarks.engines.settings import EngineSettings
from rasa_tokprune.errors import ConfigError


def test_unknown_engine_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="no engine 'onnxruntime:int9'. Did you mean 'onnxruntim"):
        registry.check_engines(["onnxruntime:int9"])
    registry.check_engines(["ours:native:int8:off"])


def test_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="'openvino:int8' needs .* uv sync --group benchmarks"):
        registry.check_engines(["openvino:int8"])


def test_label_hides_the_folder_of_a_plan() -> None:
    assert label("ours:onnx:int8:/home/me/plans/mine.json") == "ours:onnx:int8:mine"
    assert label("ours:onnx:int8:drop") == "ours:onnx:int8:drop"


def test_plans_by_name(tmp_path: Path) -> None:
    plan = benchmark_plan(quantile_plan_name("drop", 0.3, (1, 3)), 6)
    assert plan.thresholds == (0, 0.3, 0, 0.3, 0, 0)
    assert (plan.mode.value, plan.min_tokens) == ("drop", 0)
    assert benchmark_plan("off", 4).is_identity
    assert benchmark_plan("freeze", 6) == BENCHMARK_PLANS["freeze"]
    plan.save(tmp_path / "mine.json")
    assert benchmark_plan(tmp_path / "mine.json", 6).thresholds == plan.thresholds
    with pytest.raises(ConfigError, match="for encoders with 6 layers"):
        benchmark_plan("drop", 4)


@pytest.mark.thorough
def test_peers_agree(tiny_bert: Path, messages: List[str], tmp_path: Path) -> None:
    """The graphs the peers run compute what sentence-transformers computes."""
    for package in ("onnxruntime", "onnx", "sentence_transformers"):
        pytest.importorskip(package)
    reference = build(EngineSettings("sentence-transformers", tiny_bert, tmp_path))
    expected = reference.encode(messages)
    for name, tolerance in (("onnxruntime:fp32", 1e-4), ("onnxruntime:int8", 0.1)):
        settings = EngineSettings(name, tiny_bert, tmp_path)
        prepare(settings)
        engine = build(settings)
        assert engine.facts["variant"] in engine.facts["variant_ms"]
        found = engine.encode(messages)
        np.testing.assert_allclose((found * expected).sum(axis=1), 1, atol=tolerance)
        np.testing.assert_allclose(engine.encode(messages[:1]), found[:1], atol=tolerance)


def test_attention_is_fused_in_one_of_the_graphs(tiny_bert: Path, tmp_path: Path) -> None:
    optimizer = pytest.importorskip("onnxruntime.transformers.optimizer")
    from benchmarks.engines.bert_export import export

    path = export(tiny_bert, tmp_path / "matched.onnx", is_matched=True)
    fused = optimizer.optimize_model(str(path), model_type="bert", num_heads=4, hidden_size=32)
    assert fused.get_fused_operator_statistics()["Attention"] == 4
