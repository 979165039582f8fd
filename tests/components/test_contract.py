"""What Rasa 3.6 demands of a graph component: one list of checks, run over every component.

M-numbers are those of section 8 of the integration contract. Elsewhere: M5 and M12 in
test_fingerprint.py, M6 and M7 in test_featurizer.py, M8 and M9 in test_intent_classifier.py and
test_response_selector.py, M10 in test_persistence.py. Not testable offline on one Python: M15, the
matrix of Rasa and Python versions; M16 is documentation.
"""

from __future__ import annotations

import inspect
import json
import shutil
import typing
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable, Dict, List, Text, Type

import pkg_resources
import pytest
import rasa.engine.validation
from rasa.engine.exceptions import GraphSchemaValidationException
from rasa.engine.graph import ExecutionContext, GraphComponent, GraphSchema
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.data import TrainingType
from rasa.shared.exceptions import InvalidConfigException, RasaException
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from rasa.shared.utils.common import class_from_module_path
from rasa.utils.common import find_unavailable_packages, module_path_from_class

from rasa_tokprune.components.errors import TokPruneComponentError
from rasa_tokprune.components.featurizer import TokPruneFeaturizer

# Written into every trained model. A change here makes users' models unloadable.
MODULE_PATHS = {
    "TokPruneFeaturizer": "rasa_tokprune.components.featurizer.TokPruneFeaturizer",
    "TokPruneIntentClassifier": (
        "rasa_tokprune.components.intent_classifier.TokPruneIntentClassifier"
    ),
    "TokPruneResponseSelector": (
        "rasa_tokprune.components.response_selector.TokPruneResponseSelector"
    ),
}
CONSTRUCTOR = {
    "config": Dict[Text, Any],
    "model_storage": ModelStorage,
    "resource": Resource,
    "execution_context": ExecutionContext,
}
RUN_METHODS = {
    "train": ({"training_data": TrainingData}, Resource),
    "process_training_data": ({"training_data": TrainingData}, TrainingData),
    "process": ({"messages": List[Message]}, List[Message]),
}


def pipeline_config(*components: Dict[str, Any]) -> Dict[str, Any]:
    return {"recipe": "default.v1", "language": "en", "pipeline": list(components)}


def validate(config: Dict[str, Any]) -> None:
    graph = DefaultV1Recipe().graph_config_for_recipe(config, {}, TrainingType.NLU)
    rasa.engine.validation.validate(graph)


def what_it_adds(message: Message) -> Any:
    """Returns what a component adds to a message, comparable between two runs."""
    _, sentence = message.get_dense_features(TEXT)
    if sentence is not None:
        return sentence.features.tolist()
    return message.get(INTENT) or message.get("response_selector")


def test_m1_dotted_paths_name_the_component(component_class: Type[GraphComponent]) -> None:
    name = component_class.__name__
    for path in (f"rasa_tokprune.{name}", MODULE_PATHS[name]):
        assert class_from_module_path(path) is component_class
        assert DefaultV1Recipe._from_registry(path).clazz is component_class


def test_m2_module_path_is_frozen(component_class: Type[GraphComponent]) -> None:
    expected = MODULE_PATHS[component_class.__name__]
    assert module_path_from_class(component_class) == expected


def test_m3_default_config_is_flat(component_class: Type[GraphComponent]) -> None:
    defaults = component_class.get_default_config()
    nested = [key for key, value in defaults.items() if isinstance(value, (dict, list))]
    assert nested == []
    assert "epochs" not in defaults, "--finetune would rewrite it"
    assert json.loads(json.dumps(defaults)) == defaults


def test_m3_defaults_cannot_be_spoilt(component_class: Type[GraphComponent]) -> None:
    component_class.get_default_config()["model"] = "changed by a careless caller"
    assert component_class.get_default_config()["model"] != "changed by a careless caller"


def test_m3_featurizer_has_an_alias_key() -> None:
    defaults = TokPruneFeaturizer.get_default_config()
    assert "alias" in defaults
    assert defaults["alias"] is None


@pytest.mark.parametrize("constructor", ["create", "load"])
def test_m4_constructor_signatures(component_class: Type[GraphComponent], constructor: str) -> None:
    method = getattr(component_class, constructor)
    hints = typing.get_type_hints(method)
    assert {key: hints[key] for key in CONSTRUCTOR} == CONSTRUCTOR
    assert hints["return"] is component_class
    assert set(positional(method)) == set(CONSTRUCTOR)


@pytest.mark.parametrize("name", RUN_METHODS)
def test_m4_run_signatures(component_class: Type[GraphComponent], name: str) -> None:
    method = getattr(component_class, name, None)
    if method is None:
        assert name == "process_training_data", "Rasa runs it for featurizers only"
        assert component_class is not TokPruneFeaturizer
        return
    expected, returned = RUN_METHODS[name]
    hints = typing.get_type_hints(method)
    assert hints.pop("return") == returned
    assert hints == expected
    # Any further positional argument becomes a graph dependency `<argument>_provider`.
    assert set(positional(method)) - {"self"} == set(expected)


def positional(method: Callable[..., Any]) -> List[str]:
    parameters = inspect.signature(method).parameters.values()
    return [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]


def test_m4_rasa_accepts_the_graph(component_class: Type[GraphComponent]) -> None:
    name = MODULE_PATHS[component_class.__name__]
    validate(pipeline_config({"name": "WhitespaceTokenizer"}, {"name": name}))


def test_m4_rasa_accepts_all_in_one_pipeline() -> None:
    ours = [{"name": name} for name in MODULE_PATHS.values()]
    validate(pipeline_config({"name": "WhitespaceTokenizer"}, *ours))


def test_m4_only_the_featurizer_needs_another_component() -> None:
    for name in ("TokPruneIntentClassifier", "TokPruneResponseSelector"):
        validate(pipeline_config({"name": MODULE_PATHS[name]}))
    with pytest.raises(GraphSchemaValidationException, match="Tokenizer"):
        validate(pipeline_config({"name": MODULE_PATHS["TokPruneFeaturizer"]}))


def test_m4_trained_schema_finds_the_class_again(component_class: Type[GraphComponent]) -> None:
    config = pipeline_config(
        {"name": "WhitespaceTokenizer"}, {"name": f"rasa_tokprune.{component_class.__name__}"}
    )
    graph = DefaultV1Recipe().graph_config_for_recipe(config, {}, TrainingType.NLU)
    again = GraphSchema.from_dict(json.loads(json.dumps(graph.predict_schema.as_dict())))
    assert component_class in [node.uses for node in again.nodes.values()]


def test_m4_required_packages_are_modules_and_distributions(
    component_class: Type[GraphComponent],
) -> None:
    packages = component_class.required_packages()
    assert "tokenizers" in packages
    assert find_unavailable_packages(packages) == set()
    for package in packages:
        assert pkg_resources.get_distribution(package).version


def test_m10_everything_is_read_in_load(
    component_class: Type[GraphComponent],
    create: Callable[..., Any],
    load: Callable[..., Any],
    storage_path: Path,
    training_data: TrainingData,
    tokenize: Callable[..., List[Message]],
) -> None:
    create(component_class, bundle_encoder=True).train(training_data)
    component = load(component_class, bundle_encoder=True)
    before = what_it_adds(component.process(tokenize([Message.build("hello there")]))[0])
    shutil.rmtree(storage_path)  # Rasa deletes it right after load
    after = what_it_adds(component.process(tokenize([Message.build("hello there")]))[0])
    assert before == after
    assert after is not None


def test_m10_load_without_stored_data_works(
    component_class: Type[GraphComponent],
    load: Callable[..., Any],
    tokenize: Callable[..., List[Message]],
) -> None:
    message = load(component_class).process(tokenize([Message.build("hello")]))[0]
    assert what_it_adds(message) is not None


def test_m11_the_process_holds_one_copy_of_the_weights(
    component_class: Type[GraphComponent],
    create: Callable[..., Any],
    load: Callable[..., Any],
    training_data: TrainingData,
) -> None:
    trained = create(component_class)
    trained.train(training_data)
    other = create(TokPruneFeaturizer, prune="off")
    loaded = load(component_class)
    assert trained._encoder.model is loaded._encoder.model is other._encoder.model


def test_m11_threads_share_a_component(
    component_class: Type[GraphComponent],
    create: Callable[..., Any],
    training_data: TrainingData,
    tokenize: Callable[..., List[Message]],
) -> None:
    component = create(component_class)
    component.train(training_data)
    texts = [f"hello {word} parcel " * size for size in (1, 3, 7) for word in ("my", "your")]

    def run(text: str) -> Any:
        return what_it_adds(component.process(tokenize([Message.build(text)]))[0])

    alone = [run(text) for text in texts]
    with ThreadPoolExecutor(max_workers=4) as pool:
        assert list(pool.map(run, texts * 5)) == alone * 5


def test_m13_config_errors_are_rasas(
    component_class: Type[GraphComponent], create: Callable[..., Any]
) -> None:
    with pytest.raises(InvalidConfigException, match=f"{component_class.__name__}: batch_size"):
        create(component_class, batch_size=0)


def test_m13_other_errors_are_rasas(
    component_class: Type[GraphComponent],
    create: Callable[..., Any],
    training_data: TrainingData,
    tmp_path: Path,
) -> None:
    assert issubclass(TokPruneComponentError, RasaException)
    with pytest.raises(TokPruneComponentError, match="does not exist"):
        create(component_class, model=str(tmp_path / "absent")).train(training_data)
