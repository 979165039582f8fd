"""The response selector's own keys: which retrieval intent it answers, and how it decides."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, Mapping, Optional, Text

from rasa_tokprune.components.config.checks import check_type
from rasa_tokprune.components.config.decisions import DECISION_DEFAULTS, DecisionSettings
from rasa_tokprune.encoder.formats import AUTO
from rasa_tokprune.errors import ConfigError

# What the classifier's other keys say has no meaning here: a selector always picks a response.
_SHARED = (
    "use_intent_names",
    "lexical_weight",
    "target_in_scope_rejection",
    "cross_validation",
    "ranking_length",
)
SELECTION_DEFAULTS: Dict[Text, Any] = {
    "retrieval_intent": None,
    **{key: DECISION_DEFAULTS[key] for key in _SHARED},
}


@dataclasses.dataclass(frozen=True)
class SelectionSettings:
    """The checked part of the selector's configuration; see docs/components/response-selector.md.

    Attributes:
        retrieval_intent: The only one that is answered; None answers all of them.
        decisions: As of a classifier that knows no out-of-scope intents.
    """

    retrieval_intent: Optional[str]
    decisions: DecisionSettings

    @classmethod
    def from_config(cls, config: Mapping[Text, Any]) -> SelectionSettings:
        """Checks the keys; other keys are left alone.

        Raises:
            ConfigError: If a value is wrong.
        """
        values = {key: config.get(key, default) for key, default in SELECTION_DEFAULTS.items()}
        check_type(values, "retrieval_intent", str, "a retrieval intent, or null for all of them")
        intent = values.pop("retrieval_intent")
        if intent is not None and "/" in intent:
            raise ConfigError(
                f"retrieval_intent must be the part before the slash, "
                f"'{intent.split('/')[0]}'; got {intent!r}"
            )
        if config.get("prune") == AUTO:
            raise ConfigError(
                f"prune: {AUTO} compares answers of intents; set it on TokPruneIntentClassifier, "
                f"or name a plan here"
            )
        return cls(intent, DecisionSettings.from_config({**values, "oos_intents": []}))
