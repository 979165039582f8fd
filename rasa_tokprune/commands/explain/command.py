"""The command line of `rasa-tokprune explain`."""

from __future__ import annotations

import argparse
import json

from rasa_tokprune.commands.trained_model.access import open_model, require_rasa
from rasa_tokprune.explanation import explanation_lines


def run(arguments: argparse.Namespace) -> None:
    """Prints why a trained model answers messages as it does.

    Raises:
        TokPruneError: If the model cannot be used.
    """
    require_rasa(
        "Without Rasa, `rasa_tokprune.explain` explains the answers of a PrototypeClassifier"
    )
    with open_model(arguments.model) as model:
        from rasa_tokprune.commands.explain.model import explain_with_model

        explanations = explain_with_model(model, arguments.texts)
    if arguments.json:
        print("\n".join(json.dumps(each) for each in explanations))
    else:
        print("\n\n".join("\n".join(explanation_lines(each)) for each in explanations))
