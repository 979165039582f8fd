"""Builds example_bot/deploy with Docker, starts it, and puts a new model in its place under load.

The commands are those of compose.yml: two replicas behind nginx, conversations in Redis. Clients
hold conversations from before the first new replica until after the second one. Where no registry
of images is reached, `.ci/stand_in_images` makes the three images that it builds on.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence, Set

from benchmarks.command import measuring_parser, run_measuring
from benchmarks.rasa.processes import RasaProcessError
from benchmarks.reliability.operations.wheels import ENVIRONMENT, build_wheel
from benchmarks.reliability.serving.bot import (
    EXAMPLE_BOT,
    MODEL,
    Conversation,
    add_work,
    bot_messages,
    conversations_of,
    expected_of,
    train_bot,
    work_folder,
)
from benchmarks.reliability.serving.load import talk_during
from benchmarks.reliability.serving.running import free_port
from benchmarks.rows import Row, RowStore
from rasa_tokprune.errors import ConfigError

ROWS, DEPLOY = "containers.jsonl", "deploy"
REPLICAS, BASES = ("rasa1", "rasa2"), ("python:3.10-slim", "redis:7-alpine", "nginx:1.27-alpine")
# Names of its own: a bot that runs here keeps its image, its volumes and its port.
_IMAGE = _PROJECT = "rasa-tokprune-try"
_COMPOSE = ("docker", "compose", "--project-name", _PROJECT, "--file", "deploy/compose.yml")
_N_CONVERSATIONS, _TURNS, _N_CLIENTS = 40, 5, 4
_AROUND_S = 2.0
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
        self.folder, self.port = folder, free_port()
        self._images: Set[str] = set()
        shutil.copytree(archive.parent, folder, ignore=shutil.ignore_patterns(MODEL, DEPLOY))
        shutil.copytree(EXAMPLE_BOT / DEPLOY, folder / DEPLOY)
        compose = folder / DEPLOY / "compose.yml"
        text = compose.read_text(encoding="utf-8")
        for theirs, own in {
            "image: bot\n": f"image: {_IMAGE}\n",
            "8080:8080": f"{self.port}:8080",
        }.items():
            if text.count(theirs) != 1:
                raise ConfigError(f"compose.yml has '{theirs.strip()}' not once")
            text = text.replace(theirs, own)
        compose.write_text(text, encoding="utf-8")
        build_wheel(folder / "wheels")
        self.take(archive)

    def take(self, archive: Path) -> None:
        """Puts a model where the image takes it from."""
        (self.folder / "models").mkdir(exist_ok=True)
        shutil.copy(archive, self.folder / "models" / "bot.tar.gz")

    def build(self) -> None:
        """Builds the image."""
        self.compose("build")
        self._images.add(self.docker("image", "inspect", "--format", "{{.Id}}", _IMAGE))

    def remove(self) -> None:
        """Removes containers, volumes and what was built."""
        self.compose("down", "--volumes")
        if self._images:
            self.docker("image", "rm", "--force", *sorted(self._images))

    def compose(self, *command: str) -> str:
        """Runs `docker compose`."""
        return call([*_COMPOSE, *command], self.folder)

    def docker(self, *command: str) -> str:
        """Runs `docker`."""
        return call(["docker", *command], self.folder)

    def replicas(self) -> List[str]:
        """Returns the replicas' containers."""
        return [self.compose("ps", "--all", "--quiet", name) for name in REPLICAS]

    def inside(self, service: str, *command: str) -> str:
        """Runs a command in a service's container."""
        return self.compose("exec", "--no-TTY", service, *command)

    def roll_out(self) -> None:
        """Gives each replica the image that is built, one after the other."""
        for name in REPLICAS:
            self.compose("up", "--no-deps", "--wait", name)


@contextlib.contextmanager
def run_containers(containers: Containers) -> Iterator[Dict[str, float]]:
    """Builds and starts everything, and removes it after the block; says how long it took."""
    try:
        start = time.perf_counter()
        containers.build()
        built = time.perf_counter()
        containers.compose("up", "--detach", "--wait")
        yield {"build_s": built - start, "healthy_s": time.perf_counter() - built}
    finally:
        containers.remove()


def inspect_containers(containers: Containers) -> Row:
    """Returns what is to be seen of images and containers."""
    stand_ins = containers.docker(
        "image", "inspect", "--format", '{{index .Config.Labels "stand-in"}}', *BASES
    )
    size = containers.docker("image", "inspect", "--format", "{{.Size}}", _IMAGE)
    memory = containers.docker(
        "stats", "--no-stream", "--format", "{{.MemUsage}}", *containers.replicas()
    )
    probe = "import pathlib as p, sys; p.Path(sys.argv[1]).write_text('')"
    writable = {}
    for place in ("/app", "/venv", "/cache", "/tmp"):  # noqa: S108 # of the container
        try:
            containers.inside(REPLICAS[0], "python", "-c", probe, f"{place}/probe")
            writable[place] = True
        except RasaProcessError:
            writable[place] = False
    return {
        "stand_ins": dict(zip(BASES, stand_ins.splitlines())),
        "nginx": containers.inside("nginx", "sh", "-c", "nginx -v 2>&1"),
        "redis": containers.inside("redis", "redis-server", "--version"),
        "image_mb": int(size) / 1e6,
        "user": containers.inside(REPLICAS[0], "id", "-u"),
        "writable": writable,
        "memory": [line.split(" / ")[0] for line in memory.splitlines()],
        "environment": json.loads(containers.inside(REPLICAS[0], "python", "-c", ENVIRONMENT)),
    }


def parses_without_network(containers: Containers, text: str, intent: str) -> bool:
    """Returns whether the image parses a message in a container without a network."""
    limits = ["--network", "none", "--read-only", "--tmpfs", "/tmp"]  # noqa: S108
    parse = ["rasa-tokprune", "parse", "-", "--model", "models/bot.tar.gz", "--format", "rasa"]
    command = ["docker", "run", "--rm", "--interactive", *limits, _IMAGE, *parse, "--quiet"]
    answer = json.loads(call(command, containers.folder, read=text).splitlines()[-1])
    return bool(answer["intent"]["name"] == intent)


def measure_roll_out(containers: Containers, conversations: Sequence[Conversation]) -> Row:
    """Returns what clients saw while each replica was replaced."""

    def replace() -> None:
        time.sleep(_AROUND_S)
        containers.roll_out()
        time.sleep(_AROUND_S)

    before = containers.replicas()
    found = talk_during(replace, containers.port, conversations, _N_CLIENTS)
    return {
        **found.summary(),
        "longest_ms": max(found.seconds, default=0.0) * 1e3,
        "replaced": len(set(containers.replicas()) - set(before)),
        "seconds": found.wall_s,
    }


def stop_replicas(containers: Containers) -> List[int]:
    """Returns the exit codes of the replicas after `docker compose stop`."""
    containers.compose("stop")
    found = containers.docker("inspect", "--format", "{{.State.ExitCode}}", *containers.replicas())
    return [int(line) for line in found.splitlines()]


def measure(arguments: argparse.Namespace) -> None:
    """Trains two models, builds, starts, looks, replaces; writes one row.

    Raises:
        ConfigError: If there is no Docker.
    """
    if shutil.which("docker") is None:
        raise ConfigError("Docker is missing; install it, on Debian: apt-get install docker.io")
    with tempfile.TemporaryDirectory() as temporary:
        work = work_folder(arguments, Path(temporary))
        models = [train_bot(work), train_bot(work, "again")]
        texts = bot_messages()
        held = conversations_of(texts, _N_CONVERSATIONS, _TURNS)
        expected = expected_of(models[0], texts[:1], held)
        containers = Containers(Path(temporary) / EXAMPLE_BOT.name, models[0])
        print("building and starting")
        with run_containers(containers) as times:
            row = {"kind": "containers", **times, **inspect_containers(containers)}
            intent = expected.parsed[texts[0]]["intent"]["name"]
            row["without_network"] = parses_without_network(containers, texts[0], intent)
            containers.take(models[1])
            containers.build()
            print("replacing one replica after the other")
            row.update(measure_roll_out(containers, expected.conversations))
            row["exit_codes"] = stop_replicas(containers)
    row["load_average"] = round(os.getloadavg()[0], 2)
    RowStore(arguments.out).add([row])
    print(f"{row['n']} messages, {row['wrong']} wrong, {row['lost']} lost {row.get('reasons', '')}")


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, ROWS)
    add_work(made)
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
