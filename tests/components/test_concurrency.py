"""A server parses in many threads while another thread trains (POST /model/train)."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable, Dict

import pytest
import rasa.model_training
from rasa.core.agent import Agent
from rasa.engine.graph import ExecutionContext
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource

from tests.bots_on_disk import BOT

pytestmark = pytest.mark.thorough

TEXTS = ["hello there", "where is my parcel", "", "change the address of order 12345", "see you"]
PIPELINE = [
    {"name": "WhitespaceTokenizer"},
    {"name": "rasa_tokprune.TokPruneFeaturizer"},
    {"name": "rasa_tokprune.TokPruneIntentClassifier"},
]


def parse(agent: Agent, text: str) -> Dict[str, Any]:
    parsed = asyncio.run(agent.parse_message(text))
    return {key: parsed[key] for key in ("intent", "intent_ranking")}


@pytest.mark.parametrize("other", [{}, {"prune": "off"}], ids=["same plan", "other plan"])
def test_parsing_is_not_disturbed_by_a_training(
    train_nlu: Callable[..., str],
    write_config: Callable[..., Path],
    tmp_path: Path,
    other: Dict[str, Any],
) -> None:
    agent = Agent.load(train_nlu(PIPELINE))
    alone = {text: parse(agent, text) for text in TEXTS}
    pipeline = [{**item, **other} if "TokPrune" in item["name"] else item for item in PIPELINE]
    config = str(write_config(pipeline, language="de"))  # another key, so that it does train

    def train() -> str:
        output = str(tmp_path / "trained-meanwhile")
        return rasa.model_training.train_nlu(config, str(BOT / "nlu.yml"), output)

    def serve() -> int:
        n_parsed = 0
        while not training.done() or n_parsed < len(TEXTS):
            text = TEXTS[n_parsed % len(TEXTS)]
            assert parse(agent, text) == alone[text]
            n_parsed += 1
        return n_parsed

    with ThreadPoolExecutor(max_workers=4) as pool:
        training = pool.submit(train)
        servers = [pool.submit(serve) for _ in range(3)]
        assert all(server.result() >= len(TEXTS) for server in servers)
    again = Agent.load(training.result())
    if not other:
        assert {text: parse(again, text) for text in TEXTS} == alone


def test_two_trainings_at_once_give_what_one_gives(
    config_of: Callable[..., Dict[str, Any]],
    execution_context: ExecutionContext,
    training_data: Any,
    tmp_path: Path,
) -> None:
    from rasa_tokprune.components.intent_classifier import TokPruneIntentClassifier

    config = config_of(TokPruneIntentClassifier)
    resource = Resource("TokPruneIntentClassifier")

    def weights(number: int) -> Any:
        folder = tmp_path / str(number)
        folder.mkdir()
        storage = LocalModelStorage(folder)  # every training of Rasa has its own
        classifier = TokPruneIntentClassifier.create(config, storage, resource, execution_context)
        classifier.train(training_data)
        return classifier._prototypes.head.weights.tolist()

    with ThreadPoolExecutor(max_workers=3) as pool:
        first, *others = pool.map(weights, range(3))
    assert all(other == first for other in others)
