"""Many messages at once are answered as Rasa's own parsing answers each."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
import structlog
from ruamel.yaml import YAML

from rasa_tokprune.commands.trained_model.access import open_model
from rasa_tokprune.texts.training_data.nlu import read_nlu_yaml
from tests.bots.conftest import run_rasa
from tests.bots_on_disk import OOS, SHIPPING
from tests.commands.explain.test_explain_command import CORRECTOR
from tests.real_data import ROOT

pytestmark = [pytest.mark.needs("rasa"), pytest.mark.thorough]

CLASSIFIER = {"name": "rasa_tokprune.TokPruneIntentClassifier"}
STRANGE = [
    "", "  ", "/greet", '/hello{"name": "x"}', "/greet@0.5", '/hello{"x": }', "/nonsense", "/",
    "\N{THUMBS UP SIGN}", "\u2060\u2800", "\u4f60\u597d", "\x00\x1b[31mred", "\u202eolleh",
    "  padded  ", "two\nlines", "hello\u2028there", "a" * 20_000, "word " * 2000, "\ue000\ufffd",
]  # fmt: skip


def rasas_own(archive: str, texts: List[str]) -> List[Dict[str, Any]]:
    from rasa.core.agent import Agent

    # Agent.parse_message is what Rasa's server and `rasa shell nlu` call.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    agent = Agent.load(archive)

    async def parse() -> List[Dict[str, Any]]:
        return [await agent.parse_message(text) for text in texts]

    return asyncio.run(parse())


def assert_equal(archive: str, texts: List[str]) -> List[Dict[str, Any]]:
    with open_model(Path(archive)) as model:
        found = model.parse(texts)
        expected = rasas_own(archive, texts)
        for text, own, rasas in zip(texts, found, expected):
            assert own == rasas, repr(text[:80])
        # Alone or among others makes no difference.
        assert [model.parse([text])[0] for text in texts[:20]] == expected[:20]
    return found


@pytest.mark.parametrize(
    "pipeline",
    [
        [CLASSIFIER],
        [
            {"name": "WhitespaceTokenizer"},
            {"name": "rasa_tokprune.TokPruneFeaturizer"},
            CLASSIFIER,
            {"name": "FallbackClassifier", "threshold": 0.7, "ambiguity_threshold": 0.1},
        ],
        [{"name": "WhitespaceTokenizer"}, {"name": "KeywordIntentClassifier"}],
        [
            {"name": "WhitespaceTokenizer"},
            {"name": "CountVectorsFeaturizer"},
            {"name": "LogisticRegressionClassifier"},
            {"name": "FallbackClassifier"},
        ],
    ],
    ids=["ours", "fallback", "keywords", "regression"],
)
def test_a_tiny_bot(pipeline: List[Dict[str, Any]], train_nlu: Callable[..., str]) -> None:
    found = assert_equal(train_nlu(pipeline), [*SHIPPING, *OOS, *STRANGE])
    assert len({each["intent"]["name"] for each in found}) > 1


def test_a_component_of_the_working_folder(
    train_nlu: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "spelling.py").write_text(CORRECTOR)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    archive = train_nlu([{"name": "spelling.Corrector"}, CLASSIFIER])
    monkeypatch.delitem(sys.modules, "spelling")
    found = assert_equal(archive, ["helo there", "hello there"])
    assert found[0]["intent"] == found[1]["intent"]


def test_what_the_model_says_of_itself(train_nlu: Callable[..., str]) -> None:
    with open_model(Path(train_nlu([CLASSIFIER]))) as model:
        assert model.fallback_threshold is None
        assert model.parse([]) == []
    fallback = {"name": "FallbackClassifier"}
    with open_model(Path(train_nlu([CLASSIFIER, fallback]))) as model:
        assert model.fallback_threshold == 0.3  # Rasa's default


def test_what_was_silent_speaks_again(train_nlu: Callable[..., str]) -> None:
    before = logging.root.manager.disable, structlog.get_config()["wrapper_class"]
    with open_model(Path(train_nlu([CLASSIFIER]))) as model:
        model.load()
    assert (logging.root.manager.disable, structlog.get_config()["wrapper_class"]) == before


def messages_of(*files: Path) -> List[str]:
    return [example.text for file in files for example in read_nlu_yaml(file)]


@pytest.mark.slow
def test_the_example_bot(tmp_path: Path) -> None:
    bot = ROOT / "example_bot"
    files = [str(bot / name) for name in ("config.yml", "domain.yml", "data")]
    run_rasa(
        tmp_path, "train", "nlu", "--config", files[0], "--domain", files[1], "--nlu", files[2],
        "--fixed-model-name", "bot",
    )  # fmt: skip
    lines = (bot / "tests" / "out_of_scope.txt").read_text(encoding="utf-8").splitlines()
    texts = [*messages_of(bot / "tests" / "test_nlu.yml"), *lines, *STRANGE]
    found = assert_equal(str(tmp_path / "models" / "bot.tar.gz"), texts)
    assert any(each["intent"].get("full_retrieval_intent_name") for each in found)
    assert any(each["entities"] for each in found)
    assert any(each["intent"]["name"] == "nlu_fallback" for each in found)


@pytest.mark.slow
def test_a_published_bot_with_diet(financial_demo: Path) -> None:
    # Without Duckling and spaCy, which are a server and a download.
    config = YAML(typ="safe").load(financial_demo / "config.yml")
    elsewhere = ("DucklingEntityExtractor", "SpacyNLP", "SpacyEntityExtractor")
    own = [item for item in config["pipeline"] if item["name"] not in elsewhere]
    for item in own:
        if item["name"] == "DIETClassifier":
            item["epochs"] = 5
    features = {"name": "rasa_tokprune.TokPruneFeaturizer"}
    config["pipeline"] = [*own[:1], features, *own[1:]]
    config["assistant_id"] = "financial-demo"
    YAML(typ="safe").dump(config, financial_demo / "config.yml")
    run_rasa(financial_demo, "train", "nlu", "--fixed-model-name", "bot")
    texts = messages_of(financial_demo / "data" / "nlu" / "nlu.yml")[::4]
    assert_equal(str(financial_demo / "models" / "bot.tar.gz"), [*texts, *STRANGE])
