"""Values that fuzzing found: each is refused in one line, none by an error of a runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict

import pytest

from rasa_tokprune.components.config.decisions import DecisionSettings
from rasa_tokprune.components.config.encoder import EncoderSettings
from rasa_tokprune.encoder.plans.plan import PruningPlan
from rasa_tokprune.encoder.shared import MOST_THREADS, share_model
from rasa_tokprune.errors import ConfigError, os_error_line

WRONG: Dict[str, Dict[str, Any]] = {
    "model must be": {"model": "\0"},
    "cache_dir must be": {"cache_dir": "a\0b"},
    "num_threads must be a whole number >= 1 and <= 1024 or null": {"num_threads": 2**31},
}
HUGE = 10**400  # as a float it is too large


@pytest.mark.parametrize("message", WRONG)
def test_an_encoders_value(message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{message}"):
        EncoderSettings.from_config(WRONG[message])


@pytest.mark.parametrize("n_threads", [0, MOST_THREADS + 1, 2**63])
def test_threads_of_a_model_opened_without_rasa(tiny_bert: Path, n_threads: int) -> None:
    with pytest.raises(ConfigError, match="num_threads must be a whole number from 1 to 1024"):
        share_model(tiny_bert, num_threads=n_threads)


@pytest.mark.parametrize("key", ["lexical_weight", "target_in_scope_rejection", "max_flip_rate"])
def test_a_number_of_hundreds_of_digits(key: str) -> None:
    with pytest.raises(ConfigError, match=f"^{key} must be "):
        DecisionSettings.from_config({key: HUGE})


def test_a_threshold_of_hundreds_of_digits() -> None:
    with pytest.raises(ConfigError, match="must be a number below 1e308"):
        PruningPlan.from_dict({"n_layers": 1, "thresholds": [HUGE], "kind": "absolute"})


def test_an_error_is_one_line_whatever_it_quotes() -> None:
    with pytest.raises(ConfigError) as error:
        DecisionSettings.from_config({"certify_on": "a\nb\u2028c"})
    assert len(str(error.value).splitlines()) == 1
    assert "certify_on: 'a b c' is only read" in str(error.value)
    assert os_error_line(OSError(2, "No such file", "a\nb")) == "'a b': No such file"
