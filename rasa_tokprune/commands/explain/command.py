"""The command line of `rasa-tokprune explain`."""

from __future__ import annotations

import argparse
import json
import warnings

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.explanation import explanation_lines
from rasa_tokprune.extras import is_installed


def run(arguments: argparse.Namespace) -> None:
    """Prints why a trained model answers messages as it does.

    Raises:
        TokPruneError: If the model cannot be used.
    """
    if not is_installed("rasa"):
        raise ConfigError(
            "a trained model runs in Rasa, which is not installed here; Rasa Open Source is for "
            "Python 3.10: pip install rasa-tokprune there. Without Rasa, `rasa_tokprune.explain` "
            "explains the answers of a PrototypeClassifier"
        )
    with warnings.catch_warnings(record=True):  # Rasa's imports deprecate one another
        from rasa_tokprune.commands.explain.model import explain_with_model

        explanations = explain_with_model(arguments.model, arguments.texts)
    if arguments.json:
        print("\n".join(json.dumps(each) for each in explanations))
    else:
        print("\n\n".join("\n".join(explanation_lines(each)) for each in explanations))
