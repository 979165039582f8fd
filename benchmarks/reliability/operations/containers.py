"""Builds example_bot/deploy with Docker, starts it, and puts a new model in its place under load.

The commands are those of compose.yml: two replicas behind nginx, conversations in Redis. Clients
hold conversations from before the first new replica until after the second one. Where no registry
of images is reached, `.ci/stand_in_images` makes the three images that it builds on.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence

from benchmarks.command import measuring_parser, run_measuring
from benchmarks.rasa.processes import RasaProcessError
from benchmarks.reliability.serving.bot import (
    EXAMPLE_BOT,
    MODEL,
    Conversation,
    bot_messages,
    conversations_of,
    expected_of,
    train_bot,
)
from benchmarks.reliability.serving.load import talk_during
from benchmarks.reliability.serving.running import need
from benchmarks.reliability.serving.serving import about_now
from benchmarks.rows import Row, RowStore
from benchmarks.tables import ROOT

ROWS, DEPLOY = "containers.jsonl", "deploy"
REPLICAS = ("rasa1", "rasa2")
_IMAGE, _BASE, _FRONT = "bot", "python:3.10-slim", 8080
_N_CONVERSATIONS, _TURNS, _N_CLIENTS = 40, 5, 4
_AROUND_S = 2.0
# A project of its own: a bot that runs here keeps its volumes.
_COMPOSE = (
    "docker",
    "compose",
    "--project-name",
    "rasa-tokprune-try",
    "--file",
    "deploy/compose.yml",
)
_SHOWN = 3000


def call(command: Sequence[str], folder: Path, read: str = "") -> str:
    """Returns what a command prints that reads this.

    Raises:
        RasaProcessError: If it fails; with the end of what it printed.
    """
    ended = subprocess.run(list(command), cwd=folder, input=read, capture_output=True, text=True)
    if ended.returncode:
        printed = (ended.stdout + ended.stderr)[-_SHOWN:]
        raise RasaProcessError(f"{' '.join(command)}: exit code {ended.returncode}\n{printed}")
    return ended.stdout.strip()


class Containers:
    """The bot's folder, as its owner has it, and what runs of it."""

    def __init__(self, folder: Path, archive: Path) -> None:
        """Lays out the folder: the bot, a wheel of this package, and the trained model."""
        self.folder = folder
        shutil.copytree(archive.parent, folder, ignore=shutil.ignore_patterns(MODEL, DEPLOY))
        shutil.copytree(EXAMPLE_BOT / DEPLOY, folder / DEPLOY)
        call([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", str(ROOT), "-w",
              str(folder / "wheels")], folder)  # fmt: skip
        self.take(archive)

    def take(self, archive: Path) -> None:
        """Puts a model where the image takes it from."""
        (self.folder / "models").mkdir(exist_ok=True)
        shutil.copy(archive, self.folder / "models" / "bot.tar.gz")

    def compose(self, *command: str) -> str:
        """Runs `docker compose`."""
        return call([*_COMPOSE, *command], self.folder)

    def docker(self, *command: str) -> str:
        """Runs `docker`."""
        return call(["docker", *command], self.folder)

    def replicas(self) -> List[str]:
        """Returns the replicas' containers."""
        return [self.compose("ps", "--all", "--quiet", name) for name in REPLICAS]

    def inside(self, *command: str) -> str:
        """Runs a command in the first replica."""
        return self.compose("exec", "--no-TTY", REPLICAS[0], *command)

    def roll_out(self) -> None:
        """Gives each replica the image that is built, one after the other."""
        for name in REPLICAS:
            self.compose("up", "--no-deps", "--wait", name)


@contextlib.contextmanager
def started(containers: Containers) -> Iterator[Dict[str, float]]:
    """Builds and starts everything, and removes it after the block; says how long it took."""
    start = time.perf_counter()
    containers.compose("build")
    built = time.perf_counter()
    try:
        containers.compose("up", "--detach", "--wait")
        yield {"build_s": built - start, "healthy_s": time.perf_counter() - built}
    finally:
        containers.compose("down", "--volumes")


def looked_at(containers: Containers) -> Row:
    """Returns what is to be seen of the image and of a container."""
    base = json.loads(containers.docker("image", "inspect", _BASE))[0]
    image = json.loads(containers.docker("image", "inspect", _IMAGE))[0]
    memory = containers.docker(
        "stats", "--no-stream", "--format", "{{.MemUsage}}", *containers.replicas()
    )
    probe = "import pathlib as p, sys; p.Path(sys.argv[1]).write_text('')"
    writable = {}
    for place in ("/app", "/venv", "/cache", "/tmp"):  # noqa: S108 # of the container
        try:
            containers.inside("python", "-c", probe, f"{place}/probe")
            writable[place] = True
        except RasaProcessError:
            writable[place] = False
    return {
        "base": (base["Config"].get("Labels") or {}).get("stand-in") or base["RepoDigests"],
        "image_mb": image["Size"] / 1e6,
        "user": containers.inside("id", "-u"),
        "writable": writable,
        "memory": [line.split(" / ")[0] for line in memory.splitlines()],
    }


def without_network(containers: Containers, text: str, intent: str) -> bool:
    """Returns whether the image parses a message in a container without a network."""
    limits = ["--network", "none", "--read-only", "--tmpfs", "/tmp"]  # noqa: S108
    parse = ["rasa-tokprune", "parse", "-", "--model", "models/bot.tar.gz", "--format", "rasa"]
    command = ["docker", "run", "--rm", "--interactive", *limits, _IMAGE, *parse, "--quiet"]
    answer = json.loads(call(command, containers.folder, read=text).splitlines()[-1])
    return bool(answer["intent"]["name"] == intent)


def rolled_out(containers: Containers, conversations: Sequence[Conversation]) -> Row:
    """Returns what clients saw while each replica was replaced."""

    def replace() -> None:
        time.sleep(_AROUND_S)
        containers.roll_out()
        time.sleep(_AROUND_S)

    before = containers.replicas()
    found = talk_during(replace, _FRONT, conversations, _N_CLIENTS)
    return {
        **found.summary(),
        "longest_ms": max(found.seconds, default=0.0) * 1e3,
        "replaced": len(set(containers.replicas()) - set(before)),
        "seconds": found.wall_s,
    }


def ended(containers: Containers) -> List[int]:
    """Returns the exit codes of the replicas after `docker compose stop`."""
    containers.compose("stop")
    found = containers.docker("inspect", "--format", "{{.State.ExitCode}}", *containers.replicas())
    return [int(line) for line in found.splitlines()]


def measure(arguments: argparse.Namespace) -> None:
    """Trains two models, builds, starts, looks, replaces; writes one row."""
    need("docker")
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work.resolve() if arguments.work else Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        models = [train_bot(work), train_bot(work, "again")]
        texts = bot_messages()
        held = conversations_of(texts, _N_CONVERSATIONS, _TURNS)
        expected = expected_of(models[0], texts[:1], held)
        containers = Containers(Path(temporary) / EXAMPLE_BOT.name, models[0])
        print("building and starting")
        with started(containers) as times:
            row = looked_at(containers)
            intent = expected.parsed[texts[0]]["intent"]["name"]
            row["without_network"] = without_network(containers, texts[0], intent)
            containers.take(models[1])
            containers.compose("build")
            print("replacing one replica after the other")
            row.update(rolled_out(containers, expected.conversations))
            row["exit_codes"] = ended(containers)
        RowStore(arguments.out).add([{"kind": "containers", **row, **times, **about_now()}])
    print(json.dumps({key: value for key, value in row.items() if key != "environment"}))


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, ROWS)
    made.add_argument("--work", type=Path, help="keeps the trained bots here for the next time")
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
