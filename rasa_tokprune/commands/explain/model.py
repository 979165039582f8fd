"""Explains messages with a trained Rasa model, the way the bot goes: through its own pipeline."""

from __future__ import annotations

import dataclasses
import logging
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Sequence

from rasa.core.channels.channel import UserMessage
from rasa.engine.constants import PLACEHOLDER_MESSAGE, PLACEHOLDER_TRACKER
from rasa.engine.exceptions import GraphComponentException
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.exceptions import ModelNotFound
from rasa.model import get_local_model

from rasa_tokprune.components.intent_classifier import EXPLANATION_KEY, TokPruneIntentClassifier
from rasa_tokprune.errors import ConfigError, StorageError, TokPruneError


def explain_with_model(model: Path, texts: Sequence[str]) -> List[Dict[str, Any]]:
    """Returns why a trained model answers messages as it does.

    Components in front of the classifier run too, so that the text explained is the one it gets;
    those of the bot's own are found in the working folder, as `rasa shell` finds them.

    Args:
        model: A model archive, or a folder whose newest archive is taken.
        texts: The messages.

    Raises:
        ConfigError: If there is no such model or it holds no TokPruneIntentClassifier.
        StorageError: If the model cannot be used here.
    """
    sys.path.insert(1, os.getcwd())
    logging.disable(logging.ERROR)  # Rasa logs what it raises
    try:
        return _explain(_find(model), texts)
    except TokPruneError:
        raise
    except Exception as error:  # whatever components of others raise
        # Rasa wraps it and says no more than which node it was.
        cause = error.__cause__ if isinstance(error, GraphComponentException) else None
        reason = str(cause or error) or type(error).__name__
        raise StorageError(f"model '{model}' cannot be used: {reason}") from error
    finally:
        logging.disable(logging.NOTSET)


def _find(model: Path) -> Path:
    try:
        os.stat(model)
        return Path(get_local_model(str(model)))
    except PermissionError as error:
        raise StorageError(f"model: '{model}' cannot be read: {error.strerror}") from error
    except (ModelNotFound, FileNotFoundError) as error:
        raise ConfigError(f"model: there is no trained model at '{model}'") from error


def _explain(archive: Path, texts: Sequence[str]) -> List[Dict[str, Any]]:
    """Runs messages through the model's graph as far as the last of our classifiers."""
    with tempfile.TemporaryDirectory() as folder:
        storage, metadata = LocalModelStorage.from_model_archive(Path(folder), archive)
        nodes = dict(metadata.predict_schema.nodes)
        # Of two classifiers in a pipeline the later one decides.
        ours = [name for name, node in nodes.items() if node.uses is TokPruneIntentClassifier]
        if not ours:
            raise ConfigError(f"model: '{archive}' holds no TokPruneIntentClassifier")
        target = ours[-1]
        config = {**nodes[target].config, "explain": True}
        nodes[target] = dataclasses.replace(nodes[target], config=config)
        schema = GraphSchema(nodes).minimal_graph_schema(targets=[target])
        runner = DaskGraphRunner.create(
            schema, storage, ExecutionContext(schema, metadata.model_id)
        )
        inputs = {
            PLACEHOLDER_MESSAGE: [UserMessage(text) for text in texts],
            PLACEHOLDER_TRACKER: None,
        }
        messages = runner.run(inputs=inputs, targets=[target])[target]
    explanations = [message.get(EXPLANATION_KEY) for message in messages]
    if None in explanations:
        raise StorageError("the classifier is not trained, so it has nothing to explain")
    return explanations
