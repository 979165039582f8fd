"""A copy of a checkpoint is complete and says whose it is, not where it lay."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Callable

import pytest

from rasa_tokprune.encoder.checkpoint.copies import copy_checkpoint, write_json
from rasa_tokprune.encoder.checkpoint.find import checkpoint_identity
from rasa_tokprune.encoder.checkpoint.modules import read_json
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.tokens import read_tokenizer


def identity(folder: Path) -> str:
    return checkpoint_identity(folder, EncoderSpec.from_folder(folder), read_tokenizer(folder))


def copy(folder: Path, target: Path, **settings: Any) -> Path:
    copy_checkpoint(folder, EncoderSpec.from_folder(folder), target, **settings)
    return target


@pytest.mark.parametrize(
    ("value", "stays"),
    [
        ("nreimers/MiniLM", True),
        ("./model", True),
        ("/data/model", False),
        ("~/model", False),
        ("C:\\models\\mine", False),
    ],
)
def test_paths_of_a_machine_stay_behind(
    new_checkpoint: Callable[..., Path], tmp_path: Path, value: str, stays: bool
) -> None:
    folder = new_checkpoint()
    config = read_json(folder / "config.json")
    write_json({**config, "_name_or_path": value}, folder / "config.json")
    copied = read_json(copy(folder, tmp_path / "copy") / "config.json")
    assert copied == ({**config, "_name_or_path": value} if stays else config)
    assert identity(tmp_path / "copy") == identity(folder)


def test_what_is_copied(new_checkpoint: Callable[..., Path], tmp_path: Path) -> None:
    folder = new_checkpoint()
    for name in ("README.md", "LICENSE.txt", "NOTICE", "vocab.txt", "optimizer.bin", "notes.txt"):
        (folder / name).write_text(name, encoding="utf-8")
    copied = copy(folder, tmp_path / "copy")
    names = {path.relative_to(copied).as_posix() for path in copied.rglob("*") if path.is_file()}
    assert names == {
        "1_Pooling/config.json",
        "LICENSE.txt",
        "NOTICE",
        "README.base.md",
        "config.json",
        "model.safetensors",
        "modules.json",
        "sentence_bert_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
    }
    # A copy of the copy keeps the card of the first.
    (copied / "README.md").write_text("the copy's own", encoding="utf-8")
    again = copy(copied, tmp_path / "again", with_layers=False)
    assert (again / "README.base.md").read_text() == "README.md"
    assert not (again / "model.safetensors").exists()


def test_a_file_is_replaced_not_written_into(tiny_bert: Path, tmp_path: Path) -> None:
    # A process that has mapped the old one goes on reading it.
    target = tmp_path / "copy"
    target.mkdir()
    (target / "model.safetensors").write_bytes(b"old")
    os.link(target / "model.safetensors", tmp_path / "mapped")
    copy(tiny_bert, target)
    assert (tmp_path / "mapped").read_bytes() == b"old"
    assert identity(target) == identity(tiny_bert)


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    write_json({"a": 1}, path)
    with pytest.raises(TypeError):
        write_json({"a": object()}, path)
    assert json.loads(path.read_text()) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]
