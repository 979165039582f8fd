"""Lets Rasa check a bot as `rasa train` begins: python -m ... CONFIG DOMAIN DATA...; prints JSON.

It runs by itself because importing Rasa takes seconds and some components change the process.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from typing import Any, Dict, List, Sequence

from rasa_tokprune.machine.limits import own_memory

# Rasa's own warnings that another check says better.
_SAID_ELSEWHERE = (
    "has no assistant_id", "assistant_id", "is not listed in the domain", "no example",
)  # fmt: skip


def ask(config: str, domain: str, data: Sequence[str]) -> Dict[str, Any]:
    """Returns Rasa's error, '' if it has none, its warnings and this process's memory in bytes."""
    sys.path.insert(0, os.getcwd())  # where the bot's own components are
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        warnings.filterwarnings("always", category=UserWarning)
        try:
            _validate(config, domain, data)
            error = ""
        except Exception as problem:  # whatever components of others raise
            error = _line(str(problem) or type(problem).__name__)
    lines: List[str] = [
        # Some libraries show their own whatever filters say.
        _line(str(each.message))
        for each in caught
        if issubclass(each.category, (UserWarning, FutureWarning))
        and not issubclass(each.category, DeprecationWarning)
    ]
    kept = [
        line for line in dict.fromkeys(lines) if not any(own in line for own in _SAID_ELSEWHERE)
    ]
    return {"error": error, "warnings": kept, "bytes": own_memory() or 0}


def _validate(config: str, domain: str, data: Sequence[str]) -> None:
    import rasa.engine.validation
    from rasa.engine.recipes.recipe import Recipe
    from rasa.graph_components.validators.default_recipe_validator import DefaultV1RecipeValidator
    from rasa.shared.data import TrainingType
    from rasa.shared.importers.importer import TrainingDataImporter

    importer = TrainingDataImporter.load_from_config(config, domain or None, list(data))
    content = importer.get_config()
    kind = TrainingType.BOTH if domain and content.get("policies") else TrainingType.NLU
    recipe = Recipe.recipe_for_name(content.get("recipe"))
    graph = recipe.graph_config_for_recipe(content, {}, training_type=kind)
    rasa.engine.validation.validate(graph)
    if domain and content.get("recipe", "default.v1") == "default.v1":
        DefaultV1RecipeValidator(graph.train_schema).validate(importer)


def _line(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    # What Rasa and its libraries print is not the answer.
    out, sys.stdout = sys.stdout, sys.stderr
    print(json.dumps(ask(sys.argv[1], sys.argv[2], sys.argv[3:])), file=out)
