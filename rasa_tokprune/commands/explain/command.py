"""The command line of `rasa-tokprune explain`."""

from __future__ import annotations

import argparse
import warnings

from rasa_tokprune.commands.explain.layout import show_explanation
from rasa_tokprune.commands.screen import Screen
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.extras import is_installed


def run(arguments: argparse.Namespace) -> None:
    """Shows why a trained model answers messages as it does.

    Raises:
        TokPruneError: If the model cannot be used.
    """
    if not is_installed("rasa"):
        raise ConfigError(
            "a trained model runs in Rasa, which is not installed here; Rasa Open Source is for "
            "Python 3.10: pip install rasa-tokprune there. Without Rasa, `rasa_tokprune.explain` "
            "explains the answers of a PrototypeClassifier"
        )
    screen = Screen.of(arguments)
    # Rasa's imports deprecate one another.
    with screen.working("Loading the model"), warnings.catch_warnings(record=True):
        from rasa_tokprune.commands.explain.model import explain_with_model

        explanations = explain_with_model(arguments.model, arguments.texts)
    for number, explanation in enumerate(explanations):
        if screen.is_json:
            screen.json(explanation)
            continue
        if number:
            screen.line()
        show_explanation(screen, explanation)
