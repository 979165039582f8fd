"""Does without containers what example_bot/deploy has containers do.

    python .ci/check_deployment.py MODEL [--wheels FOLDER]

Runs the instructions of the Dockerfile, paths put below a temporary folder, then the commands of
compose.yml: Redis, two replicas with the image's environment and health check, nginx in front of
them. Asks through nginx, and reads each replica's metrics. Needs redis-server and nginx. Without
`--wheels` nothing is installed: the replicas run with the Python that this is called with, which
needs the extra `metrics`.
"""

# ruff: noqa: S101, S603, S607 # a check: it asserts, and runs what this repository says

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple

from ruamel.yaml import YAML

BOT = Path(__file__).resolve().parent.parent / "example_bot"
DEPLOY = BOT / "deploy"
# What of the image lies at the top of its file system.
_PLACES = re.compile(r"(?<![\w.\-/])/(venv|wheels|cache|app|tmp)\b")
Instruction = Tuple[str, str]


def instructions(text: str) -> List[Instruction]:
    """Returns name and arguments of every instruction of a Dockerfile."""
    code = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    lines = filter(None, map(str.strip, code.replace("\\\n", " ").splitlines()))
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in lines)]


def settings(arguments: str) -> Dict[str, str]:
    """Returns what an ENV instruction sets."""
    return dict(pair.split("=", 1) for pair in shlex.split(arguments))


class Image:
    """What the Dockerfile makes, below a folder: environment, working directory, commands."""

    def __init__(self, root: Path, context: Path, installs: bool) -> None:
        """Goes through the instructions; without `installs` leaves out the stage that installs."""
        self.root, self.context, self.installs = root, context, installs
        self.environment = {"PATH": os.environ["PATH"]}
        self.folder = root
        self.command: List[str] = []
        self.health: List[str] = []
        for place in ("cache", "app", "tmp"):
            (root / place).mkdir(exist_ok=place != "cache")
        (root / "cache").rmdir()
        stage = 0
        for name, rest in instructions((DEPLOY / "Dockerfile").read_text(encoding="utf-8")):
            stage += name == "FROM"
            if stage > 1 or installs:
                self._do(name, rest, is_last=stage > 1)

    def here(self, text: str) -> str:
        """Returns a text with the image's paths below the folder."""
        return _PLACES.sub(lambda found: f"{self.root}/{found[1]}", text)

    def _do(self, name: str, rest: str, is_last: bool) -> None:
        if name == "RUN":
            print(f"RUN {rest}", flush=True)
            # Where packages come from is the machine's to say.
            around = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
            environment = {**around, **self.environment}
            subprocess.run(["bash", "-ec", self.here(rest)], check=True, env=environment)
        elif name == "COPY" and not rest.startswith("--from"):
            *sources, target = rest.split()
            place = self.folder / self.here(target)
            place.mkdir(parents=True, exist_ok=True)
            for source in sources:
                path = self.context / source
                copy: Callable[..., Any] = shutil.copy
                if path.is_dir():
                    copy = lambda a, b: shutil.copytree(a, b, dirs_exist_ok=True)  # noqa: E731
                copy(path, place)
        elif name == "WORKDIR":
            self.folder = Path(self.here(rest))
        elif name == "ENV":
            for key, value in settings(rest).items():
                own = self.here(value).replace("$PATH", self.environment["PATH"])
                self.environment[key] = own
        elif name == "CMD" and is_last:
            self.command = json.loads(rest)
        elif name == "HEALTHCHECK":
            self.health = json.loads(rest.partition("CMD ")[2])


def free_port() -> int:
    """Returns a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def running(command: List[str], log: Path, **options: Any) -> Iterator[subprocess.Popen]:
    """Runs a program until the block ends; shows the end of its log if that fails."""
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, **options)
        try:
            yield process
        except BaseException:
            print(f"--- {log.name}\n{log.read_text(encoding='utf-8')[-2000:]}")
            raise
        finally:
            process.terminate()
            process.wait(60)


def until(what: str, is_so: Callable[[], bool], seconds: float = 180) -> None:
    """Waits; raises TimeoutError with `what` if it takes longer."""
    started = time.monotonic()
    while not is_so():
        if time.monotonic() - started > seconds:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.5)
    print(f"{what}: after {time.monotonic() - started:.1f} s", flush=True)


def page(port: int, path: str = "/", body: Any = None) -> str:
    """Returns what a server of this machine answers."""
    data = None if body is None else json.dumps(body).encode()
    kind = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, kind)
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return str(answer.read().decode())


def main() -> None:
    """Runs it all; the exit code is that of the first thing that fails."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("model", type=Path, help="a trained model of example_bot")
    parser.add_argument("--wheels", type=Path, help="folder with a wheel of this package")
    asked = parser.parse_args()
    for program in ("redis-server", "nginx"):
        if shutil.which(program) is None:
            sys.exit(f"{program} is not installed")
    # What was started ends with this, however it ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        root = Path(folder)
        check(root, asked, stack)


def check(root: Path, asked: argparse.Namespace, stack: contextlib.ExitStack) -> None:
    """Builds, starts and asks."""
    context = Path(shutil.copytree(BOT, root / "context"))
    (context / "models").mkdir(exist_ok=True)
    shutil.copy(asked.model, context / "models" / "bot.tar.gz")
    if asked.wheels is not None:
        shutil.copytree(asked.wheels, context / "wheels")
    image = Image(root, context, installs=asked.wheels is not None)
    services = YAML(typ="safe").load((DEPLOY / "compose.yml").read_text(encoding="utf-8"))[
        "services"
    ]

    redis = free_port()
    command = [*services["redis"]["command"], "--port", str(redis), "--dir", str(root)]
    stack.enter_context(running(command, root / "redis.log"))
    endpoints = image.folder / "endpoints.yml"
    text = endpoints.read_text(encoding="utf-8")
    assert text.count("url: redis\n  port: 6379") == 2
    endpoints.write_text(
        text.replace("url: redis\n  port: 6379", f"url: 127.0.0.1\n  port: {redis}"),
        encoding="utf-8",
    )
    ports, metrics = [], {}
    for name in ("rasa1", "rasa2"):
        port, metrics[name] = free_port(), free_port()
        ports.append(port)
        environment = {**image.environment, **services[name]["environment"]}
        assert environment["RASA_TOKPRUNE_METRICS"] == "9464"
        environment["RASA_TOKPRUNE_METRICS"] = f"127.0.0.1:{metrics[name]}"
        program = list(image.command)
        if not image.installs:
            program[:1] = [sys.executable, "-m", "rasa"]
            environment["PYTHONPATH"] = str(BOT.parent)
        program += ["--port", str(port)]
        stack.enter_context(
            running(program, root / f"{name}.log", env=environment, cwd=image.folder)
        )
        health = [part.replace("5005", str(port)) for part in image.health]
        health[:1] = [shutil.which("python", path=environment["PATH"]) or sys.executable]
        until(
            f"{name} is healthy",
            lambda health=health: subprocess.run(health, capture_output=True).returncode == 0,
        )
    front = free_port()
    stack.enter_context(running(nginx(root, ports, front), root / "nginx.log"))
    until("nginx answers", lambda: is_there(front))
    for turn, message in enumerate(["hello there", "where is my order", "CB-10293"] * 4):
        body = {"sender": "one conversation", "message": message}
        answer = json.loads(page(front, "/webhooks/rest/webhook", body))
        assert answer, f"no answer to message {turn}"
        assert answer[0].get("text"), f"no text in answer {turn}"
    counted = {name: messages_of(page(port)) for name, port in metrics.items()}
    print(f"answered by each replica: {counted}")
    assert sum(counted.values()) == 12
    assert all(counted.values()), "one replica got nothing"
    print("What example_bot/deploy says works.")


def nginx(root: Path, replicas: List[int], port: int) -> List[str]:
    """Writes a whole configuration around nginx.conf; returns what runs it.

    Docker's name server, which knows both replicas by one name, is stood in for by a group.
    """
    text = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    for inside, outside in {
        "listen 8080": f"listen {port}",
        "http://rasa:5005": "http://rasa",
    }.items():
        assert text.count(inside) == 1, inside
        text = text.replace(inside, outside)
    servers = " ".join(f"server 127.0.0.1:{each};" for each in replicas)
    group = f"upstream rasa {{ {servers} }}"
    head = f"daemon off; pid {root}/nginx.pid; error_log {root}/error.log;"
    whole = root / "whole.conf"
    whole.write_text(
        f"{head}\nevents {{}}\nhttp {{\naccess_log off;\n{group}\n{text}\n}}\n",
        encoding="utf-8",
    )
    command = ["nginx", "-c", str(whole), "-p", str(root), "-e", str(root / "error.log")]
    subprocess.run([*command, "-t"], check=True, capture_output=True)
    return command


def is_there(port: int) -> bool:
    """Returns whether a server of this machine answers."""
    try:
        return bool(page(port))
    except OSError:
        return False


def messages_of(metrics: str) -> int:
    """Returns how many messages the classifier of a replica has answered."""
    name = 'rasa_tokprune_messages_total{component="TokPruneIntentClassifier"} '
    found = [line for line in metrics.splitlines() if line.startswith(name)]
    return int(float(found[0].removeprefix(name))) if found else 0


if __name__ == "__main__":
    main()
