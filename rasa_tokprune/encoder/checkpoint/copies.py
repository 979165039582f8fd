"""Copies a checkpoint: what loads it anywhere, and what says whose it is; no weights of others."""

from __future__ import annotations

import contextlib
import json
import ntpath
import os
import posixpath
import shutil
import tempfile
from pathlib import Path
from typing import Any, Iterator, List

from rasa_tokprune.encoder.checkpoint.find import checkpoint_files
from rasa_tokprune.encoder.checkpoint.modules import read_json, transformer_folder
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.checkpoint.weights import weight_files

# The source's own model card, under a name that leaves room for the copy's.
BASE_CARD = "README.base.md"
INDEX = "model.safetensors.index.json"
# A tokenizer's files besides tokenizer.json: some runtimes read these.
_TOKENIZER_FILES = (
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "sentencepiece.bpe.model",
    "special_tokens_map.json",
    "added_tokens.json",
)
_NOTICES = ("LICENSE*", "LICENCE*", "NOTICE*")
# Settings in which older libraries wrote where a file lay on the machine that saved it.
_WITH_PATHS = ("config.json", "tokenizer_config.json")
_PATH_KEYS = (
    "_name_or_path",
    "name_or_path",
    "tokenizer_file",
    "vocab_file",
    "merges_file",
    "special_tokens_map_file",
)


def copy_checkpoint(
    folder: Path, spec: EncoderSpec, target: Path, *, with_layers: bool = True
) -> None:
    """Copies a checkpoint; paths of the machine that it was saved on stay behind.

    The copy has the identity of the original. Its model card is called `README.base.md`, licences
    and notices keep their names.

    Args:
        folder: The checkpoint.
        spec: Its specification.
        target: Where to; made if need be. Files of the same name are replaced whole.
        with_layers: False leaves out the transformer's weights, for others to be written.

    Raises:
        CheckpointError: If the checkpoint is not complete.
        OSError: If a file cannot be read or written.
    """
    for name in _files(folder, spec, with_layers):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if name.name in _WITH_PATHS:
            settings = read_json(folder / name)
            if _without_paths(settings) != settings:
                write_json(_without_paths(settings), target / name)
                continue
        _copy(folder / name, target / name)
    card = folder / BASE_CARD if (folder / BASE_CARD).is_file() else folder / "README.md"
    if card.is_file():
        _copy(card, target / BASE_CARD)


def write_json(content: Any, path: Path) -> None:
    """Writes a JSON file whole or not at all."""
    with _replacing(path) as temporary:
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        temporary.write_text(text, encoding="utf-8")


def _files(folder: Path, spec: EncoderSpec, with_layers: bool) -> List[Path]:
    """Returns what is copied, relative to `folder`."""
    base = transformer_folder(folder)
    found = {base / name for name in _TOKENIZER_FILES if (base / name).is_file()}
    for pattern in _NOTICES:
        found |= {path for path in folder.glob(pattern) if path.is_file()}
    names = {*checkpoint_files(folder, spec), *(path.relative_to(folder) for path in found)}
    if not with_layers:
        weights = [*weight_files(base), base / INDEX]
        names -= {path.relative_to(folder) for path in weights}
    return sorted(names)


def _without_paths(settings: Any) -> Any:
    if not isinstance(settings, dict):
        return settings
    return {
        key: value
        for key, value in settings.items()
        if not (key in _PATH_KEYS and isinstance(value, str) and _is_absolute(value))
    }


def _is_absolute(name: str) -> bool:
    return name.startswith("~") or posixpath.isabs(name) or bool(ntpath.splitdrive(name)[0])


def _copy(source: Path, target: Path) -> None:
    if target.exists() and source.samefile(target):
        return  # saved where it was loaded
    with _replacing(target) as temporary:
        shutil.copyfile(source, temporary)


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Yields a file to write that then takes another's place: someone may have mapped that one."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder:
        temporary = Path(folder) / path.name
        yield temporary
        os.replace(temporary, path)
