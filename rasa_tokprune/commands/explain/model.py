"""Explains messages with a trained Rasa model, without starting Rasa's agent."""

from __future__ import annotations

import tarfile
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Sequence

from rasa.engine.graph import ExecutionContext
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.exceptions import ModelNotFound
from rasa.model import get_local_model
from rasa.shared.exceptions import RasaException

from rasa_tokprune.components.intent_classifier import TokPruneIntentClassifier
from rasa_tokprune.errors import ConfigError, StorageError


def explain_with_model(model: Path, texts: Sequence[str]) -> List[Dict[str, Any]]:
    """Returns why a trained model answers messages as it does.

    Args:
        model: A model archive, or a folder whose newest archive is taken.
        texts: The messages.

    Raises:
        ConfigError: If there is no such model or it holds no TokPruneIntentClassifier.
        StorageError: If the model cannot be used here.
    """
    try:
        classifier = _load(model)
        return [classifier.explain(text) for text in texts]
    except (RasaException, tarfile.TarError, OSError, ImportError) as error:
        raise StorageError(f"model '{model}' cannot be used: {error}") from error


def _load(model: Path) -> TokPruneIntentClassifier:
    try:
        archive = get_local_model(str(model))
    except ModelNotFound as error:
        raise ConfigError(f"model: there is no trained model at '{model}'") from error
    with tempfile.TemporaryDirectory() as folder:
        storage, metadata = LocalModelStorage.from_model_archive(Path(folder), archive)
        # Of two classifiers in a pipeline the later one decides.
        for node in reversed(list(metadata.predict_schema.nodes.values())):
            if node.uses is TokPruneIntentClassifier and node.resource is not None:
                config = {**TokPruneIntentClassifier.get_default_config(), **node.config}
                context = ExecutionContext(metadata.predict_schema, metadata.model_id)
                return TokPruneIntentClassifier.load(config, storage, node.resource, context)
    raise ConfigError(f"model: '{archive}' holds no TokPruneIntentClassifier")
