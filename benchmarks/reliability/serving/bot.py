"""The bot that is served, its messages, and what it answers without a server."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import shutil
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.quiet import without_logs
from benchmarks.rasa.processes import run_module
from benchmarks.tables import ROOT
from rasa_tokprune.texts.tasks import read_examples

EXAMPLE_BOT = ROOT / "example_bot"
MODEL = "model.tar.gz"
# Of the package's components in config.yml.
_OWN = "rasa_tokprune."


@dataclasses.dataclass(frozen=True)
class Conversation:
    """Messages of one user, and what the bot says to each.

    Attributes:
        texts: Messages, in order.
        replies: The bot's texts after each message.
    """

    texts: Tuple[str, ...]
    replies: Tuple[Tuple[str, ...], ...] = ()


@dataclasses.dataclass(frozen=True)
class Expected:
    """What the model answers in one process, without a server.

    Attributes:
        parsed: Text -> what `/model/parse` is to answer.
        conversations: With their replies.
        load_s: Seconds until the model was loaded, imports left out.
    """

    parsed: Dict[str, Dict[str, Any]]
    conversations: List[Conversation]
    load_s: float


def add_work(parser: argparse.ArgumentParser) -> None:
    """Adds `--work`, a folder that keeps trained bots."""
    parser.add_argument("--work", type=Path, help="keeps the trained bots here for the next time")


def work_folder(arguments: argparse.Namespace, temporary: Path) -> Path:
    """Returns the folder of `--work`, or one in a temporary folder; it is there."""
    work: Path = arguments.work.resolve() if arguments.work else temporary / "work"
    work.mkdir(parents=True, exist_ok=True)
    return work


def train_bot(
    work: Path, name: str = "bot", *, nlu_only: bool = False, only: str = _OWN, **keys: Any
) -> Path:
    """Returns the archive of the example bot, trained unless it lies in `work` already.

    Each response has one text, so that a conversation has one outcome.

    Args:
        work: Where the bot's folder is made.
        name: Of that folder.
        nlu_only: Train the pipeline alone.
        only: Beginning of the names of the components that get the keys; default: all of ours.
        keys: Keys of components, such as prune="off".

    Raises:
        RasaProcessError: If training fails.
    """
    import rasa.shared.utils.io

    folder = work / name
    archive = folder / MODEL
    if archive.is_file():
        return archive
    shutil.copytree(EXAMPLE_BOT, folder, ignore=shutil.ignore_patterns("models", ".rasa"))
    config: Dict[str, Any] = rasa.shared.utils.io.read_config_file(folder / "config.yml")
    for component in config["pipeline"]:
        if str(component["name"]).startswith(only):
            component.update(keys)
    rasa.shared.utils.io.write_yaml(config, folder / "config.yml")
    domain: Dict[str, Any] = rasa.shared.utils.io.read_yaml_file(folder / "domain.yml")
    for action, texts in domain["responses"].items():
        domain["responses"][action] = texts[:1]
    rasa.shared.utils.io.write_yaml(domain, folder / "domain.yml")
    command = ["train", *(["nlu"] if nlu_only else [])]
    options = ["--out", str(folder), "--fixed-model-name", MODEL.removesuffix(".tar.gz")]
    run_module("rasa", [*command, *options], folder)
    return archive


def bot_messages(seed: int = 0) -> List[str]:
    """Returns the bot's test messages, shuffled: none of them is a training example's copy."""
    texts, _, _ = read_examples(EXAMPLE_BOT / "tests" / "test_nlu.yml")
    own = list(dict.fromkeys(texts))
    return [own[number] for number in np.random.default_rng(seed).permutation(len(own))]


def varied(texts: Sequence[str], n: int, seed: int = 0) -> List[str]:
    """Returns `n` different messages made of these: two of them, or one with an order number."""
    draw = np.random.default_rng(seed)
    found = dict.fromkeys(texts[:n])
    while len(found) < n:
        one, other = (texts[number] for number in draw.integers(len(texts), size=2))
        order = f"CB-{draw.integers(10_000, 100_000)}"
        found[f"{one} {other if draw.random() < 0.5 else order}"] = None
    return list(found)


def conversations_of(
    texts: Sequence[str], n: int, length: int, seed: int = 0
) -> List[Conversation]:
    """Returns `n` conversations of `length` drawn messages."""
    drawn = np.random.default_rng(seed).integers(len(texts), size=(n, length))
    return [Conversation(tuple(texts[number] for number in row)) for row in drawn]


def expected_of(
    archive: Path, texts: Sequence[str], conversations: Sequence[Conversation] = ()
) -> Expected:
    """Returns what the model answers, asked in this process."""
    from rasa.core.agent import Agent

    async def ask(agent: Agent) -> Tuple[Dict[str, Any], List[Conversation]]:
        parsed = {text: await agent.parse_message(text) for text in dict.fromkeys(texts)}
        held = []
        for number, each in enumerate(conversations):
            replies: List[Tuple[str, ...]] = []
            for text in each.texts:
                answers = await agent.handle_text(text, sender_id=f"offline-{number}")
                replies.append(texts_of(answers))
            held.append(Conversation(each.texts, tuple(replies)))
        return parsed, held

    # One thread, as the servers have: others add numbers in another order.
    with without_logs(), threadpool_limits(1):
        start = time.perf_counter()
        agent = Agent.load(archive)
        load_s = time.perf_counter() - start
        parsed, held = asyncio.run(ask(agent))
    return Expected(parsed, held, load_s)


def texts_of(answers: Optional[Sequence[Dict[str, Any]]]) -> Tuple[str, ...]:
    """Returns the texts of what a channel answers."""
    return tuple(str(each.get("text", "")) for each in answers or ())
