"""Makes the peers' environments, each a folder of its own, and measures what an install takes.

`python -m benchmarks.peers.environments` makes what is missing. With `--sizes FILE` it installs
every peer alone in an empty environment, adds the size of that to FILE and removes it again.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, Optional, Sequence

from tqdm import tqdm

from benchmarks.command import module_parser
from benchmarks.peers.registry import PEERS, PeerKind
from benchmarks.rows import append_row, measured
from benchmarks.tables import ROOT
from rasa_tokprune.commands.run import run_command
from rasa_tokprune.encoder.checkpoint.find import DEFAULT_MODEL, find_checkpoint
from rasa_tokprune.machine.environment import environment

FOLDER = ROOT / "results" / "benchmarks" / "peers"
# What reads PyTorch's weights once, to write TensorFlow's: no part of what a user installs.
_CONVERTING = "torch==2.12.1"
# Of an environment: what only GPUs use. PyPI's torch for Linux brings it along.
_FOR_GPUS = ("nvidia", "triton", "torch/lib/libtorch_cuda*", "torch/lib/libc10_cuda*", "cuda")
_CONVERT = """
import sys
from transformers import BertTokenizer, TFBertModel
TFBertModel.from_pretrained(sys.argv[1], from_pt=True).save_pretrained(sys.argv[2])
BertTokenizer.from_pretrained(sys.argv[1]).save_pretrained(sys.argv[2])
"""


def python_of(kind: PeerKind, folder: Path) -> Optional[Path]:
    """Returns the interpreter of a peer's environment, None if it was not made."""
    if kind.environment is None:
        return Path(sys.executable)
    python = folder / kind.environment / "bin" / "python"
    return python if python.is_file() else None


def checkpoint_of(kind: PeerKind, folder: Path) -> Path:
    """Returns the checkpoint's folder in the form a peer reads, written if it is missing.

    Rasa reads checkpoints with TensorFlow. Its own are downloaded; this one is converted, which
    keeps every number.
    """
    model = find_checkpoint(DEFAULT_MODEL).resolve()
    if not kind.needs_tensorflow_weights:
        return model
    converted = folder / "tensorflow"
    if not (converted / "tf_model.h5").is_file():
        command = [str(python_of(kind, folder)), "-c", _CONVERT, str(model), str(converted)]
        subprocess.run(command, check=True, capture_output=True)
    return converted


def make(path: Path, requirements: Sequence[str]) -> Path:
    """Makes an environment and returns its interpreter."""
    _make_empty(path)
    python = path / "bin" / "python"
    install = ["uv", "pip", "install", "-q", "--python", str(python), *requirements]
    subprocess.run(install, check=True, cwd=ROOT)
    return python


def _make_empty(path: Path) -> None:
    base = Path(sys.base_prefix) / "bin" / "python3"
    subprocess.run(["uv", "venv", "-q", "--python", str(base), str(path)], check=True)


def megabytes(paths: Sequence[Path]) -> float:
    """Returns the size of files, folders with all that lies in them; links are not followed."""
    total = 0
    for path in paths:
        files = [path] if path.is_file() else path.rglob("*")
        total += sum(each.lstat().st_size for each in files if not each.is_dir())
    return total / 1e6


def size_of(requirements: Sequence[str]) -> Dict[str, Any]:
    """Installs packages alone and returns their megabytes, and how many of these are for GPUs."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "environment"
        empty = Path(folder) / "empty"
        _make_empty(empty)
        python = make(path, requirements)
        (packages,) = path.glob("lib/python*/site-packages")
        listed = subprocess.run(
            ["uv", "pip", "freeze", "--python", str(python)],
            check=True,
            capture_output=True,
            text=True,
        )
        gpu = [found for pattern in _FOR_GPUS for found in packages.glob(pattern)]
        return {
            "packages_mb": megabytes([path]) - megabytes([empty]),
            "gpu_mb": megabytes(gpu),
            "n_packages": len(listed.stdout.splitlines()),
        }


def run(arguments: argparse.Namespace) -> None:
    """Makes environments, or measures sizes."""
    if arguments.sizes is None:
        _make_missing(arguments.peers, arguments.folder)
        return
    done = {name for (name,) in measured(arguments.sizes, "requirements")}
    wanted = dict.fromkeys(PEERS[name].requirements for name in arguments.peers)
    todo = [each for each in wanted if " ".join(each) not in done]
    model_mb = megabytes([find_checkpoint(DEFAULT_MODEL).resolve()])
    for requirements in tqdm(todo, desc="Installs"):
        row = {"requirements": " ".join(requirements), **size_of(requirements)}
        append_row({**row, "model_mb": model_mb, "environment": environment()}, arguments.sizes)


def _make_missing(names: Sequence[str], folder: Path) -> None:
    for name in names:
        kind = PEERS[name]
        if kind.environment is None or python_of(kind, folder) is not None:
            continue
        extra = [_CONVERTING] if kind.needs_tensorflow_weights else []
        path = folder / kind.environment
        shutil.rmtree(path, ignore_errors=True)
        make(path, [*kind.requirements, *extra])
        print(f"made: {path}")


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = module_parser(__file__, __doc__)
    made.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    add_environments(made)
    made.add_argument("--sizes", type=Path, metavar="FILE", help="measure sizes into this file")
    return made


def add_environments(parser: argparse.ArgumentParser) -> None:
    """Adds where the environments are."""
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help="of the environments; default: %(default)s"
    )


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    own = parser()
    return run_command(own.prog, run, own.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
