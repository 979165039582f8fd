"""Short component names: name this importer in config.yml and leave out the module path.

Rasa learns of a component when its module is imported, and imports importers first:

    importers:
      - name: rasa_tokprune.importer.TokPruneImporter
    pipeline:
      - name: TokPruneIntentClassifier
"""

from __future__ import annotations

from rasa.shared.importers.rasa import RasaFileImporter

from rasa_tokprune.components.featurizer import TokPruneFeaturizer
from rasa_tokprune.components.intent_classifier import TokPruneIntentClassifier
from rasa_tokprune.components.response_selector import TokPruneResponseSelector

__all__ = [
    "TokPruneFeaturizer",
    "TokPruneImporter",
    "TokPruneIntentClassifier",
    "TokPruneResponseSelector",
]


class TokPruneImporter(RasaFileImporter):
    """Rasa's own file importer; being imported registers this package's components."""
