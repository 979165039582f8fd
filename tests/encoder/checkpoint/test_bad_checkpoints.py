"""Missing, damaged and unsupported models: one clear line each."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from rasa_tokprune.encoder import load_encoder
from rasa_tokprune.encoder.checkpoint import find as checkpoint_module
from rasa_tokprune.encoder.checkpoint.modules import read_json
from rasa_tokprune.errors import CheckpointError, ConfigError, NotDownloadedError
from tests.checkpoints import write_json


def edit_json(path: Path, **changes: Any) -> None:
    write_json(path, {**read_json(path), **changes})


def one_line(error: pytest.ExceptionInfo[Exception]) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("model", ["./no/such/folder", "/no/such/folder", "a/b/c"])
def test_missing_folder(model: str) -> None:
    with pytest.raises(CheckpointError, match="does not exist") as error:
        load_encoder(model)
    assert model in one_line(error)


def test_hub_id_while_offline() -> None:
    with pytest.raises(NotDownloadedError, match="downloads are not allowed") as error:
        load_encoder("someone/some-model", local_files_only=True)
    assert "someone/some-model" in one_line(error)


def test_invalid_hub_id() -> None:
    with pytest.raises(CheckpointError, match="neither an existing folder nor a valid hub id"):
        load_encoder("not a hub id!")


def test_hub_without_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import huggingface_hub

    def fail(*_: Any, **__: Any) -> None:
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fail)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    with pytest.raises(NotDownloadedError, match="downloading failed .ConnectionError: no route"):
        load_encoder("someone/some-model", cache_dir=str(tmp_path))


def test_unsupported_architecture_lists_the_supported(new_checkpoint: Callable[..., Path]) -> None:
    folder = new_checkpoint()
    edit_json(folder / "config.json", model_type="t5")
    with pytest.raises(
        CheckpointError, match=r"'t5'.*not supported.*bert.*mpnet.*xlm-roberta"
    ) as e:
        load_encoder(str(folder))
    one_line(e)


@pytest.mark.parametrize(
    ("file", "changes", "message"),
    [
        ("config.json", {"position_embedding_type": "relative_key"}, "relative_key"),
        ("config.json", {"hidden_act": "mish"}, "hidden_act 'mish'"),
        ("config.json", {"hidden_size": 64}, r"has shape .* asks for"),
        ("1_Pooling/config.json", {"pooling_mode": "lasttoken"}, "pooling 'lasttoken'"),
        ("modules.json", None, "module 'LSTM'"),
    ],
)
def test_unsupported_settings(
    new_checkpoint: Callable[..., Path], file: str, changes: Any, message: str
) -> None:
    folder = new_checkpoint()
    if changes is None:
        write_json(folder / file, [{"type": "sentence_transformers.models.LSTM", "path": "1"}])
    else:
        edit_json(folder / file, **changes)
    with pytest.raises(CheckpointError, match=message) as error:
        load_encoder(str(folder))
    one_line(error)


@pytest.mark.parametrize("size", [0, 7, 1000, -10])
def test_truncated_safetensors(new_checkpoint: Callable[..., Path], size: int) -> None:
    path = new_checkpoint() / "model.safetensors"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(CheckpointError, match="not a readable safetensors file") as error:
        load_encoder(str(path.parent))
    assert str(path) in one_line(error)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("config.json", "config.json' is missing"),
        ("tokenizer.json", "tokenizer.json' is missing"),
        ("model.safetensors", "holds no model.safetensors"),
        ("1_Pooling/config.json", "config.json' is missing"),
    ],
)
def test_missing_files(new_checkpoint: Callable[..., Path], file: str, message: str) -> None:
    folder = new_checkpoint()
    (folder / file).unlink()
    with pytest.raises(CheckpointError, match=message) as error:
        load_encoder(str(folder))
    one_line(error)


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "modules.json"])
def test_damaged_json(new_checkpoint: Callable[..., Path], file: str) -> None:
    folder = new_checkpoint()
    (folder / file).write_text('{"half')
    with pytest.raises(CheckpointError, match=f"{file}' cannot be read as JSON") as error:
        load_encoder(str(folder))
    one_line(error)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite(new_checkpoint: Callable[..., Path], value: float) -> None:
    path = new_checkpoint() / "model.safetensors"
    tensors = load_file(path)
    tensors["encoder.layer.1.output.dense.bias"][3] = value
    save_file(tensors, path)
    with pytest.raises(CheckpointError, match="layer.1.output.dense.bias.*NaN or infinite") as e:
        load_encoder(str(path.parent))
    one_line(e)


def test_missing_tensor_is_named(new_checkpoint: Callable[..., Path]) -> None:
    path = new_checkpoint() / "model.safetensors"
    tensors = load_file(path)
    del tensors["encoder.layer.2.attention.self.key.weight"]
    save_file(tensors, path)
    with pytest.raises(CheckpointError, match="lack 'encoder.layer.2.attention.self.key.weight'"):
        load_encoder(str(path.parent))


def test_prefixed_half_precision_shards_give_the_same_encoder(
    new_checkpoint: Callable[..., Path],
) -> None:
    folder = new_checkpoint()
    texts = ["where is my parcel", "hello"]
    path = folder / "model.safetensors"
    halves = {f"bert.{name}": tensor.astype(np.float16) for name, tensor in load_file(path).items()}
    single = {name[5:]: tensor.astype(np.float32) for name, tensor in halves.items()}
    save_file(single, path)
    expected = load_encoder(str(folder)).encode(texts)
    names = sorted(halves)
    parts = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for file, chosen in parts.items():
        save_file({name: halves[name] for name in chosen}, folder / file)
    path.unlink()
    weight_map = {name: file for file, chosen in parts.items() for name in chosen}
    write_json(folder / "model.safetensors.index.json", {"weight_map": weight_map})
    assert np.array_equal(load_encoder(str(folder)).encode(texts), expected)
    (folder / "b.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"b.safetensors' is missing"):
        load_encoder(str(folder))


def test_offline_package_with_other_weights_is_refused_with_both_hashes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "fake_minilm"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "model" / "model.safetensors").write_bytes(b"not the weights")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(
        checkpoint_module.OFFLINE_PACKAGES,
        checkpoint_module.DEFAULT_MODEL,
        ("fake_minilm", "model"),
    )
    actual = checkpoint_module.file_sha256(package / "model" / "model.safetensors")
    expected = checkpoint_module.OFFICIAL_SHA256[checkpoint_module.DEFAULT_MODEL]
    with pytest.raises(CheckpointError, match="not the official") as error:
        load_encoder()
    assert actual in one_line(error)
    assert expected in one_line(error)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_length": 2}, r"max_length must be in \[3, 80\].*got 2"),
        ({"max_length": 81}, r"max_length must be in \[3, 80\].*got 81"),
        ({"batch_size": 0}, "batch_size must be >= 1, got 0"),
        ({"device": "tpu9"}, "device must be 'cpu'"),
        ({"prune": "papper"}, "no plan 'papper'. Did you mean 'paper'"),
        ({"prune": "paper"}, "exists for encoders with 12, 24, 6 layers.*has 4"),
        ({"prune": "no/such.json"}, "plan file 'no/such.json' cannot be read"),
    ],
)
def test_wrong_settings(tiny_bert: Path, settings: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        load_encoder(str(tiny_bert), **settings)
    one_line(error)


def test_one_string_instead_of_a_list(tiny_bert: Path) -> None:
    with pytest.raises(ConfigError, match="texts must be a list of strings"):
        load_encoder(str(tiny_bert)).encode("hello")
