"""The peers by name: what they are called, what runs them and what they need."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

from benchmarks.accuracy.pipelines import PIPELINES

PLANS = ("off", "light", "balanced", "fast")
# A pipeline's key that holds where the checkpoint lies.
_WEIGHTS = "model_weights"


@dataclasses.dataclass(frozen=True)
class PeerKind:
    """One peer.

    Attributes:
        title: In plain words, for tables.
        module: Module of this package with `build(settings)`.
        environment: Folder of its own environment; None is the one that runs this.
        requirements: What `pip install` needs for it alone.
        pipeline: Components, for a Rasa pipeline.
        arguments: Of the peer's training, where they are not its defaults.
    """

    title: str
    module: str
    environment: Optional[str]
    requirements: Tuple[str, ...]
    pipeline: Tuple[Mapping[str, Any], ...] = ()
    arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def is_rasa(self) -> bool:
        """Whether it is a pipeline of Rasa, with all that a server needs."""
        return bool(self.pipeline)

    @property
    def needs_model(self) -> bool:
        """Whether it needs a checkpoint beside its packages."""
        return self.needs_tensorflow_weights or self.requirements != (_RASA,)

    @property
    def needs_tensorflow_weights(self) -> bool:
        """Whether Rasa reads the checkpoint itself, which it does through TensorFlow."""
        return any(_WEIGHTS in component for component in self.pipeline)

    def settings(self, model: Path) -> Dict[str, Any]:
        """Returns what the module's `build` takes.

        Args:
            model: The checkpoint's folder, in the form the peer reads.
        """
        components = [dict(component) for component in self.pipeline]
        for component in components:
            if _WEIGHTS in component:
                component[_WEIGHTS] = str(model)
        return {"model": str(model), "pipeline": components, "arguments": dict(self.arguments)}


_RASA = "rasa==3.6.21"


def _ours(plan: str) -> PeerKind:
    keys = {"name": "rasa_tokprune.TokPruneIntentClassifier", "prune": plan}
    fallback = {"name": "FallbackClassifier", "threshold": 0.5, "ambiguity_threshold": 0.0}
    title = f"ours, `{plan}`" + {"off": ": no pruning", "light": ": the default"}.get(plan, "")
    return PeerKind(title, "rasa_pipeline", None, (OURS,), (keys, fallback))


def _language_model() -> List[Mapping[str, Any]]:
    """Returns the default pipeline with the featurizer in place of the sparse ones."""
    tokenizer, *_, diet, fallback = PIPELINES["diet"]
    featurizer = {"name": "LanguageModelFeaturizer", "model_name": "bert", _WEIGHTS: ""}
    return [tokenizer, featurizer, diet, fallback]


# This package, from the repository's root.
OURS = "."
PEERS: Dict[str, PeerKind] = {
    "diet": PeerKind(
        "DIET, Rasa's default pipeline", "rasa_pipeline", None, (_RASA,), tuple(PIPELINES["diet"])
    ),
    "language_model": PeerKind(
        "LanguageModelFeaturizer + DIET",
        "rasa_pipeline",
        "language_model",
        ("rasa[transformers]==3.6.21",),
        tuple(_language_model()),
    ),
    "setfit": PeerKind(
        "SetFit, 20 pairs an example",
        "contrastive_setfit",
        "setfit",
        ("setfit==1.2.0",),
        arguments={"num_iterations": 20},
    ),
    "setfit_all_pairs": PeerKind(
        "SetFit, all pairs", "contrastive_setfit", "setfit", ("setfit==1.2.0",)
    ),
    "sentence_transformers": PeerKind(
        "sentence-transformers + LogisticRegression",
        "embeddings_regression",
        "sentence_transformers",
        ("sentence-transformers==6.2.0", "scikit-learn==1.7.2"),
    ),
    "semantic_router": PeerKind(
        "semantic-router",
        "semantic_routes",
        "semantic_router",
        ("semantic-router[local]==1.1.1",),
    ),
    "features": PeerKind(
        "our features + LogisticRegression",
        "rasa_pipeline",
        None,
        (OURS,),
        tuple(PIPELINES["logistic_regression"]),
    ),
    **{plan: _ours(plan) for plan in PLANS},
}
