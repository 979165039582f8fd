"""The intent classifier's own keys: how it decides, what it reports."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Dict, List, Mapping, Optional, Text

from rasa_tokprune.components.config.checks import check_flag, check_type, check_whole_number
from rasa_tokprune.encoder.formats import AUTO
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot.calibration.confidence import DEFAULT_TARGET_REJECTION

DECISION_DEFAULTS: Dict[Text, Any] = {
    "use_intent_names": True,
    "lexical_weight": AUTO,
    "oos_intents": None,
    "target_in_scope_rejection": DEFAULT_TARGET_REJECTION,
    "emit_fallback": False,
    "cross_validation": True,
    "explain": False,
    "ranking_length": 10,
    "max_flip_rate": 0.02,
    "certify_on": None,
    "shadow_rate": 0.0,
}
_FLAGS = ("use_intent_names", "emit_fallback", "cross_validation", "explain")


@dataclasses.dataclass(frozen=True)
class DecisionSettings:
    """The classifier's checked configuration; see docs/components/intent-classifier.md."""

    use_intent_names: bool
    lexical_weight: Optional[float]
    oos_intents: Optional[List[str]]
    target_in_scope_rejection: float
    emit_fallback: bool
    cross_validation: bool
    explain: bool
    ranking_length: int
    max_flip_rate: float
    certify_on: Optional[str]
    shadow_rate: float

    @classmethod
    def from_config(cls, config: Mapping[Text, Any]) -> DecisionSettings:
        """Checks the keys; other keys are left alone.

        Raises:
            ConfigError: If a value is wrong.
        """
        values = {key: config.get(key, default) for key, default in DECISION_DEFAULTS.items()}
        for key in _FLAGS:
            check_flag(values, key)
        check_whole_number(values, "ranking_length", 0, allow_none=False)
        values["lexical_weight"] = _lexical_weight(values["lexical_weight"])
        share = values["target_in_scope_rejection"]
        if not 0 <= _number(share) < 1:
            raise ConfigError(
                f"target_in_scope_rejection must be a number in [0, 1), the share of right answers "
                f"that may fall below the operating point; got {share!r}"
            )
        if not 0 < _number(values["max_flip_rate"]) < 1:
            raise ConfigError(
                f"max_flip_rate must be a number in (0, 1), the share of answers that prune: auto "
                f"may change; got {values['max_flip_rate']!r}"
            )
        if not 0 <= _number(values["shadow_rate"]) <= 1:
            raise ConfigError(
                f"shadow_rate must be a number in [0, 1], the share of messages that are also "
                f"answered un-pruned; got {values['shadow_rate']!r}"
            )
        check_type(values, "certify_on", str, "a file of messages, one a line, or null")
        if values["certify_on"] is not None and config.get("prune") != AUTO:
            raise ConfigError(
                f"certify_on: '{values['certify_on']}' is only read with prune: {AUTO}; set that, "
                f"or remove certify_on"
            )
        _check_names(values["oos_intents"])
        return cls(**values)


def _number(value: Any) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    try:
        return float(value) if is_number else float("nan")
    except OverflowError:  # a whole number of hundreds of digits
        return float("nan")


def _lexical_weight(value: Any) -> Optional[float]:
    if value == AUTO:
        return None
    if not 0 <= _number(value) < math.inf:
        raise ConfigError(
            f"lexical_weight must be '{AUTO}' or a number from 0 (the encoder decides alone), "
            f"such as 0.5; got {value!r}"
        )
    return float(value)


def _check_names(names: Any) -> None:
    is_list = isinstance(names, list) and all(isinstance(name, str) and name for name in names)
    if names is not None and not is_list:
        raise ConfigError(
            f"oos_intents must be a list of intents, such as [out_of_scope], [] for none, or null "
            f"to find them by name; got {names!r}. Write numbers and words such as yes and off in "
            f"quotes, '404': YAML reads them as something else"
        )
