"""Older layouts, unusual settings, prompts under pruning: as sentence-transformers reads them."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from rasa_tokprune.encoder import PruneMode, PruningPlan, load_encoder
from rasa_tokprune.encoder.checkpoint.modules import read_json
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.stable_fields import stable_fields
from rasa_tokprune.errors import CheckpointError, ConfigError
from tests.checkpoints import CORPUS, N_LAYERS, write_json

TEXTS = [*CORPUS, "", "a", " ".join(CORPUS)]


def test_transformer_in_a_sub_folder(new_checkpoint: Callable[..., Path]) -> None:
    folder = new_checkpoint()
    expected = load_encoder(str(folder)).encode(TEXTS)
    sub_folder = folder / "0_Transformer"
    sub_folder.mkdir()
    for path in folder.glob("*.*"):
        if path.name != "modules.json":
            shutil.move(path, sub_folder / path.name)
    modules = read_json(folder / "modules.json")
    modules[0]["path"] = "0_Transformer"
    write_json(folder / "modules.json", modules)
    np.testing.assert_array_equal(load_encoder(str(folder)).encode(TEXTS), expected)


def test_settings_file_of_another_name_overrules_the_tokenizer(
    new_checkpoint: Callable[..., Path],
) -> None:
    folder = new_checkpoint("roberta", max_seq_length=20)
    (folder / "sentence_bert_config.json").rename(folder / "sentence_roberta_config.json")
    settings = read_json(folder / "tokenizer_config.json")
    write_json(folder / "tokenizer_config.json", {**settings, "model_max_length": 10})
    assert load_encoder(str(folder)).max_length == 20
    expected = SentenceTransformer(str(folder), device="cpu").encode(TEXTS)
    np.testing.assert_allclose(load_encoder(str(folder)).encode(TEXTS), expected, atol=1e-5)


def test_pad_token_zero_shifts_no_position(tiny_bert: Path, tmp_path: Path) -> None:
    config = {**read_json(tiny_bert / "config.json"), "model_type": "roberta", "pad_token_id": 0}
    shutil.copytree(tiny_bert, tmp_path / "copy")
    write_json(tmp_path / "copy" / "config.json", config)
    assert EncoderSpec.from_folder(tmp_path / "copy").position_offset == 1


@pytest.mark.parametrize("path", ["../elsewhere", "/elsewhere"])
def test_module_outside_the_folder_is_refused(
    new_checkpoint: Callable[..., Path], path: str
) -> None:
    folder = new_checkpoint()
    modules = read_json(folder / "modules.json")
    modules[1]["path"] = path
    write_json(folder / "modules.json", modules)
    with pytest.raises(CheckpointError, match="leaves the folder"):
        load_encoder(str(folder))


@pytest.mark.parametrize("content", [{"a": 1}, [1], [{"path": ""}]])
def test_odd_module_lists_are_refused(new_checkpoint: Callable[..., Path], content: Any) -> None:
    folder = new_checkpoint()
    write_json(folder / "modules.json", content)
    with pytest.raises(CheckpointError, match="not a list of modules"):
        load_encoder(str(folder))


def with_prompt(folder: Path, prompt: str) -> str:
    settings = {"prompts": {"query": prompt}, "default_prompt_name": "query"}
    write_json(folder / "config_sentence_transformers.json", settings)
    return str(folder)


@pytest.mark.parametrize("mode", list(PruneMode))
def test_prompt_tokens_are_never_pruned(
    new_checkpoint: Callable[..., Path], mode: PruneMode
) -> None:
    folder = with_prompt(new_checkpoint(), "parcel parcel parcel ")
    plan = PruningPlan(N_LAYERS, (0.9, 0.0, 0.9, 0.0), mode=mode)
    encoded = load_encoder(folder, prune=plan).encode_detailed([CORPUS[0]])[0]
    assert encoded.tokens.n_prompt >= 4
    assert (encoded.pruned_after[: encoded.tokens.n_prompt] == -1).all()
    is_content = encoded.tokens.offsets[:, 1] > 0
    assert (encoded.pruned_after[is_content] == -1).sum() == 1


def test_prompt_that_fills_the_length_is_refused(new_checkpoint: Callable[..., Path]) -> None:
    folder = with_prompt(new_checkpoint(), "parcel " * 30)
    with pytest.raises(ConfigError, match="max_length 8 leaves no room"):
        load_encoder(folder, max_length=8)


@pytest.mark.parametrize("pooling", ["cls", "max", "mean", "mean_sqrt_len"])
def test_dropped_tokens_leave_every_kind_of_pooling(
    new_checkpoint: Callable[..., Path], pooling: str
) -> None:
    keys = {"cls": "cls_token", "max": "max_tokens", "mean": "mean_tokens"}
    key = keys.get(pooling, "mean_sqrt_len_tokens")
    folder = new_checkpoint(pooling={f"pooling_mode_{key}": True}, normalize=False)
    plan = PruningPlan(N_LAYERS, (0.5, 0.0, 0.5, 0.0), mode=PruneMode.DROP)
    for encoded in load_encoder(str(folder), prune=plan).encode_detailed(TEXTS):
        kept = encoded.states[encoded.pruned_after == -1]
        expected = {
            "cls": kept[0],
            "max": kept.max(axis=0),
            "mean": kept.mean(axis=0),
            "mean_sqrt_len": kept.sum(axis=0) / np.sqrt(len(kept)),
        }[pooling]
        np.testing.assert_allclose(encoded.embedding, expected, atol=1e-5)


def test_large_batches_are_cut_by_tokens_too(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = load_encoder(str(tiny_bert))
    expected = encoder.encode(TEXTS)
    monkeypatch.setattr("rasa_tokprune.encoder.encoder._MAX_BATCH_TOKENS", 20)
    np.testing.assert_allclose(encoder.encode(TEXTS), expected, atol=1e-6)


def test_a_setting_added_later_changes_no_stored_hash() -> None:
    @dataclasses.dataclass(frozen=True)
    class Settings:
        size: int
        pooling: str = "mean"

    @dataclasses.dataclass(frozen=True)
    class LaterSettings(Settings):
        added: float = 1.0

    assert stable_fields(Settings(3)) == stable_fields(LaterSettings(3)) == {"size": 3}
    assert stable_fields(LaterSettings(3, added=2.0)) == {"size": 3, "added": 2.0}
    spelled_out = PruningPlan(2, (0.3, 0.0), kept_layers=(0, 1))
    assert spelled_out.fingerprint() == PruningPlan(2, (0.3, 0.0)).fingerprint()
