"""Explains messages with a trained Rasa model, the way the bot goes: through its own pipeline."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, List, Sequence

from rasa_tokprune.commands.trained_model.model import TrainedModel
from rasa_tokprune.components.intent_classifier import EXPLANATION_KEY, TokPruneIntentClassifier
from rasa_tokprune.errors import ConfigError, StorageError


def explain_with_model(model: TrainedModel, texts: Sequence[str]) -> List[Dict[str, Any]]:
    """Returns why a trained model answers messages as it does.

    Components in front of the classifier run too, so that the text explained is the one it gets.

    Args:
        model: Of `open_model`.
        texts: The messages.

    Raises:
        ConfigError: If it holds no TokPruneIntentClassifier.
        StorageError: If the model cannot be used here.
    """
    nodes = dict(model.nodes)
    # Of two classifiers in a pipeline the later one decides.
    ours = [name for name, node in nodes.items() if node.uses is TokPruneIntentClassifier]
    if not ours:
        raise ConfigError(
            f"model: '{model.archive}' holds no TokPruneIntentClassifier, which alone can be "
            "explained; train with it in config.yml, or use `rasa-tokprune parse` or `diff`"
        )
    target = ours[-1]
    config = {**nodes[target].config, "explain": True}
    nodes[target] = dataclasses.replace(nodes[target], config=config)
    messages = model.run(texts, nodes=nodes, target=target)
    explanations = [message.get(EXPLANATION_KEY) for message in messages]
    if None in explanations:
        raise StorageError("the classifier is not trained, so it has nothing to explain")
    return explanations
