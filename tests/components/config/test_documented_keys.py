"""The pages of the components hold every key, with the default that it has."""

from __future__ import annotations

import re
from typing import Any, Dict, Set, Type

import pytest
from rasa.engine.graph import GraphComponent
from ruamel.yaml import YAML

from rasa_tokprune.components.config.encoder import ENCODER_DEFAULTS
from rasa_tokprune.components.featurizer import TokPruneFeaturizer
from rasa_tokprune.components.intent_classifier import TokPruneIntentClassifier
from rasa_tokprune.components.response_selector import TokPruneResponseSelector
from tests.real_data import ROOT

PAGES = ROOT / "docs" / "components"
_KEY = re.compile(r"^### `(\w+)`\n\nDefault `([^`]*)`\. Values: (.+)", re.MULTILINE)


def documented(page: str) -> Dict[str, Any]:
    """Returns the keys of a page and the defaults that it says."""
    text = (PAGES / page).read_text(encoding="utf-8")
    found = _KEY.findall(text)
    assert len(found) == text.count("\n### `")
    return {key: YAML(typ="safe").load(default) for key, default, _ in found}


def own_keys(component: Type[GraphComponent]) -> Set[str]:
    return set(component.get_default_config()) - set(ENCODER_DEFAULTS)


def test_the_page_of_the_encoder_holds_its_keys() -> None:
    assert documented("encoder-keys.md") == ENCODER_DEFAULTS


@pytest.mark.parametrize(
    ("component", "page"),
    [
        (TokPruneIntentClassifier, "intent-classifier.md"),
        (TokPruneFeaturizer, "featurizer.md"),
        (TokPruneResponseSelector, "response-selector.md"),
    ],
)
def test_a_components_page_holds_the_keys_of_its_own(
    component: Type[GraphComponent], page: str
) -> None:
    defaults = component.get_default_config()
    assert documented(page) == {key: defaults[key] for key in own_keys(component)}
