"""Every pipeline in the documents is one that Rasa and the components' own checks take."""

from __future__ import annotations

import shlex
from typing import Any, Dict, List

import pytest
from rasa.__main__ import create_argument_parser
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.validation import validate
from rasa.shared.data import TrainingType
from rasa.shared.utils.io import read_yaml

import rasa_tokprune.importer
from tests.documents import Snippet, snippets

# Rasa leaves it out where transformers is not of the version that it was written for.
NOT_HERE = "LanguageModelFeaturizer"
OURS = {
    name: getattr(rasa_tokprune.importer, name)
    for name in ("TokPruneIntentClassifier", "TokPruneFeaturizer", "TokPruneResponseSelector")
}


def pipelines() -> List[Snippet]:
    return [each for each in snippets("yaml") if "pipeline:" in each.text]


@pytest.mark.parametrize("snippet", pipelines(), ids=str)
def test_keys_of_our_components_are_right(snippet: Snippet) -> None:
    for component in read_yaml(snippet.text)["pipeline"]:
        keys = {key: value for key, value in component.items() if key != "name"}
        name = component["name"].rpartition(".")[2]
        if name in OURS:
            OURS[name]._check_config(keys)
        if name == "FallbackClassifier" and "TokPruneIntentClassifier" in snippet.text:
            assert keys == {"threshold": 0.5, "ambiguity_threshold": 0.0}


@pytest.mark.parametrize("snippet", pipelines(), ids=str)
def test_rasa_makes_a_graph_of_it(snippet: Snippet) -> None:
    config: Dict[str, Any] = read_yaml(snippet.text)
    config["pipeline"] = [each for each in config["pipeline"] if each["name"] != NOT_HERE]
    graph = DefaultV1Recipe().graph_config_for_recipe(
        config, {}, training_type=TrainingType.NLU, is_finetuning=False
    )
    validate(graph)


def test_commands_of_rasa_are_understood() -> None:
    parser, seen = create_argument_parser(), 0
    for snippet in snippets("bash"):
        for line in snippet.text.replace("\\\n", " ").splitlines():
            if line.startswith("rasa "):
                parser.parse_args(shlex.split(line, comments=True)[1:])
                seen += 1
    assert seen
