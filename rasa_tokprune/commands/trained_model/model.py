"""A trained Rasa model that answers many messages at once, as the bot answers each."""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import tempfile
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence

import structlog
from rasa.core.channels.channel import UserMessage
from rasa.engine.constants import PLACEHOLDER_MESSAGE, PLACEHOLDER_TRACKER
from rasa.engine.exceptions import GraphComponentException
from rasa.engine.graph import ExecutionContext, GraphSchema, SchemaNode
from rasa.engine.runner.dask import DaskGraphRunner
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.storage import ModelMetadata, ModelStorage
from rasa.exceptions import ModelNotFound
from rasa.model import get_local_model
from rasa.nlu.classifiers.fallback_classifier import THRESHOLD_KEY, FallbackClassifier
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.data import TrainingType
from rasa.shared.nlu.training_data.message import Message

from rasa_tokprune.errors import ConfigError, StorageError, TokPruneError

Parse = Dict[str, Any]


class TrainedModel:
    """A model archive, unpacked.

    Attributes:
        archive: Where it is.
        model_id: Rasa's name of this training.
        nodes: The components it predicts with, by name, in order.
        target: Name of the node whose messages are the bot's reading of them.
    """

    def __init__(self, archive: Path, storage: ModelStorage, metadata: ModelMetadata) -> None:
        """Keeps what Rasa read from the archive; nothing is loaded before it is used."""
        self.archive = archive
        self.model_id: str = metadata.model_id
        self.nodes: Mapping[str, SchemaNode] = metadata.predict_schema.nodes
        self.target: str = metadata.nlu_target
        self._storage = storage

    @property
    def fallback_threshold(self) -> Optional[float]:
        """The confidence below which its FallbackClassifier falls back; None without one."""
        for node in reversed(list(self.nodes.values())):
            if issubclass(node.uses, FallbackClassifier):
                config = {**node.uses.get_default_config(), **node.config}
                return float(config[THRESHOLD_KEY])
        return None

    def parse(self, texts: Sequence[str]) -> List[Parse]:
        """Returns what `rasa shell nlu` and Rasa's `/model/parse` give for each message.

        All messages go through a component before the next one sees them, which is what makes
        many faster than one at a time.

        Args:
            texts: Messages; Rasa takes white space off their ends.

        Raises:
            StorageError: If a component fails.
        """
        with _one_line(self.archive):
            return [_parse_of(message) for message in self._run(texts)]

    def run(
        self, texts: Sequence[str], *, nodes: Mapping[str, SchemaNode], target: str
    ) -> List[Message]:
        """Returns messages as they leave a node, in a graph other than the model's own.

        Args:
            texts: Messages.
            nodes: The graph.
            target: Name of the node.

        Raises:
            StorageError: If a component fails.
        """
        with _one_line(self.archive):
            return _through(self._runner(dict(nodes), target), texts, target)

    def load(self) -> None:
        """Loads the components that read messages, policies left out.

        Raises:
            StorageError: If one cannot be loaded here.
        """
        with _one_line(self.archive):
            self._reader  # noqa: B018
        # What is loaded stays, and Rasa's libraries are a million objects: to look through them for
        # garbage, again and again, would take as long as the decisions.
        gc.freeze()

    @functools.cached_property
    def _reader(self) -> DaskGraphRunner:
        return self._runner(dict(self.nodes), self.target)

    def _runner(self, nodes: Dict[str, SchemaNode], target: str) -> DaskGraphRunner:
        schema = GraphSchema(nodes)
        # Components are told of the whole graph, as they are when the bot is served.
        context = ExecutionContext(schema, self.model_id)
        own = schema.minimal_graph_schema(targets=[target])
        return DaskGraphRunner.create(own, self._storage, context)

    def _run(self, texts: Sequence[str]) -> List[Message]:
        return _through(self._reader, texts, self.target)


def _through(runner: DaskGraphRunner, texts: Sequence[str], target: str) -> List[Message]:
    if not texts:
        return []
    inputs = {
        PLACEHOLDER_MESSAGE: [UserMessage(text) for text in texts],
        PLACEHOLDER_TRACKER: DialogueStateTracker.from_events("default", []),
    }
    messages: List[Message] = runner.run(inputs=inputs, targets=[target])[target]
    if len(messages) != len(texts):
        raise StorageError(
            f"{len(texts)} messages went into the pipeline and {len(messages)} came out; a "
            f"component of the bot's own must return every message it gets"
        )
    return messages


def _parse_of(message: Message) -> Parse:
    """Returns a message as `MessageProcessor.parse_message` of Rasa 3.6 returns it."""
    parse: Parse = {"text": "", "intent": {"name": None, "confidence": 0.0}, "entities": []}
    parse.update(message.as_dict(only_output_properties=True))
    intent = (parse["intent"] or {}).get("name")
    selectors = parse.get("response_selector", {})
    if intent and intent in selectors.get("all_retrieval_intents", []):
        response = selectors.get(intent, {}).get("response", {})
        parse["intent"]["full_retrieval_intent_name"] = response.get("intent_response_key")
    return parse


@contextlib.contextmanager
def unpacked(path: Path, option: str) -> Iterator[TrainedModel]:
    """Yields a model of which nothing is loaded yet, see `open_model`."""
    archive = _find(path, option)
    with tempfile.TemporaryDirectory() as folder, _quiet_structlog():
        with _one_line(archive):
            storage, metadata = LocalModelStorage.from_model_archive(Path(folder), archive)
        if metadata.training_type == TrainingType.CORE:
            raise ConfigError(
                f"{option}: '{archive}' was trained without NLU data, so it reads no messages; "
                f"give a model of `rasa train` or `rasa train nlu`"
            )
        try:
            yield TrainedModel(archive, storage, metadata)
        finally:
            gc.unfreeze()


def _find(path: Path, option: str) -> Path:
    try:
        os.stat(path)
        return Path(get_local_model(str(path)))
    except PermissionError as error:
        raise StorageError(f"{option}: '{path}' cannot be read: {error.strerror}") from error
    except (ModelNotFound, FileNotFoundError) as error:
        raise ConfigError(
            f"{option}: there is no trained model at '{path}'; `rasa train` makes one"
        ) from error


@contextlib.contextmanager
def _one_line(archive: Path) -> Iterator[None]:
    """Turns whatever components of others raise into an error of ours."""
    try:
        yield
    except TokPruneError:
        raise
    except Exception as error:
        # Rasa wraps it and says no more than which node it was.
        cause = error.__cause__ if isinstance(error, GraphComponentException) else None
        reason = str(cause or error) or type(error).__name__
        raise StorageError(f"model '{archive}' cannot be used: {reason}") from error


@contextlib.contextmanager
def _quiet_structlog() -> Iterator[None]:
    """Keeps structlog from printing; where Rasa has not set it up it prints all to stdout."""
    before = structlog.get_config()["wrapper_class"]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    try:
        yield
    finally:
        structlog.configure(wrapper_class=before)
