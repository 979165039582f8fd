"""Fixtures of the component tests: Rasa's plumbing around tiny encoders."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Type

import huggingface_hub.constants
import pytest
import rasa.model_training
from rasa.engine.graph import ExecutionContext, GraphComponent, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.model_training import TrainingResult
from rasa.nlu.tokenizers.whitespace_tokenizer import WhitespaceTokenizer
from rasa.shared.nlu.constants import (
    TEXT,
)
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from rasa_tokprune.components.featurizer import TokPruneFeaturizer
from rasa_tokprune.components.intent_classifier import TokPruneIntentClassifier
from rasa_tokprune.components.response_selector import TokPruneResponseSelector
from rasa_tokprune.encoder import Encoder, PruningPlan, load_encoder
from rasa_tokprune.encoder.backends.sentence_runner import SentenceRunner
from tests.bots_on_disk import BOT
from tests.components.examples import RESPONSES, example_messages

COMPONENTS = [TokPruneFeaturizer, TokPruneIntentClassifier, TokPruneResponseSelector]


@pytest.fixture(params=COMPONENTS, ids=lambda component: component.__name__)
def component_class(request: pytest.FixtureRequest) -> Type[GraphComponent]:
    """Every component of the package, one after the other."""
    return request.param


@pytest.fixture
def storage_path(tmp_path: Path) -> Path:
    """Returns the folder behind `model_storage`."""
    path = tmp_path / "storage"
    path.mkdir()
    return path


@pytest.fixture
def model_storage(storage_path: Path) -> LocalModelStorage:
    """Returns an empty model storage."""
    return LocalModelStorage(storage_path)


@pytest.fixture
def execution_context() -> ExecutionContext:
    """Returns the context of a graph node called `run_test0`."""
    return ExecutionContext(GraphSchema({}), model_id="model", node_name="run_test0")


@pytest.fixture
def config_of(tiny_bert: Path, plan_path: Path) -> Callable[..., Dict[str, Any]]:
    """Returns a function: component class and overrides -> full configuration.

    Rasa's graph merges the defaults; a component made by hand has to be given all keys.
    """

    def merge(component: Type[GraphComponent], **overrides: Any) -> Dict[str, Any]:
        tiny = {"model": str(tiny_bert), "prune": str(plan_path), "cache_size": 0}
        return {**component.get_default_config(), **tiny, **overrides}

    return merge


@pytest.fixture
def build(
    config_of: Callable[..., Dict[str, Any]],
    model_storage: LocalModelStorage,
    execution_context: ExecutionContext,
) -> Callable[..., Any]:
    """Returns a function that calls a component's `create` or `load` as a graph node would."""

    def construct(component: Type[GraphComponent], constructor: str, **overrides: Any) -> Any:
        config = config_of(component, **overrides)
        arguments = (config, model_storage, Resource(component.__name__), execution_context)
        return getattr(component, constructor)(*arguments)

    return construct


@pytest.fixture
def create(build: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a function: component class and overrides -> component ready to train."""
    return lambda component, **overrides: build(component, "create", **overrides)


@pytest.fixture
def load(build: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a function: component class and overrides -> component read from the storage."""
    return lambda component, **overrides: build(component, "load", **overrides)


@pytest.fixture
def stored(storage_path: Path) -> Callable[[Type[GraphComponent]], Path]:
    """Returns a function: component class -> folder of what it stored in training."""
    return lambda component: storage_path / component.__name__


@pytest.fixture
def tiny_encoder(tiny_bert: Path, plan_path: Path) -> Encoder:
    """Returns the encoder that components made by `create` use."""
    return load_encoder(str(tiny_bert), prune=plan_path, precision="auto")


@pytest.fixture
def tokenize() -> Callable[[Sequence[Message]], List[Message]]:
    """Returns a function that tokenizes messages in place as a WhitespaceTokenizer does."""
    tokenizer = WhitespaceTokenizer(WhitespaceTokenizer.get_default_config())

    def run(messages: Sequence[Message]) -> List[Message]:
        return tokenizer.process(list(messages))

    return run


@pytest.fixture
def training_data() -> TrainingData:
    """Returns data with every kind of message that Rasa hands to NLU components."""
    responses = {f"utter_{key}": [{"text": text}] for key, text in RESPONSES.items()}
    return TrainingData(example_messages(), responses=responses)


@pytest.fixture
def trained(create: Callable[..., Any], training_data: TrainingData) -> TokPruneIntentClassifier:
    """Returns a classifier trained on `training_data`."""
    classifier = create(TokPruneIntentClassifier)
    classifier.train(training_data)
    return classifier


@pytest.fixture
def selector(create: Callable[..., Any], training_data: TrainingData) -> TokPruneResponseSelector:
    """Returns a selector trained on `training_data`."""
    component = create(TokPruneResponseSelector)
    component.train(training_data)
    return component


@pytest.fixture
def train_as_rasa_does(
    create: Callable[..., Any], training_data: TrainingData
) -> Callable[..., None]:
    """Returns a function that runs what `rasa train` runs: a node's fingerprint, then the node."""

    def run(component: Type[GraphComponent], config: Dict[str, Any]) -> None:
        component.fingerprint_addon(config)
        create(component, **config).train(training_data)

    return run


@pytest.fixture
def count_forward(monkeypatch: pytest.MonkeyPatch) -> List[int]:
    """Returns a list that grows by the number of texts of every forward pass."""
    passes: List[int] = []
    original = SentenceRunner.run

    def counting(runner: SentenceRunner, tokens: Any, plan: PruningPlan, **options: Any) -> Any:
        passes.append(len(tokens.lengths))
        return original(runner, tokens, plan, **options)

    monkeypatch.setattr(SentenceRunner, "run", counting)
    return passes


@pytest.fixture
def copy_of_tiny_bert(tiny_bert: Path, tmp_path: Path) -> Path:
    """Returns a copy of the tiny checkpoint that a test may change or delete."""
    return Path(shutil.copytree(tiny_bert, tmp_path / "copy-of-tiny-bert"))


@pytest.fixture
def hub_calls(monkeypatch: pytest.MonkeyPatch) -> List[Optional[bool]]:
    """Lets the hub be asked without a network; returns local_files_only of every request."""
    calls: List[Optional[bool]] = []

    def nothing_there(*_: Any, local_files_only: Optional[bool] = None, **__: Any) -> str:
        calls.append(local_files_only)
        raise FileNotFoundError("no network in tests")

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", nothing_there)
    return calls


@pytest.fixture
def rasa_train(write_config: Callable[..., Path], tmp_path: Path) -> Callable[..., TrainingResult]:
    """Returns a function: pipeline -> result of `rasa train` or, dry, of what it would do."""

    def train(
        pipeline: List[Dict[str, Any]],
        *,
        data: Sequence[Path] = (BOT / "nlu.yml",),
        dry_run: bool = False,
        **keys: Any,
    ) -> TrainingResult:
        return rasa.model_training.train(
            str(BOT / "domain.yml"),
            str(write_config(pipeline, **keys)),
            [str(path) for path in data],
            str(tmp_path / "models"),
            dry_run=dry_run,
        )

    return train


@pytest.fixture
def featurize(create: Callable[..., Any], tokenize: Callable[..., Any]) -> Callable[[str], Message]:
    """Returns a function: text -> message with words and features of a tiny featurizer."""
    featurizer = create(TokPruneFeaturizer)
    return lambda text: featurizer.process(tokenize([Message({TEXT: text})]))[0]
