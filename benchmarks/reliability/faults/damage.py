"""Damages model archives, tries them with a command and a running server; writes damage.jsonl.

The bot has a tiny random encoder, a plan and an adapter, all inside its archive. Every file in turn
is cut, changed in one bit, or taken from another bot's model; every archive has to be refused by
`rasa-tokprune parse` with one line, and by `PUT /model` of a server that goes on with what it had.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import io
import json
import re
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Optional, Sequence, Tuple

from tqdm import tqdm

from benchmarks.command import measuring_parser, run_measuring
from benchmarks.rasa.processes import running_server
from benchmarks.rows import Row, append_row
from rasa_tokprune.cli import main as rasa_tokprune
from rasa_tokprune.machine.environment import environment
from tests.adapters import random_adapter
from tests.bots_on_disk import write_nlu
from tests.checkpoints import write_checkpoint
from tests.plans import write_plan

Damage = Callable[[Path, Path], None]  # a component's folder, the same of the other bot
_INTENTS = {
    "greet": ["hello", "hi there", "good morning", "hey you"],
    "refund": ["i want my money back", "refund please", "give me a refund", "pay me back"],
    "order": ["where is my order", "order status", "has my order been sent", "track it"],
}
_MORE = (["more of it"], ["cancel my order now", "no money no honey"])
MESSAGE = "hello, where is my money"
_FOLDERS = re.compile(r"/(?:[\w.-]+/)+")  # of a path
_WEIGHTS, _ADAPTER, _PLAN = "encoder/model.safetensors", "adapter.safetensors", "encoder.json"
_PROTOTYPES, _NAMES = "prototypes.safetensors", "prototypes.json"


def _cut(name: str) -> Damage:
    def damage(own: Path, other: Path) -> None:
        content = (own / name).read_bytes()
        (own / name).write_bytes(content[: len(content) // 2])

    return damage


def _flip(name: str) -> Damage:
    def damage(own: Path, other: Path) -> None:
        content = bytearray((own / name).read_bytes())
        content[-3] ^= 0x04  # in the last number, or the last letters
        (own / name).write_bytes(content)

    return damage


def _swap(name: str) -> Damage:
    def damage(own: Path, other: Path) -> None:
        shutil.copyfile(other / name, own / name)

    return damage


def _remove(name: str) -> Damage:
    return lambda own, other: (own / name).unlink()


def _edit_plan(own: Path, other: Path) -> None:
    record = json.loads((own / _PLAN).read_text(encoding="utf-8"))
    record["plan"] = json.loads((other / _PLAN).read_text(encoding="utf-8"))["plan"]
    (own / _PLAN).write_text(json.dumps(record), encoding="utf-8")


def _edit_answer(own: Path, other: Path) -> None:
    text = (own / _NAMES).read_text(encoding="utf-8")
    (own / _NAMES).write_text(text.replace('"refund"', '"reward"'), encoding="utf-8")


DAMAGES: Tuple[Tuple[str, str, Damage], ...] = (
    ("weights", "cut in half", _cut(_WEIGHTS)),
    ("weights", "one bit changed", _flip(_WEIGHTS)),
    ("weights", "of another encoder", _swap(_WEIGHTS)),
    ("weights", "missing", _remove(_WEIGHTS)),
    ("adapter", "cut in half", _cut(_ADAPTER)),
    ("adapter", "one bit changed", _flip(_ADAPTER)),
    ("adapter", "of another model", _swap(_ADAPTER)),
    ("adapter", "missing", _remove(_ADAPTER)),
    ("plan", "cut in half", _cut(_PLAN)),
    ("plan", "edited", _edit_plan),
    ("plan", "of another model", _swap(_PLAN)),
    ("prototypes", "cut in half", _cut(_PROTOTYPES)),
    ("prototypes", "one bit changed", _flip(_PROTOTYPES)),
    ("prototypes", "of another model", _swap(_PROTOTYPES)),
    ("prototypes", "an intent renamed", _edit_answer),
    ("examples", "of another model", _swap("examples.json")),
    ("words", "of another model", _swap("lexical.safetensors")),
)


def train(folder: Path, seed: int) -> Path:
    """Trains a bot with an encoder, an adapter and a plan of its own; returns its archive."""
    from rasa.model_training import train_nlu

    folder.mkdir()
    encoder = write_checkpoint(folder / "tiny", "bert", seed=seed)
    random_adapter(encoder, seed=seed).save(folder / "random.safetensors")
    write_plan(folder / "plan.json", quantile=0.5 - 0.2 * seed)
    examples = {name: [*texts, *_MORE[seed]] for name, texts in _INTENTS.items()}
    write_nlu(folder / "nlu.yml", examples)
    component = {
        "name": "rasa_tokprune.TokPruneIntentClassifier",
        "model": str(encoder),
        "prune": str(folder / "plan.json"),
        "adapter": str(folder / "random.safetensors"),
        "bundle_encoder": True,
    }
    config = {"recipe": "default.v1", "assistant_id": "damage", "pipeline": [component]}
    (folder / "config.yml").write_text(json.dumps({**config, "language": "en"}), encoding="utf-8")
    out = str(folder / "models")
    train_nlu(str(folder / "config.yml"), str(folder / "nlu.yml"), out, fixed_model_name="model")
    return folder / "models" / "model.tar.gz"


@contextlib.contextmanager
def damaged(archive: Path, other: Path, damage: Damage, out: Path) -> Iterator[Path]:
    """Yields a copy of an archive in which one thing is not as it was."""
    with tempfile.TemporaryDirectory() as folder:
        places = []
        for number, path in enumerate((archive, other)):
            place = Path(folder) / str(number)
            with tarfile.open(path) as tar:
                tar.extractall(place)  # noqa: S202
            places.append(next(place.rglob(_PLAN)).parent)
        damage(*places)
        with tarfile.open(out, "w:gz") as tar:
            tar.add(Path(folder) / "0", arcname="")
    yield out
    out.unlink()


@contextlib.contextmanager
def cut_archive(archive: Path, out: Path) -> Iterator[Path]:
    """Yields the first half of an archive."""
    content = archive.read_bytes()
    out.write_bytes(content[: len(content) // 2])
    yield out


@contextlib.contextmanager
def escaping_archive(archive: Path, out: Path) -> Iterator[Path]:
    """Yields an archive with a file that wants to lie above the folder it is unpacked to."""
    with tarfile.open(archive) as tar, tarfile.open(out, "w:gz") as changed:
        for member in tar.getmembers():
            changed.addfile(member, tar.extractfile(member) if member.isfile() else None)
        member = tarfile.TarInfo("../../escaped.txt")
        changed.addfile(member, io.BytesIO(b""))
    yield out


def refusal(archive: Path) -> Tuple[int, str]:
    """Returns exit code and error lines of `rasa-tokprune parse` with a model."""
    printed, messages = io.StringIO(), archive.with_name("messages.txt")
    messages.write_text(MESSAGE, encoding="utf-8")
    with contextlib.redirect_stderr(printed), contextlib.redirect_stdout(io.StringIO()):
        code = rasa_tokprune(["parse", "--model", str(archive), "--quiet", str(messages)])
    return code, printed.getvalue()


def ask(port: int, method: str, path: str, body: Dict[str, Any]) -> Tuple[int, Any]:
    """Returns status and JSON of a server's answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    headers = {"Content-Type": "application/json"}
    connection.request(method, path, json.dumps(body).encode(), headers)
    response = connection.getresponse()
    content = response.read()
    return response.status, json.loads(content) if content else None


def try_on(port: int, archive: Path) -> Row:
    """Returns what a command and a server make of an archive, and what the server answers then."""
    before = ask(port, "POST", "/model/parse", {"text": MESSAGE})
    code, printed = refusal(archive)
    lines = printed.splitlines()
    status, _ = ask(port, "PUT", "/model", {"model_file": str(archive)})
    is_same = ask(port, "POST", "/model/parse", {"text": MESSAGE}) == before and before[0] == 200
    said = _FOLDERS.sub("/", lines[-1]) if lines else ""
    return {
        "code": code,
        "n_lines": len(lines),
        "said": said,
        "status": status,
        "answers_as_before": is_same,
        "is_right": code == 2 and len(lines) == 1 and status == 400 and is_same,
    }


def measure(arguments: argparse.Namespace) -> None:
    """Tries every damage; rows are written as they come."""
    arguments.out.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        own, other = train(folder / "own", 0), train(folder / "other", 1)
        out = folder / "damaged.tar.gz"
        with running_server(folder / "own", 1) as server:

            def add(what: str, how: str, archive: Path) -> None:
                row = {"what": what, "how": how, **try_on(server.port, archive)}
                append_row({**row, "environment": environment()}, arguments.out)

            with cut_archive(own, out) as archive:
                add("archive", "cut in half", archive)
            with escaping_archive(own, out) as archive:
                add("archive", "a path above its folder", archive)
            for what, how, damage in tqdm(DAMAGES[: arguments.n], desc="Damages"):
                with damaged(own, other, damage, out) as archive:
                    add(what, how, archive)


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "damage.jsonl")
    made.add_argument("--n", type=int, default=len(DAMAGES), help="only the first so many")
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
