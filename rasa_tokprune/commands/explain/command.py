"""The command line of `rasa-tokprune explain`."""

from __future__ import annotations

import argparse

from rasa_tokprune.commands.explain.layout import show_explanation
from rasa_tokprune.commands.screen import Screen
from rasa_tokprune.commands.trained_model.access import open_model, require_rasa


def run(arguments: argparse.Namespace) -> None:
    """Shows why a trained model answers messages as it does.

    Raises:
        TokPruneError: If the model cannot be used.
    """
    require_rasa(
        "Without Rasa, `rasa_tokprune.explain` explains the answers of a PrototypeClassifier"
    )
    screen = Screen.of(arguments)
    with screen.working("Loading the model"), open_model(arguments.model) as model:
        from rasa_tokprune.commands.explain.model import explain_with_model

        explanations = explain_with_model(model, arguments.texts)
    for number, explanation in enumerate(explanations):
        if screen.is_json:
            screen.json(explanation)
            continue
        if number:
            screen.line()
        show_explanation(screen, explanation)
